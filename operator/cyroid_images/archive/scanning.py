"""One look into one file: its images, whatever it is (tar, gzip, zstd, zip; bundle or not).

A bundle is a file whose image tars are archives of their own: each is told under its own
name and fails alone. Nothing is remembered here and no file is opened.
"""

from __future__ import annotations

from collections.abc import Iterator

from cyroid_images.archive.damage import MOST_IMAGES, fault, invalid, told
from cyroid_images.archive.decoding import decoded, is_compressed
from cyroid_images.archive.images import images_in
from cyroid_images.archive.indexing import Gathering, indexed
from cyroid_images.archive.layouts.bundle import inner_name, is_image_tar, is_zip, opened_zip
from cyroid_images.archive.tar import members
from cyroid_images.archive.window import Window
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.archive import ArchiveView
from cyroid_images.scheduling.cancel_scope import CancelScope

_USTAR = slice(257, 262)
"""Where a header of a tar says that it is one."""


def scanned(window: Window, *, may_be_bundle: bool = True) -> ArchiveView:
    """The images of a file; what is wrong with it or a part of it is a fault of the view.

    Raises TransferError for what is no damage (SourceUnreachable).
    """
    name, cancellation = window.name, window.cancellation
    try:
        with told(name, cancellation):
            head = window.read(0, 4)
            if is_zip(head) and may_be_bundle:
                return _zip(window)
            if is_compressed(head):
                chunks = decoded(window.chunks(), name)
                return _stream(chunks, name, cancellation, may_be_bundle=may_be_bundle)
            return _plain(window, may_be_bundle=may_be_bundle)
    except TransferError as exc:
        return _faulty(name, exc, cancellation)


def looks_like_archive(window: Window) -> bool:
    """Is the file a zip or, compressed or not, a tar by its first bytes?"""
    head = window.read(0, 512)
    if is_compressed(head):
        try:
            head = next(decoded(window.chunks(), window.name), b"")
        except TransferError:
            window.cancellation.raise_if_cancelled()
            return False
    return is_zip(head) or head[_USTAR] == b"ustar"


def merged(views: list[ArchiveView]) -> ArchiveView:
    """Several views as one."""
    faults = {name: fault for view in views for name, fault in view.faults.items()}
    return ArchiveView(tuple(image for view in views for image in view.images), faults)


def _plain(window: Window, *, may_be_bundle: bool) -> ArchiveView:
    index = indexed(window)
    tars = [name for name in index.parts if may_be_bundle and is_image_tar(name)]
    if not tars:
        return images_in(index.contents())
    _check_count(len(tars), window.name)
    inner = (index.parts[name].named(inner_name(window.name, name)) for name in tars)
    return merged([scanned(part, may_be_bundle=False) for part in inner])


def _stream(
    chunks: Iterator[bytes], name: str, cancellation: CancelScope, *, may_be_bundle: bool = True
) -> ArchiveView:
    """One pass over a tar; a bundle's image tars are scanned as they come by."""
    gathering, inner = Gathering(name), list[ArchiveView]()
    for member, content in members(chunks, "the tar"):
        if (file := gathering.enter(member)) is None:
            continue
        if may_be_bundle and is_image_tar(file):
            inner.append(_inner(content, inner_name(name, file), cancellation))
            _check_count(len(inner), name)
        else:
            gathering.keep(file, content)
    return merged(inner) if inner else images_in(gathering.contents())


def _inner(content: Iterator[bytes], name: str, cancellation: CancelScope) -> ArchiveView:
    """An image tar within a stream; what breaks the stream itself is raised on."""
    outer = _Outer(content)
    try:
        with told(name, cancellation):
            chunks = decoded(outer, name)
            return _stream(chunks, name, cancellation, may_be_bundle=False)
    except TransferError as exc:
        if outer.failure is not None:
            raise outer.failure from exc
        return _faulty(name, exc, cancellation)


class _Outer:
    """Content of a stream that remembers whether the stream itself failed under it."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.failure: TransferError | None = None

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._chunks
        except TransferError as exc:
            self.failure = exc
            raise


def _zip(window: Window) -> ArchiveView:
    with opened_zip(window) as bundle:
        if not bundle.image_tars:
            raise invalid(window.name, "the zip holds no image tars (images/*.tar)")
        return merged([_zipped(bundle.chunks(tar), window, tar) for tar in bundle.image_tars])


def _zipped(chunks: Iterator[bytes], window: Window, tar: str) -> ArchiveView:
    name = inner_name(window.name, tar)
    try:
        with told(name, window.cancellation):
            inner = decoded(chunks, name)
            return _stream(inner, name, window.cancellation, may_be_bundle=False)
    except TransferError as exc:
        return _faulty(name, exc, window.cancellation)


def _faulty(name: str, error: TransferError, cancellation: CancelScope) -> ArchiveView:
    """Damage becomes a fault; anything else (the volume does not answer) is raised on."""
    cancellation.raise_if_cancelled()
    if error.reason is not Reason.ARCHIVE_INVALID:
        raise error
    return ArchiveView(faults={name: fault(name, error)})


def _check_count(tars: int, name: str) -> None:
    if tars > MOST_IMAGES:
        raise invalid(name, f"more than {MOST_IMAGES} image tars")
