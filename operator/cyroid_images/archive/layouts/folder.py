"""An OCI layout that is a folder: the same contents as of a tar, each blob a file."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager

from cyroid_images.archive.contents import Contents
from cyroid_images.archive.damage import MOST_MEMBERS, invalid
from cyroid_images.archive.layouts.docker_save import LIST
from cyroid_images.archive.layouts.oci_layout import INDEX
from cyroid_images.archive.volume import Place, Volume
from cyroid_images.archive.window import Window, opened
from cyroid_images.errors import TransferError
from cyroid_images.scheduling.cancel_scope import CancelScope

_BLOBS = ("blobs/sha256", "blobs/sha512")


def folder_contents(volume: Volume, folder: Place, cancellation: CancelScope) -> Contents:
    """What lies in it; a blob that is a link out of the volume, or no file, is not there."""
    sizes: dict[str, int] = {}
    for name in _names(folder):
        cancellation.raise_if_cancelled()
        if len(sizes) >= MOST_MEMBERS:
            raise invalid(folder.name, f"more than {MOST_MEMBERS} blobs")
        try:
            place = volume.place(posixpath.join(folder.name, name))
        except TransferError:
            continue
        if not place.is_folder:
            sizes[name] = place.size

    def read(name: str, most: int) -> bytes:
        with opened_member(volume, folder.name, name, cancellation) as window:
            return window.read(0, most)

    return Contents(folder.name, sizes, {}, read)


@contextmanager
def opened_member(
    volume: Volume, folder: str, name: str, cancellation: CancelScope
) -> Iterator[Window]:
    """One file of such a folder; raises TransferError: ArchiveMissing, ArchiveInvalid."""
    place = volume.place(posixpath.join(folder, name))
    with opened(place.path, folder, cancellation) as window:
        yield window


def _names(folder: Place) -> Iterator[str]:
    yield from (INDEX, LIST)
    for blobs in _BLOBS:
        try:
            names = os.listdir(folder.path / blobs)  # noqa: PTH208 - names are all that is needed
        except OSError:
            continue
        yield from (f"{blobs}/{name}" for name in names)
