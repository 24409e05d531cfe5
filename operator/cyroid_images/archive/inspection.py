"""How far an archive that somebody brought is trusted while it is looked into.

What lies on the operator's volume was put there by its admin, so a look at it is lenient:
names that lead out are not there, and a stream may be as long as it is. What comes by an
upload is `Strict`: the first thing that nobody packs by accident ends the look, with
HostileArchive, and nothing of the archive is taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from cyroid_images.archive.contents import Contents, plain_name
from cyroid_images.archive.damage import MOST_DOCUMENTS, invalid
from cyroid_images.archive.tar import Member
from cyroid_images.errors import Reason, TransferError

LARGEST_UPLOADED_DOCUMENT = 2 * 1024 * 1024
"""Bytes of one list, manifest or config of an upload; as objects they take twenty times that."""
MOST_UPLOADED_DOCUMENTS = 16 * 1024 * 1024
"""Bytes of all of them together; 128 images as they are in use have 2 MB."""

_NONE: Mapping[str, bytes] = {}
_A_SNIFF = 64
"""Bytes: who reads no more looks what a file is."""


class HostileArchive(TransferError):
    """The archive does what no program that packs images does; not only a part is refused."""

    def __init__(self, archive: str, why: str) -> None:
        super().__init__(Reason.ARCHIVE_INVALID, invalid(archive, why).message)


class Inspection:
    """A lenient look; it also keeps what the bundle says of itself."""

    def __init__(self) -> None:
        self.documents: Mapping[str, bytes] = _NONE
        """What stands outside of image tars of the documents of a bundle (`bundle.DOCUMENTS`)."""
        self.is_bundle = False
        """It holds image tars."""
        self.most_documents = MOST_DOCUMENTS
        """Bytes of documents of one tar that are kept while it passes."""

    def unpacked(self, chunks: Iterable[bytes], archive: str) -> Iterator[bytes]:
        """The same bytes, which came out of a decoder."""
        del archive
        yield from chunks

    def contents(self, contents: Contents) -> Contents:
        """The same contents, whose documents are counted when they are read."""
        return contents

    def name(self, name: str, archive: str) -> None:
        """A member of this name is there."""

    def link(self, name: str, archive: str) -> None:
        """A member of this name is a link, outside of any image tar."""

    def member(self, member: Member, archive: str, *, is_bundle: bool) -> None:
        """A member of a tar; `is_bundle`: not of an image tar, which may hold links."""
        self.name(member.name, archive)
        if member.link is not None and is_bundle:
            self.link(member.name, archive)


class Strict(Inspection):
    """Refuses names that lead out, links where none belong, and what unpacks to too much."""

    def __init__(self, most_bytes: int) -> None:
        """`most_bytes`: what all decoders together may give."""
        super().__init__()
        self.most_documents = MOST_UPLOADED_DOCUMENTS
        self._most = most_bytes
        self._seen = 0
        self._read = 0

    def unpacked(self, chunks: Iterable[bytes], archive: str) -> Iterator[bytes]:
        for chunk in chunks:
            self._seen += len(chunk)
            if self._seen > self._most:
                raise HostileArchive(
                    archive, f"it unpacks to more than {self._most} bytes, which no bundle does"
                )
            yield chunk

    def contents(self, contents: Contents) -> Contents:
        def read(name: str, most: int) -> bytes:
            if most > _A_SNIFF:
                size = contents.sizes[name]
                self._read += size
                if size > LARGEST_UPLOADED_DOCUMENT or self._read > MOST_UPLOADED_DOCUMENTS:
                    why = f"{name[:80]!a} makes its lists and configs larger than any are"
                    raise HostileArchive(contents.archive, why)
            return contents.read(name, most)

        return replace(contents, read=read)

    def name(self, name: str, archive: str) -> None:
        if name.rstrip("/") not in ("", ".") and plain_name(name) is None:
            raise HostileArchive(archive, f"it names {name[:80]!a}, which is outside of it")

    def link(self, name: str, archive: str) -> None:
        raise HostileArchive(archive, f"{name[:80]!a} is a link; a bundle holds files only")
