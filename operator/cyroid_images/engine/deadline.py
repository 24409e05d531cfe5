"""A short call ends in time even when the other side drips its answer byte by byte.

A read time-out bounds one read only: a header that grows by a byte every nine seconds
would hold a worker thread for days. So the whole call gets one moment at which its
sockets are shut down, in the same way as a Cancellation does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.cancellation import Cancellation


class Deadline:
    """A Cancellation that fires when the outer one does, or after `seconds`."""

    def __init__(self, outer: Cancellation, seconds: float) -> None:
        self._outer = outer
        self._seconds = seconds
        self._lock = threading.Lock()
        self._cuts: list[Callable[[], None]] = []
        self._undos: list[Callable[[], None]] = []
        self._passed = False
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._outer.raise_if_cancelled()
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        for undo in self._undos:
            undo()

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Cut when the time is over or the outer Cancellation says so."""
        with self._lock:
            self._cuts.append(cut)
            late = self._passed
        if late:
            cut()
        undo = self._outer.attach(cut)
        self._undos.append(undo)
        return undo

    def raise_if_cancelled(self) -> None:
        """Raise the outer cause first; a passed deadline means that the engine hangs."""
        self._outer.raise_if_cancelled()
        if self._passed:
            raise TransferError(
                Reason.ENGINE_UNREACHABLE, f"the engine gave no answer within {self._seconds:g} s"
            )

    def _fire(self) -> None:
        with self._lock:
            self._passed = True
            cuts = tuple(self._cuts)
        for cut in cuts:
            cut()
