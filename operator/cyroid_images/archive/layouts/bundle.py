"""CYROID bundles (v4): image tars inside a zip or a tar, read in place, never unpacked.

The image tars lie at `images/` (the program) or `docker-images/` (its design text). Their
file names are made from image names but cannot be read back, so they name nothing: the
RepoTags inside do. Where the bundle's own `manifest.json` lists its images
(`docker_images`), only names of that list are taken: a tar that brings more would let who
made the bundle replace images that nobody asked him for.
"""

from __future__ import annotations

import json
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from cyroid_images.archive.contents import Contents, plain_name
from cyroid_images.archive.damage import LARGEST_DOCUMENT, MOST_IMAGES, MOST_MEMBERS, invalid
from cyroid_images.archive.inspection import Inspection
from cyroid_images.archive.layouts.docker_save import names_in
from cyroid_images.archive.window import CHUNK, SeekableWindow, Window
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.images.reference import Reference

MANIFEST = "manifest.json"
DOCUMENTS = (MANIFEST, "blueprint.json", "range.json")
"""What a bundle says of itself (of version 2: `range.json`)."""

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


def documents_of(contents: Contents) -> Mapping[str, bytes]:
    """The documents of a bundle that is a tar; raises ArchiveInvalid for a list that is too large.

    A blueprint that is (it holds files, too) is not there: no image depends on it.
    """
    small = (name for name in DOCUMENTS if _is_wanted(name, contents.sizes.get(name, 0)))
    found = ((name, contents.document(name)) for name in small)
    return {name: content for name, content in found if content is not None}


def _is_wanted(name: str, size: int) -> bool:
    return name == MANIFEST or size <= LARGEST_DOCUMENT


def declared_names(bundle: str, documents: Mapping[str, bytes]) -> frozenset[Reference] | None:
    """The images that a bundle says it holds; None where it has no list of them.

    Raises ArchiveInvalid for a manifest that cannot be read: what it declares is not known.
    """
    try:
        manifest = json.loads(documents.get(MANIFEST, b"{}"))
    except (ValueError, RecursionError) as exc:
        raise invalid(bundle, f"its {MANIFEST} is not JSON: {exc}") from exc
    listed = manifest.get("docker_images") if isinstance(manifest, dict) else None
    return names_in(listed) if isinstance(listed, list) else None


def only_declared(view: ArchiveView, declared: frozenset[Reference] | None) -> ArchiveView:
    """The view with names of that list only; others are told apart, and nobody can ask for them."""
    if declared is None:
        return view
    spellings = {one_spelling(name) for name in declared}
    images = []
    for image in view.images:
        taken = frozenset(name for name in image.names if one_spelling(name) in spellings)
        images.append(replace(image, names=taken, undeclared=image.names - taken))
    return replace(view, images=tuple(images))


def one_spelling(name: Reference) -> Reference:
    """Lists of one program say `localhost:5000` where its tars say `127.0.0.1:5000`."""
    host, colon, port = name.host.partition(":")
    return name.at(f"127.0.0.1{colon}{port}") if host == "localhost" else name


class ZipBundle:
    """An open zip: its image tars by name; make one by `opened_zip`."""

    def __init__(self, window: Window, archive: zipfile.ZipFile, inspection: Inspection) -> None:
        self._name = window.name
        self._archive = archive
        infos = archive.infolist()
        if len(infos) > MOST_MEMBERS:
            raise invalid(self._name, f"more than {MOST_MEMBERS} members")
        for info in infos:
            inspection.name(info.filename, self._name)
            if stat.S_ISLNK(info.external_attr >> 16):
                inspection.link(info.filename, self._name)
        named = ((plain_name(info.filename), info) for info in infos if not info.is_dir())
        self._members = {name: info for name, info in named if name}
        self._tars = [name for name in self._members if is_image_tar(name)]
        if len(self._tars) > MOST_IMAGES:
            raise invalid(self._name, f"more than {MOST_IMAGES} image tars")

    @property
    def image_tars(self) -> tuple[str, ...]:
        """The names of its image tars."""
        return tuple(self._tars)

    def documents(self) -> Mapping[str, bytes]:
        """What it says of itself; raises ArchiveInvalid for a document that is too large."""
        found: dict[str, bytes] = {}
        for name in DOCUMENTS:
            info = self._members.get(name)
            if info is None or not _is_wanted(name, info.file_size):
                continue
            if info.file_size > LARGEST_DOCUMENT:
                raise invalid(self._name, f"{name} has more than {LARGEST_DOCUMENT} bytes")
            found[name] = b"".join(self.chunks(name))
        return found

    def chunks(self, name: str) -> Iterator[bytes]:
        """The bytes of one member; raises ArchiveInvalid of it, also for a wrong checksum."""
        info = self._members.get(name)
        shown = inner_name(self._name, name)
        if info is None:
            raise invalid(shown, "is no longer in the bundle")
        if info.compress_type not in _METHODS or info.flag_bits & 0x1:
            raise invalid(shown, "is encrypted, or compressed by another method than deflate")
        with _told(shown), self._archive.open(info) as member:
            while chunk := member.read(CHUNK):
                yield chunk


@contextmanager
def opened_zip(window: Window, inspection: Inspection | None = None) -> Iterator[ZipBundle]:
    """A zip bundle; raises ArchiveInvalid for a zip that is cut or damaged."""
    with _told(window.name):
        archive = zipfile.ZipFile(SeekableWindow(window))
    with archive:
        yield ZipBundle(window, archive, inspection or Inspection())


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as exc:
        raise invalid(name, f"the zip is damaged: {exc}") from exc
