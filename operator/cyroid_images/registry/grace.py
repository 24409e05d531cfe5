"""A cut that comes a moment later: time for a body to be ended as it should.

An upload whose connection is cut in mid-body leaves its bytes on the registry's disk and
cannot be taken back (see `upload.py`). So whoever writes the body is told at once, and the
socket is shut down only if that did not help.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cyroid_images.model.cancellation import Cancellation


class Grace:
    """The same cancellation, with its cuts this much later; none comes after the `with`.

    Until then nothing is raised either: an answer that came in time is used.
    """

    def __init__(self, above: Cancellation, seconds: float) -> None:
        self._above = above
        self._seconds = seconds
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []
        self._is_over = False
        self._has_cut = False

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        return self._above.attach(lambda: self._later(cut))

    def raise_if_cancelled(self) -> None:
        if self._has_cut:
            self._above.raise_if_cancelled()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._is_over = True
            for timer in self._timers:
                timer.cancel()

    def _later(self, cut: Callable[[], None]) -> None:
        with self._lock:
            if self._is_over:
                return
            timer = threading.Timer(self._seconds, self._now, [cut])
            timer.daemon = True
            self._timers.append(timer)
            timer.start()

    def _now(self, cut: Callable[[], None]) -> None:
        self._has_cut = True
        cut()
