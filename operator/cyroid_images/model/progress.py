"""How far a transfer is: bytes done of bytes in all. Observers never change an outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes moved so far, never going back; `total` is None until it is known."""

    done: int
    total: int | None = None


Observer = Callable[[Progress], None]
"""Called from the worker thread; must be quick and must not raise."""


def ignore(progress: Progress) -> None:
    """The Observer of nobody."""
