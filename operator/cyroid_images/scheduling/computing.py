"""How many threads compute at a time, so that the event loop gets its turn.

Python runs one thread at a time, and whoever wants to be next waits until those before it have
had 5 ms each: dozens of looks that compute at once keep the event loop waiting for seconds. A
thread that waits for somebody outside steps aside meanwhile. It is courtesy, never a gate: who
has waited long enough goes on without a place. A free place is for whoever comes first: handed on
in order, each change of threads would wait for the interpreter once more (a third slower).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

PLACES = 2
"""Threads cannot compute at the same time anyway; two, so that one may be late."""
PATIENCE_SECONDS = 5.0
"""How long a call waits for a place in all: half of the time that a look at an engine has."""


class Computing:
    """Places for threads that compute."""

    def __init__(self, places: int = PLACES, patience: float = PATIENCE_SECONDS) -> None:
        self._places = threading.Semaphore(places)
        self._patience = patience

    @contextmanager
    def place(self) -> Iterator[None]:
        """Compute in this block, with a place or, where none is free for long, without one."""
        held = _Held(self._places, self._patience)
        token = _HELD.set(held)
        held.take()
        try:
            yield
        finally:
            held.give()
            _HELD.reset(token)


def step_aside() -> None:
    """The calling thread is about to wait for somebody outside: another may compute."""
    if (held := _HELD.get()) is not None:
        held.give()


def step_back() -> None:
    """It has waited long enough, and computes again when it is its turn."""
    if (held := _HELD.get()) is not None:
        held.take()


@contextmanager
def aside() -> Iterator[None]:
    """This block waits for somebody outside."""
    step_aside()
    try:
        yield
    finally:
        step_back()


class _Held:
    """The place of one thread, if it has one."""

    def __init__(self, places: threading.Semaphore, patience: float) -> None:
        self._places = places
        self._left = patience
        self._has = False

    def take(self) -> None:
        if self._has:
            return
        began = time.monotonic()
        self._has = self._places.acquire(timeout=self._left)
        self._left = max(0.0, self._left - (time.monotonic() - began))

    def give(self) -> None:
        if self._has:
            self._has = False
            self._places.release()


_HELD: ContextVar[_Held | None] = ContextVar("held", default=None)
