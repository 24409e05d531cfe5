"""The archive volume as a tree of files: what a path means, and that it leads nowhere else.

Links are followed only within the volume (Kubernetes itself mounts by links); pipes, sockets
and devices are never opened. What is in the files is for `scanning`.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cyroid_images.archive.damage import invalid
from cyroid_images.archive.layouts.oci_layout import INDEX, MARK
from cyroid_images.errors import Reason, TransferError
from cyroid_images.scheduling.cancel_scope import CancelScope

MOST_ENTRIES = 10_000
"""Files and folders looked at below one path."""
DEEPEST = 8
"""Folders within folders."""

_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip")


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder of the volume; equal stamps mean: not changed since."""

    name: str
    """Relative to the volume, as people write it."""
    path: Path
    """Where it really is, links resolved."""
    is_folder: bool
    size: int
    stamp: tuple[int, ...]

    @property
    def calls_itself_archive(self) -> bool:
        """Does its name say archive? Then a content that is none is damage."""
        return self.name.lower().endswith(_SUFFIXES)

    @property
    def is_layout(self) -> bool:
        """A folder that is an OCI layout is one archive, not a folder of archives."""
        return self.is_folder and (self.path / MARK).is_file() and (self.path / INDEX).is_file()


@dataclass(frozen=True, slots=True)
class Astray:
    """An entry of a folder that cannot be looked at, and why."""

    name: str
    error: TransferError


class Volume:
    """Everything below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def place(self, name: str) -> Place:
        """The file or folder of that name; raises TransferError(ArchiveMissing).

        What leads out of the volume is missing too; a pipe, socket or device is ArchiveInvalid.
        """
        plain = posixpath.normpath(name or ".")
        try:
            root = self._root.resolve(strict=True)
            path = (root / plain).resolve(strict=True)
            about = path.stat()
        except (OSError, ValueError, RuntimeError) as exc:
            raise _missing(name, "no such file or folder in the archive volume") from exc
        if plain.startswith(("/", "../")) or plain == ".." or not path.is_relative_to(root):
            raise _missing(name, "points outside the archive volume")
        if not (stat.S_ISREG(about.st_mode) or stat.S_ISDIR(about.st_mode)):
            raise invalid(name, "is not a regular file")
        is_folder = stat.S_ISDIR(about.st_mode)
        return Place(
            plain, path, is_folder, about.st_size, _stamp(path, about, is_folder=is_folder)
        )

    def below(self, folder: Place, cancellation: CancelScope) -> Iterator[Place | Astray]:
        """Every file and OCI layout of a folder and its folders, by name.

        Hidden ones and what is no file are left out. Yields an Astray for a link that
        leads nowhere or out of the volume, and where there is more than anybody can look at.
        """
        left = [MOST_ENTRIES]
        yield from self._walk(folder, (folder.path,), left, cancellation)
        if left[0] <= 0:
            why = f"more than {MOST_ENTRIES} files below it; name a smaller folder"
            yield Astray(folder.name, invalid(folder.name, why))

    def _walk(
        self, folder: Place, above: tuple[Path, ...], left: list[int], cancellation: CancelScope
    ) -> Iterator[Place | Astray]:
        for entry in _names(folder):
            cancellation.raise_if_cancelled()
            left[0] -= 1
            if left[0] <= 0:
                return
            found = self._entry(posixpath.normpath(posixpath.join(folder.name, entry)))
            if not isinstance(found, Place):
                yield from () if found is None else (found,)
            elif not found.is_folder or found.is_layout:
                yield found
            elif found.path not in above and len(above) < DEEPEST:
                yield from self._walk(found, (*above, found.path), left, cancellation)

    def _entry(self, name: str) -> Place | Astray | None:
        """None for what is neither file nor folder."""
        try:
            return self.place(name)
        except TransferError as exc:
            if exc.reason is Reason.ARCHIVE_INVALID:
                return None
            why = "is a broken link or points outside the archive volume"
            return Astray(name, invalid(name, why))


def _names(folder: Place) -> list[str]:
    try:
        names = os.listdir(folder.path)  # noqa: PTH208 - names are all that is needed
    except OSError as exc:
        raise _missing(folder.name, f"cannot be listed: {exc.strerror}") from exc
    return sorted(name for name in names if not name.startswith(".") and name != "lost+found")


def _stamp(path: Path, about: os.stat_result, *, is_folder: bool) -> tuple[int, ...]:
    """Changes when a file changes; of a layout, when a blob comes or goes."""
    stamps = [about.st_ino, about.st_size, about.st_mtime_ns]
    if is_folder:
        for name in (INDEX, "manifest.json", "blobs", "blobs/sha256", "blobs/sha512"):
            try:
                inner = (path / name).stat()
            except OSError:
                continue
            stamps += (inner.st_ino, inner.st_size, inner.st_mtime_ns)
    return tuple(stamps)


def _missing(name: str, why: str) -> TransferError:
    return TransferError(Reason.ARCHIVE_MISSING, f"archive {name[:200]!a}: {why}")
