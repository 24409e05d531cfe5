"""How far a stream of ours is: the uncompressed bytes that have passed, of those in all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from cyroid_images.model.progress import Observer, Progress


class Meter:
    """Counts up, never back; a total that turns out too small grows with the count."""

    def __init__(self, observer: Observer, total: int) -> None:
        self._observer = observer
        self._total = total or None
        self._done = 0

    def counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same bytes, told to the observer as they pass."""
        for chunk in chunks:
            yield chunk
            self._done += len(chunk)
            if self._total is not None:
                self._total = max(self._total, self._done)
            self._tell()

    def finish(self) -> None:
        """Everything has passed: engines tell a size that is only about that of the bytes."""
        self._total = self._done
        self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(Exception):  # an observer never changes an outcome
            self._observer(Progress(self._done, self._total))
