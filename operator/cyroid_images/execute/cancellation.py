"""Stops blocking work from the event loop: the implementation of model's Cancellation."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cyroid_images.errors import Cancelled, CyroidError


class Canceller:
    """Thread safe; once cancelled it stays so, and cuts whatever is attached later at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cuts: dict[int, Callable[[], None]] = {}
        self._number = 0
        self._cause: CyroidError | None = None

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call `cut` when cancelled, at once if that already happened; returns the undo."""
        with self._lock:
            self._number += 1
            number = self._number
            if self._cause is None:
                self._cuts[number] = cut
                return lambda: self._detach(number)
        cut()
        return lambda: None

    def cancel(self, cause: CyroidError | None = None) -> None:
        """Cut everything attached; the work raises `cause`, or Cancelled without one."""
        with self._lock:
            if self._cause is not None:
                return
            self._cause = cause or Cancelled("no longer wanted")
            cuts = list(self._cuts.values())
            self._cuts.clear()
        for cut in cuts:
            cut()

    def raise_if_cancelled(self) -> None:
        if self._cause is not None:
            raise self._cause

    def _detach(self, number: int) -> None:
        with self._lock:
            self._cuts.pop(number, None)
