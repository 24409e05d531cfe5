"""The file that an upload becomes: hidden and locked while it is written, then under its name.

All of these calls block, and belong into a thread.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import logging
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path

from cyroid_images.archive.decoding import is_compressed
from cyroid_images.archive.layouts.bundle import is_zip
from cyroid_images.blueprints.refusal import Refusal, UploadRefused, too_large, volume_failed

_log = logging.getLogger(__name__)

WAITING = ".uploads"
"""Folder of the volume for what is not whole yet; sources look into nothing that is hidden."""
OLDEST_SECONDS = 86400.0
"""After so long without a write a hidden file is a leftover, locks or not."""
LONGEST_STEM = 80
"""Characters of a name that are kept."""

_USTAR = slice(257, 262)
_SUFFIX = re.compile(r"\.(zip|tar|tgz|tar\.gz|tar\.zst)$", re.IGNORECASE)


def file_name(name: str, sha256: str, suffix: str) -> str:
    """What an upload is called on the volume: readable, harmless, and another for other content."""
    last = re.split(r"[/\\]", name)[-1]
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", _SUFFIX.sub("", last)).strip("-._")
    return f"{stem[:LONGEST_STEM].strip('-._') or 'bundle'}-{sha256[:8]}{suffix}"


class UploadedFile:
    """The file that an upload becomes; written to by one thread at a time."""

    def __init__(self, descriptor: int, most_bytes: int) -> None:
        self._descriptor = descriptor
        self._most = most_bytes
        self._hash = hashlib.sha256()
        self.size = 0
        self.suffix = ""

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        if not self.size:
            self.suffix = _suffix_of(piece)
        self.size += len(piece)
        if self.size > self._most:
            raise too_large(self._most)
        self._hash.update(piece)
        view = memoryview(piece)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def finish(self) -> None:
        if not self.size:
            raise UploadRefused(Refusal.INVALID, "the upload is empty")
        os.fsync(self._descriptor)


def _suffix_of(head: bytes) -> str:
    """By what the file is; raises UploadRefused for what is no archive, before the rest comes."""
    if is_zip(head):
        return ".zip"
    if is_compressed(head):
        return ".tar.zst" if head[:2] == b"\x28\xb5" else ".tar.gz"
    if head[_USTAR] == b"ustar":
        return ".tar"
    why = "the upload is neither a zip nor a tar, compressed or not"
    raise UploadRefused(Refusal.INVALID, why)


def begin(volume: Path) -> tuple[int, Path]:
    """A new hidden file, locked for as long as it is open."""
    try:
        folder = volume / WAITING
        folder.mkdir(exist_ok=True)
        while True:
            path = folder / f"{secrets.token_hex(8)}.part"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o644)
            with suppress(OSError):  # a volume without locks: leftovers there are told by their age
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(descriptor).st_nlink:
                return descriptor, path
            os.close(descriptor)  # somebody took it for a leftover before it was locked
    except OSError as exc:
        raise volume_failed(exc) from exc


def end(descriptor: int, path: Path) -> None:
    """Also where it was renamed: then there is nothing left to remove."""
    with suppress(OSError):
        path.unlink()
    os.close(descriptor)


def rename(path: Path, volume: Path, target: Path) -> None:
    """By one step, and both folders on the disk: a power cut leaves it whole or not there."""
    folder = (volume / target).parent
    if not folder.resolve().is_relative_to(volume.resolve()):
        raise OSError(errno.EXDEV, "the folder is outside of the archive volume")
    folder.mkdir(parents=True, exist_ok=True)
    path.rename(volume / target)
    for each in (folder, folder.parent):
        descriptor = os.open(each, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(volume: Path) -> int:
    """Remove what uploads left that were killed, however many they are; returns how many."""
    removed = 0
    with suppress(OSError):
        for path in (volume / WAITING).iterdir():
            removed += _remove_unlocked(path)
    return removed


def _remove_unlocked(path: Path) -> bool:
    """Remove a leftover; False where somebody still writes to it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        if not _is_left(descriptor):
            return False
        path.unlink()
    except OSError:
        return False
    finally:
        os.close(descriptor)
    _log.info("removed what an upload left that did not end: %s", path.name)
    return True


def _is_left(descriptor: int) -> bool:
    """Nobody holds its lock; on a volume without locks: it is older than any upload gets."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return os.fstat(descriptor).st_mtime < time.time() - OLDEST_SECONDS
    return True
