"""For all unit tests: what a controller sets aside from collections is brought back."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_set_aside() -> Iterator[None]:
    yield
    if gc.get_freeze_count():
        gc.unfreeze()
