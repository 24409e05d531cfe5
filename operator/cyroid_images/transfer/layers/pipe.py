"""Bytes from the thread that reads to a thread that sends, never more than a few MiB.

The writer waits while the pipe is full and the reader while it is empty; either is woken at
once when the other one fails or the work is cut, so that no thread waits for a dead one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator

MOST_CHUNKS = 4
"""Chunks that wait at most; with CHUNK bytes each this bounds the memory of a layer."""
CHUNK = 512 * 1024
"""Bytes: big enough that threads rarely change turns, small enough to keep both busy."""


class Pipe:
    """One writer, one reader; the reader iterates over the chunks."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._is_finished = False
        self._has_reader = True
        self._failure: BaseException | None = None

    def put(self, chunk: bytes) -> None:
        """Hand over a chunk; waits while the pipe is full and raises what it was broken with."""
        with self._changed:
            self._changed.wait_for(self._takes_more)
            if self._failure is not None:
                raise self._failure
            if self._has_reader:
                self._chunks.append(chunk)
                self._changed.notify_all()

    def finish(self) -> None:
        """That was the last chunk."""
        with self._changed:
            self._is_finished = True
            self._changed.notify_all()

    def leave(self) -> None:
        """The reader is content without the rest: what is still put is dropped."""
        with self._changed:
            self._has_reader = False
            self._chunks.clear()
            self._changed.notify_all()

    def fail(self, failure: BaseException) -> None:
        """Break it: writer and reader raise this, the first failure counts."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._changed.wait_for(self._has_something)
                if self._failure is not None:
                    raise self._failure
                if not self._chunks:
                    return
                chunk = self._chunks.popleft()
                self._changed.notify_all()
            yield chunk

    def _takes_more(self) -> bool:
        return bool(self._failure) or not self._has_reader or len(self._chunks) < MOST_CHUNKS

    def _has_something(self) -> bool:
        return bool(self._failure or self._chunks or self._is_finished)


def batched(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in chunks of about CHUNK bytes: a stream off a socket comes in crumbs."""
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= CHUNK:
            yield b"".join(held) if len(held) > 1 else held[0]
            held, size = [], 0
    if held:
        yield b"".join(held)
