"""One look into one file: its images, whatever it is (tar, gzip, zstd, zip; bundle or not).

A bundle is a file whose image tars are archives of their own: each is told under its own
name and fails alone. Nothing is remembered here and no file is opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from cyroid_images.archive.damage import MOST_IMAGES, fault, invalid, told
from cyroid_images.archive.decoding import decoded, is_compressed
from cyroid_images.archive.images import images_in
from cyroid_images.archive.indexing import Gathering, indexed
from cyroid_images.archive.inspection import HostileArchive, Inspection
from cyroid_images.archive.layouts.bundle import (
    declared_names,
    documents_of,
    inner_name,
    is_image_tar,
    is_zip,
    only_declared,
    opened_zip,
)
from cyroid_images.archive.tar import Member, members
from cyroid_images.archive.window import Window
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.archive import ArchiveView

_USTAR = slice(257, 262)
"""Where a header of a tar says that it is one."""


def scanned(window: Window, inspection: Inspection | None = None) -> ArchiveView:
    """The images of a file; what is wrong with it or a part of it is a fault of the view.

    Of a bundle that lists its images only those names. Raises TransferError for what is no
    damage (SourceUnreachable), HostileArchive where the inspection is strict.
    """
    return _Scan(window, inspection or Inspection()).view()


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


@dataclass(frozen=True, slots=True)
class _Scan:
    """One file, or one image tar that stands uncompressed in it."""

    window: Window
    inspection: Inspection
    may_be_bundle: bool = True

    def view(self) -> ArchiveView:
        name, cancellation = self.window.name, self.window.cancellation
        try:
            with told(name, cancellation):
                head = self.window.read(0, 4)
                if is_zip(head) and self.may_be_bundle:
                    return self._zip()
                if is_compressed(head):
                    return self._stream(
                        self.window.chunks(), name, may_be_bundle=self.may_be_bundle
                    )
                return self._plain()
        except TransferError as exc:
            return self._faulty(name, exc)

    def _plain(self) -> ArchiveView:
        check = self._check(may_be_bundle=self.may_be_bundle)
        index = indexed(self.window, check)
        tars = [name for name in index.parts if self.may_be_bundle and is_image_tar(name)]
        if self.may_be_bundle:
            self.inspection.documents = documents_of(index.contents())
        if not tars:
            return images_in(self.inspection.contents(index.contents()))
        _check_count(len(tars), self.window.name)
        named = ((index.parts[tar], inner_name(self.window.name, tar)) for tar in tars)
        inner = (
            replace(self, window=part.named(name), may_be_bundle=False) for part, name in named
        )
        views = [scan.view() for scan in inner]
        return self._bundle(views)

    def _stream(self, chunks: Iterable[bytes], name: str, *, may_be_bundle: bool) -> ArchiveView:
        """One pass over a tar; a bundle's image tars are scanned as they come by."""
        gathering = Gathering(name, self.inspection.most_documents)
        inner = list[ArchiveView]()
        check = self._check(may_be_bundle=may_be_bundle)
        decoding = self.inspection.unpacked(decoded(chunks, name), name)
        for member, content in members(decoding, "the tar"):
            check(member, name)
            if (file := gathering.enter(member)) is None:
                continue
            if may_be_bundle and is_image_tar(file):
                inner.append(self._inner(content, inner_name(name, file)))
                _check_count(len(inner), name)
            else:
                gathering.keep(file, content)
        if may_be_bundle:
            self.inspection.documents = documents_of(gathering.contents())
        if inner:
            return self._bundle(inner)
        return images_in(self.inspection.contents(gathering.contents()))

    def _inner(self, content: Iterator[bytes], name: str) -> ArchiveView:
        """An image tar within a stream; what breaks the stream itself is raised on."""
        outer = _Outer(content)
        try:
            with told(name, self.window.cancellation):
                return self._stream(outer, name, may_be_bundle=False)
        except TransferError as exc:
            if outer.failure is not None:
                raise outer.failure from exc
            return self._faulty(name, exc)

    def _zip(self) -> ArchiveView:
        with opened_zip(self.window, self.inspection) as bundle:
            self.inspection.documents = bundle.documents()
            if not bundle.image_tars:
                raise invalid(self.window.name, "the zip holds no image tars (images/*.tar)")
            return self._bundle(
                [self._zipped(bundle.chunks(tar), tar) for tar in bundle.image_tars]
            )

    def _zipped(self, chunks: Iterator[bytes], tar: str) -> ArchiveView:
        name = inner_name(self.window.name, tar)
        try:
            with told(name, self.window.cancellation):
                return self._stream(chunks, name, may_be_bundle=False)
        except TransferError as exc:
            return self._faulty(name, exc)

    def _bundle(self, views: list[ArchiveView]) -> ArchiveView:
        self.inspection.is_bundle = True
        declared = declared_names(self.window.name, self.inspection.documents)
        return only_declared(merged(views), declared)

    def _check(self, *, may_be_bundle: bool) -> Callable[[Member, str], None]:
        return partial(self.inspection.member, is_bundle=may_be_bundle)

    def _faulty(self, name: str, error: TransferError) -> ArchiveView:
        """Damage becomes a fault; anything else (the volume does not answer) is raised on."""
        self.window.cancellation.raise_if_cancelled()
        if error.reason is not Reason.ARCHIVE_INVALID or isinstance(error, HostileArchive):
            raise error
        return ArchiveView(faults={name: fault(name, error)})


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


def _check_count(tars: int, name: str) -> None:
    if tars > MOST_IMAGES:
        raise invalid(name, f"more than {MOST_IMAGES} image tars")
