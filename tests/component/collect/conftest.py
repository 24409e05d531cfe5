"""A registry with its collector, of one test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.collected_registry import CollectedRegistry


@pytest.fixture
def collected() -> Iterator[CollectedRegistry]:
    with tempfile.TemporaryDirectory(prefix="cyroid-collected-") as folder:
        part = CollectedRegistry(Path(folder) / "registry")
        try:
            part.start()
            part.start_collector()
            yield part
        finally:
            part.close()
