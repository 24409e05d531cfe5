"""A moment after which a call's sockets are shut down, however slowly the other side drips.

A read time-out bounds one read only: a header that grows by a byte every nine seconds
would hold a worker thread for days. So a call gets a moment at which it is cut, in the
same way as a Cancellation does it; a stream postpones the moment while it moves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cyroid_images.errors import TransferError
from cyroid_images.model.cancellation import Cancellation


class Deadline:
    """A Cancellation that fires when the outer one does, or after `seconds`, with `late`."""

    def __init__(self, outer: Cancellation, seconds: float, late: TransferError) -> None:
        self._outer = outer
        self._late = late
        self._moment = time.monotonic() + seconds
        self._changed = threading.Condition()
        self._is_over = False
        self._has_passed = False
        self._cuts: list[Callable[[], None]] = []
        self._undos: list[Callable[[], None]] = []
        self._watch = threading.Thread(target=self._fire_in_time, daemon=True)

    def __enter__(self) -> Self:
        self._outer.raise_if_cancelled()
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify()
        self._watch.join()
        for undo in self._undos:
            undo()

    def postpone(self, seconds: float) -> None:
        """Fire in so many seconds from now instead."""
        with self._changed:
            earlier = time.monotonic() + seconds < self._moment
            self._moment = time.monotonic() + seconds
            if earlier:  # a later moment is found by whoever wakes at the old one
                self._changed.notify()

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Cut when the time is over or the outer Cancellation says so."""
        with self._changed:
            self._cuts.append(cut)
            is_late = self._has_passed
        if is_late:
            cut()
        undo = self._outer.attach(cut)
        self._undos.append(undo)
        return undo

    def raise_if_cancelled(self) -> None:
        """Raise the outer cause first, then `late` when the moment has passed."""
        self._outer.raise_if_cancelled()
        if self._has_passed:
            raise self._late

    def _fire_in_time(self) -> None:
        with self._changed:
            while not self._is_over and (left := self._moment - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._is_over:
                return
            self._has_passed = True
            cuts = tuple(self._cuts)
        for cut in cuts:
            cut()
