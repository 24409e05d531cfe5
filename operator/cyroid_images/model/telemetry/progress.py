"""How far a transfer is: bytes done of bytes in all. Observers never change an outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """Bytes moved so far, never going back; `total` is None until it is known."""

    done: int
    total: int | None = None


ProgressObserver = Callable[[Progress], None]
"""Called from the worker thread; must be quick and must not raise."""


def furthest(before: Progress | None, now: Progress) -> Progress:
    """Progress never goes back, also where a transfer begins anew by another way.

    The total is the newest one, and never less than what is done.
    """
    done = max(now.done, before.done if before else 0)
    return Progress(done, None if now.total is None else max(now.total, done))


def ignore(progress: Progress) -> None:
    """The ProgressObserver of nobody."""
