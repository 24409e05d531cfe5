"""A tar as a stream: its members one after the other, and proof that it came to its end.

The one reader of tars that arrive in order and once, as `save` and a compressed archive
do. It seeks nowhere and holds nothing but headers; what a member means is for the caller.
An engine that fails in mid-save has sent 200 long ago: it writes its error as JSON where
the next header should stand and ends the body well (moby, `image_routes.go`), so whoever
reads to the end here learns of it. Source of the forms: POSIX ustar and pax (Go writes a
layer over 8 GiB with a pax record and 0 in its header), GNU base-256 sizes and long names.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cyroid_images.errors import Reason, TransferError

LARGEST_RECORD = 1024 * 1024
"""Bytes of an extended header: the bound of Go's archive/tar, by which engines read."""
LARGEST_MEMBER = 1 << 62
"""Bytes: more is a header that lies."""
MOST_WORDS = 4096
"""Bytes at the end of a stream that are searched for an engine's error."""

_ZEROS = bytes(tarfile.BLOCKSIZE)
_PAX = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_LONG = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}
_RECORDS = (*_PAX, tarfile.XGLTYPE, *_LONG)
_LINKS = (tarfile.SYMTYPE, tarfile.LNKTYPE)
_KNOWN = ("path", "linkpath", "size")


@dataclass(frozen=True, slots=True)
class Member:
    """One member: what its header and the records before it say."""

    name: str
    """Without a leading `./`; bytes that are no UTF-8 are replaced."""
    size: int
    """Bytes of content that follow."""
    link: str | None
    """The target of a symbolic or hard link, as it is written."""
    is_file: bool


def members(
    chunks: Iterable[bytes], what: str = "save"
) -> Iterator[tuple[Member, Iterator[bytes]]]:
    """Each member with its content, which is good until the next member is asked for.

    Content that nobody reads is skipped; `chunks` is read to its end. Raises TransferError:
    TransferInterrupted with the engine's own words for an error in the stream, and for a
    tar that breaks off; ProtocolError for what never was a tar. `what` begins the message.
    """
    found = _events(chunks, Walk(what))
    for event in found:
        if isinstance(event, Member):  # content is read or skipped right below
            content = _content(event, found)
            yield event, content
            for _ in content:
                pass


def _content(member: Member, found: Iterator[Member | bytes]) -> Iterator[bytes]:
    left = member.size
    while left:
        piece = next(found)  # raises where the tar breaks off, so it never just ends
        if isinstance(piece, bytes):
            left -= len(piece)
            yield piece


def _events(chunks: Iterable[bytes], walk: Walk) -> Iterator[Member | bytes]:
    for chunk in chunks:
        for event in walk.see(chunk):
            yield chunk[event] if isinstance(event, slice) else event
    walk.end()


class Walk:
    """Follows a tar that somebody else hands on; holds headers, never content."""

    def __init__(self, what: str = "save") -> None:
        self._what = what
        self._members = 0
        self._content = 0  # bytes left of the member that passes by
        self._padding = 0  # bytes left up to the next block
        self._record = b""  # the type of the extended header that is gathered, if one is
        self._missing = tarfile.BLOCKSIZE  # bytes until header or record are whole
        self._gathered = bytearray()
        self._everywhere: dict[str, str] = {}
        self._next: dict[str, str] = {}
        self._tail = b""
        self._is_over = False

    def see(self, chunk: bytes) -> Iterator[Member | slice]:
        """The next bytes: members that begin in them, and which part of them is content."""
        self._tail = chunk or self._tail
        at = 0
        while at < len(chunk) and not self._is_over:
            here = len(chunk) - at
            if self._content:
                step = min(self._content, here)
                self._content -= step
                yield slice(at, at + step)
            elif self._padding and not self._record:
                step = min(self._padding, here)
                self._padding -= step
            else:
                step = min(self._missing, here)
                self._missing -= step
                self._gathered += chunk[at : at + step]
                if not self._missing and (member := self._read()):
                    yield member
            at += step

    def end(self) -> None:
        """The stream is over; raises TransferError when the tar was not."""
        if self._is_over:
            return
        if self._gathered and not self._record:
            raise self._odd(bytes(self._gathered))
        told = self._tail[-MOST_WORDS:]
        error = told.rfind(b'{"errorDetail"')
        if error >= 0:
            raise self._odd(told[error:])
        raise self._interrupted(
            f"the tar ends after {self._members} members without its end blocks"
        )

    def _read(self) -> Member | None:
        """What was gathered is whole: a record for the next member, or a header."""
        whole = bytes(self._gathered)
        self._gathered.clear()
        self._missing = tarfile.BLOCKSIZE
        if not self._record:
            return self._read_header(whole)
        if self._record in _LONG:
            text = whole.partition(b"\0")[0].decode("utf-8", "replace")
            self._next[_LONG[self._record]] = text
        elif self._record in _PAX:
            self._next |= self._pax(whole)
        else:
            self._everywhere |= self._pax(whole)
        self._record = b""
        return None

    def _read_header(self, header: bytes) -> Member | None:
        if header == _ZEROS:
            self._is_over = True
            return None
        try:
            info = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
        except tarfile.HeaderError as exc:
            raise self._odd(header) from exc
        if info.type in _RECORDS:
            self._expect(info)
            return None
        self._members += 1
        told = {**self._everywhere, **self._next}
        self._next = {}
        has_content = info.isreg() or info.type not in tarfile.SUPPORTED_TYPES
        size = self._size(told.get("size", info.size)) if has_content else 0
        self._content, self._padding = size, -size % tarfile.BLOCKSIZE
        name = told.get("path", info.name).rstrip("/")
        link = told.get("linkpath", info.linkname) if info.type in _LINKS else None
        return Member(name.removeprefix("./"), size, link, info.isreg())

    def _expect(self, info: tarfile.TarInfo) -> None:
        """An extended header follows; an empty one says nothing."""
        size = self._size(info.size)
        if size > LARGEST_RECORD:
            raise self._malformed(f"extended header of {size} bytes is too large")
        self._padding = -size % tarfile.BLOCKSIZE
        if size:
            self._record, self._missing = info.type, size

    def _pax(self, records: bytes) -> dict[str, str]:
        """What is of use of records such as `30 size=8589934592`, newline at the end."""
        told: dict[str, str] = {}
        while records.rstrip(b"\0"):
            length, _, _ = records.partition(b" ")
            if not length.isdigit() or not len(length) < int(length[:9]) <= len(records):
                raise self._malformed("extended header is malformed")
            record, records = records[: int(length)], records[int(length) :]
            key, equals, value = record[len(length) + 1 :].partition(b"=")
            if not equals or not value.endswith(b"\n"):
                raise self._malformed("extended header is malformed")
            if (name := key.decode("utf-8", "replace")) in _KNOWN:
                told[name] = value[:-1].decode("utf-8", "replace")
        return told

    def _size(self, told: str | int) -> int:
        """A size as the header or a pax record tells it."""
        is_number = isinstance(told, int) or (told.isascii() and told.isdigit() and len(told) < 20)
        size = int(told) if is_number else -1
        if not 0 <= size <= LARGEST_MEMBER:
            raise self._malformed("header has an invalid size")
        return size

    def _odd(self, found: bytes) -> TransferError:
        """What stands where a header should: an engine's error, or no tar at all."""
        words = found.rstrip(b"\0").decode("utf-8", "replace").strip()
        if words.startswith("{"):
            return self._interrupted(_message(words))
        if self._members:
            return self._interrupted(f"the tar is truncated after {self._members} members")
        return TransferError(Reason.PROTOCOL_ERROR, f"{self._what}: not a tar")

    def _interrupted(self, why: str) -> TransferError:
        return TransferError(Reason.TRANSFER_INTERRUPTED, f"{self._what}: {why}")

    def _malformed(self, found: str) -> TransferError:
        cause = f"{self._what}: {found} (after {self._members} members)"
        return TransferError(Reason.PROTOCOL_ERROR, cause)


def _message(words: str) -> str:
    """The engine's sentence out of its JSON, if that is whole."""
    try:
        document = json.loads(words.splitlines()[0])
        return str(document.get("message") or document.get("error") or words)[:256]
    except (ValueError, AttributeError):
        return words[:256]
