"""A stretch of an open file of the archive volume, read by offset; nothing else is opened.

The stretch is the whole file, or a tar that stands uncompressed inside another. What stands
in it (a tar, a zip, gzip) is decided elsewhere.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cyroid_images.archive.damage import LARGEST_DOCUMENT, invalid
from cyroid_images.errors import Reason, TransferError
from cyroid_images.scheduling.cancel_scope import CancelScope

CHUNK = 256 * 1024
"""Bytes read at once: large enough for a network volume, small enough for many readers."""


@dataclass(frozen=True, slots=True)
class Window:
    """`size` bytes from `start` of an open file; `name` is the archive's, for messages.

    Reads take their own offset, so parts of one window may be read in any order.
    """

    name: str
    descriptor: int
    start: int
    size: int
    cancellation: CancelScope

    def read(self, at: int, length: int) -> bytes:
        """At most `length` bytes from `at`; fewer where the window or the file ends.

        Raises TransferError(SourceUnreachable) when the volume gives none.
        """
        self.cancellation.raise_if_cancelled()
        wanted = max(0, min(length, self.size - at))
        try:
            return os.pread(self.descriptor, wanted, self.start + at)
        except (OSError, OverflowError) as exc:
            raise _unreadable(self.name, exc) from exc

    def chunks(self) -> Iterator[bytes]:
        """Every byte in order; ends early where the file was cut meanwhile."""
        at = 0
        while chunk := self.read(at, CHUNK):
            yield chunk
            at += len(chunk)

    def part(self, at: int, size: int) -> Window:
        """The `size` bytes from `at`, or what there is of them."""
        return replace(self, start=self.start + at, size=max(0, min(size, self.size - at)))

    def named(self, name: str) -> Window:
        """The same bytes under another archive's name."""
        return replace(self, name=name)


@contextmanager
def opened(path: Path, name: str, cancellation: CancelScope) -> Iterator[Window]:
    """A regular file as a window; links are not followed and a pipe never blocks.

    Raises TransferError: ArchiveMissing, ArchiveInvalid for what is no file, and
    SourceUnreachable for a volume that does not let us: that is no damage.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as exc:
        raise TransferError(Reason.ARCHIVE_MISSING, f"archive {name}: no such file") from exc
    except OSError as exc:
        raise _unreadable(name, exc) from exc
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise invalid(name, "is not a regular file")
        yield Window(name, descriptor, 0, about.st_size, cancellation)
    finally:
        os.close(descriptor)


def _unreadable(name: str, error: Exception) -> TransferError:
    return TransferError(Reason.SOURCE_UNREACHABLE, f"archive {name}: cannot be read: {error}")


class SeekableWindow(io.RawIOBase):
    """A window as the file that `tarfile` and `zipfile` ask for.

    Both read what a header says in one go, so a read of more than a document may have is
    refused: a header cannot make us take memory.
    """

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origins = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._window.size}
        if (at := origins[whence] + offset) < 0:
            raise OSError("seek before the start")
        self._at = at
        return at

    def read(self, size: int = -1) -> bytes:
        wanted = self._window.size - self._at if size < 0 else size
        if wanted > LARGEST_DOCUMENT:
            raise invalid(self._window.name, f"a header or list of {wanted} bytes is too large")
        content = self._window.read(self._at, wanted)
        self._at += len(content)
        return content
