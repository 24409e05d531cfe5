"""CYROID bundles (v4): image tars inside a zip or a tar, read in place, never unpacked.

The image tars lie at `images/` (the program) or `docker-images/` (its design text). Their
file names are made from image names but cannot be read back, so they name nothing; of the
bundle's own `manifest.json` nothing is needed.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from cyroid_images.archive.contents import plain_name
from cyroid_images.archive.damage import MOST_IMAGES, MOST_MEMBERS, invalid
from cyroid_images.archive.window import CHUNK, SeekableWindow, Window

_IMAGE_TAR = re.compile(r"(?:docker-)?images/[^/]+\.tar(?:\.gz)?", re.ASCII)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What Python's zipfile unpacks in bounded memory."""
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
)
"""What zipfile raises for a zip that is damaged, encrypted or not its kind."""


def is_image_tar(name: str) -> bool:
    """Is this, in normal form, the place of an image tar in a bundle?"""
    return bool(_IMAGE_TAR.fullmatch(name))


def is_zip(head: bytes) -> bool:
    """Do these first bytes (four suffice) start a zip?"""
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


def inner_name(bundle: str, member: str) -> str:
    """How an image tar of a bundle is called: `lab.zip!images/kali.tar`."""
    return f"{bundle}!{member}"


class ZipBundle:
    """An open zip: its image tars by name; make one by `opened_zip`."""

    def __init__(self, window: Window, archive: zipfile.ZipFile) -> None:
        self._name = window.name
        self._archive = archive
        infos = archive.infolist()
        if len(infos) > MOST_MEMBERS:
            raise invalid(self._name, f"more than {MOST_MEMBERS} members")
        named = ((plain_name(info.filename), info) for info in infos if not info.is_dir())
        self._tars = {name: info for name, info in named if name and is_image_tar(name)}
        if len(self._tars) > MOST_IMAGES:
            raise invalid(self._name, f"more than {MOST_IMAGES} image tars")

    @property
    def image_tars(self) -> tuple[str, ...]:
        """The names of its image tars."""
        return tuple(self._tars)

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of one; raises ArchiveInvalid of that tar, also for a wrong checksum."""
        info = self._tars.get(name)
        shown = inner_name(self._name, name)
        if info is None:
            raise invalid(shown, "is no longer in the bundle")
        if info.compress_type not in _METHODS or info.flag_bits & 0x1:
            raise invalid(shown, "is encrypted, or compressed by another method than deflate")
        with _told(shown), self._archive.open(info) as member:
            while chunk := member.read(CHUNK):
                yield chunk


@contextmanager
def opened_zip(window: Window) -> Iterator[ZipBundle]:
    """A zip bundle; raises ArchiveInvalid for a zip that is cut or damaged."""
    with _told(window.name):
        archive = zipfile.ZipFile(SeekableWindow(window))
    with archive:
        yield ZipBundle(window, archive)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as exc:
        raise invalid(name, f"the zip is damaged: {exc}") from exc
