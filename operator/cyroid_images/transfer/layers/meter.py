"""How far a transfer of ours is: the bytes that have passed, of those in all."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator

from cyroid_images.model.telemetry.progress import Progress, ProgressObserver, furthest


class Meter:
    """Counts for several threads, never back; a total that turns out too small grows."""

    def __init__(self, observer: ProgressObserver, total: int) -> None:
        self._observer = observer
        self._lock = threading.Lock()
        self._reached = Progress(0, total or None)

    def counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, told to the observer as they pass."""
        for chunk in chunks:
            yield chunk
            self.add(len(chunk))

    def add(self, size: int) -> None:
        """So many bytes more are done; the observer is told one thing after the other."""
        with self._lock:
            done = self._reached.done + size
            self._tell(Progress(done, self._reached.total))

    def finish(self) -> None:
        """Everything has passed: engines tell a size that is only about that of the bytes."""
        with self._lock:
            self._tell(Progress(self._reached.done, self._reached.done))

    def _tell(self, progress: Progress) -> None:
        self._reached = furthest(self._reached, progress)
        with contextlib.suppress(Exception):  # an observer never changes an outcome
            self._observer(self._reached)
