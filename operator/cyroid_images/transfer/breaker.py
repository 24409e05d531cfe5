"""One cut for several threads that move one image: whoever fails first stops the others.

A Cancellation stops what somebody outside no longer wants. Threads that work together need
the same among themselves: when the registry is full, nobody must go on reading the source.
So a Breaker hangs on the caller's Cancellation and can also be tripped from inside; the
others then raise the first failure, not the broken socket that it left behind.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cyroid_images.model.cancellation import Cancellation


class Breaker:
    """A Cancellation that also trips by itself; used as a `with` block, it lets go at the end."""

    def __init__(self, outer: Cancellation) -> None:
        self._outer = outer
        self._lock = threading.Lock()
        self._cause: BaseException | None = None
        self._cuts: dict[int, Callable[[], None]] = {}
        self._number = 0
        self._undo: Callable[[], None] = lambda: None

    def __enter__(self) -> Self:
        self._undo = self._outer.attach(self._cut_all)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo()

    def trip(self, cause: BaseException) -> None:
        """Cut everything attached; whoever asks raises `cause`. The first one counts."""
        with self._lock:
            self._cause = self._cause or cause
        self._cut_all()

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call `cut` when tripped or cancelled, at once if that already happened."""
        with self._lock:
            self._number += 1
            number = self._number
            self._cuts[number] = cut
        if self.cause is not None:
            cut()
        return lambda: self._detach(number)

    def raise_if_cancelled(self) -> None:
        """Raise the outer cause first, then the one it was tripped with."""
        self._outer.raise_if_cancelled()
        if self._cause is not None:
            raise self._cause

    @property
    def cause(self) -> BaseException | None:
        """What `raise_if_cancelled` would raise, if anything."""
        try:
            self.raise_if_cancelled()
        except BaseException as exc:
            return exc
        return None

    def _cut_all(self) -> None:
        with self._lock:
            cuts = tuple(self._cuts.values())
        for cut in cuts:
            cut()

    def _detach(self, number: int) -> None:
        with self._lock:
            self._cuts.pop(number, None)
