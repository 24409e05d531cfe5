"""From the bytes of a tar to its contents: by offset, or as a stream that passes once.

A tar that stands uncompressed in a file is never read whole: its headers are, and whatever
document is asked for. Of a stream, what may be a document (short, and it begins as JSON
does) is kept, of everything else only the first bytes. What the contents mean is for
`images`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cyroid_images.archive.contents import Contents, plain_name
from cyroid_images.archive.damage import LARGEST_DOCUMENT, MOST_DOCUMENTS, MOST_MEMBERS, invalid
from cyroid_images.archive.tar import Member, Walk
from cyroid_images.archive.window import Window

_BLOCK = 512
_UNREAD = bytes(1024 * 1024)
"""What the walker is shown in place of content that is not read: it only counts it."""
_HEAD = 8
"""First bytes that are kept of every file: they tell whether it is compressed."""


@dataclass(frozen=True, slots=True)
class TarIndex:
    """Where the files of an uncompressed tar are; names are in normal form."""

    archive: str
    parts: Mapping[str, Window]
    links: Mapping[str, str]

    def contents(self) -> Contents:
        """What can be known of it without reading on."""
        sizes = {name: part.size for name, part in self.parts.items()}
        return Contents(
            self.archive, sizes, self.links, lambda name, most: self.parts[name].read(0, most)
        )


def _anything(member: Member, archive: str) -> None:
    del member, archive


def indexed(window: Window, check: Callable[[Member, str], None] = _anything) -> TarIndex:
    """Read all headers of a tar and seek over what lies between; `check` may refuse a member.

    Raises TransferError as the walker of tars does, ArchiveInvalid for too many members.
    """
    gathering = Gathering(window.name)
    parts: dict[str, Window] = {}
    for member, at in _headers(window):
        check(member, window.name)
        if name := gathering.enter(member):
            parts[name] = window.part(at, member.size)
    return TarIndex(window.name, parts, gathering.links)


def _headers(window: Window) -> Iterator[tuple[Member, int]]:
    """Each member, and where its content starts."""
    walk, at = Walk("the tar"), 0
    while any(block := window.read(at, _BLOCK)):
        at += len(block)
        for member in [event for event in walk.see(block) if isinstance(event, Member)]:
            if at + member.size > window.size:
                raise invalid(window.name, f"the tar is truncated in {member.name}")
            yield member, at
            stored = member.size + -member.size % _BLOCK
            _pass_over(walk, stored)
            at += stored
    for _ in walk.see(block):
        pass
    walk.end()


def _pass_over(walk: Walk, size: int) -> None:
    for length in (*[len(_UNREAD)] * (size // len(_UNREAD)), size % len(_UNREAD)):
        for _ in walk.see(_UNREAD if length == len(_UNREAD) else _UNREAD[:length]):
            pass


@dataclass(slots=True)
class Gathering:
    """What a walk over members leaves behind; the first of two equal names counts."""

    archive: str
    most_documents: int = MOST_DOCUMENTS
    """Bytes of documents that are kept."""
    sizes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    _kept: dict[str, bytes] = field(default_factory=dict)
    _members: int = 0
    _bytes: int = 0

    def enter(self, member: Member) -> str | None:
        """Note a member; returns its normal name if it is a file not seen before."""
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise invalid(self.archive, f"more than {MOST_MEMBERS} members")
        name = plain_name(member.name)
        if name is None or name in self.sizes or name in self.links:
            return None
        if member.link is not None:
            self.links[name] = member.link
        elif member.is_file:
            self.sizes[name] = member.size
            return name
        return None

    def keep(self, name: str, content: Iterator[bytes]) -> None:
        """Keep of a file that passes what its contents may be asked for."""
        start = b""
        for chunk in content:
            start += chunk
            if len(start) >= _HEAD:
                break
        may_be_document = self.sizes[name] <= LARGEST_DOCUMENT
        if may_be_document and start.lstrip()[:1] in (b"{", b"["):
            start = b"".join((start, *content))
            self._bytes += len(start)
            if self._bytes > self.most_documents:
                raise invalid(self.archive, f"more than {self.most_documents} bytes of documents")
            self._kept[name] = start
        else:
            self._kept[name] = start[:_HEAD]

    def contents(self) -> Contents:
        """What is known of it now that it has passed."""
        return Contents(
            self.archive, self.sizes, self.links, lambda name, most: self._kept[name][:most]
        )
