"""A registry with its collector, of one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parts.collected_registry import CollectedRegistry, running_collected_registry


@pytest.fixture
def collected() -> Iterator[CollectedRegistry]:
    with running_collected_registry() as part:
        yield part
