"""HTTP/1.1 as it stands on the wire, for who passes it on: heads, bodies, their framing.

Just enough for `proxy.py`: a message is read in pieces and written again in the framing it
came in, so that neither side sees that somebody stands between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

PIECE = 16 * 1024
"""Bytes of a body that are passed on at once: small, so that slowness is even."""


_TLS_HELLO = b"\x16"
"""What a TLS handshake begins with (RFC 8446, 5.1), and no request."""
NO_TLS = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request"
"""What a server without TLS says then, and what an engine wants to hear before it tries http."""


class SpeaksTLS(Exception):
    """Who made the connection takes us for a server with TLS."""


@dataclass(frozen=True, slots=True)
class Head:
    """A first line in its three parts, and header lines as they came."""

    first: tuple[str, str, str]
    lines: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """A header's text in lower case; empty where it is absent."""
        return self.headers.get(name, "").lower()

    @property
    def headers(self) -> dict[str, str]:
        """The headers as texts, names in lower case."""
        return {name.lower(): text for name, text in self.lines}

    def having(self, headers: Mapping[str, str]) -> Head:
        """The same with these headers in place of those of that name."""
        names = {name.lower() for name in headers}
        kept = tuple(line for line in self.lines if line[0].lower() not in names)
        return Head(self.first, (*kept, *headers.items()))

    def __bytes__(self) -> bytes:
        lines = [" ".join(self.first), *(f"{name}: {text}" for name, text in self.lines)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


@dataclass(frozen=True, slots=True)
class Framing:
    """How a body tells its end: chunks, a length, or the end of the connection (neither)."""

    is_chunked: bool
    length: int | None

    def framed(self, piece: bytes) -> bytes:
        """A piece of the body as it is sent."""
        return b"%x\r\n%s\r\n" % (len(piece), piece) if self.is_chunked else piece

    @property
    def end(self) -> bytes:
        """What follows the last piece."""
        return b"0\r\n\r\n" if self.is_chunked else b""


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next head; None where the peer has left instead. Raises SpeaksTLS."""
    begin = await reader.read(1)
    if begin == _TLS_HELLO:
        raise SpeaksTLS
    first = (begin + await reader.readline()).decode("latin-1").rstrip("\r\n").split(" ", 2)
    if len(first) < 2:
        return None
    lines = []
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, text = line.partition(":")
        lines.append((name, text.strip()))
    return Head((first[0], first[1], first[2] if len(first) > 2 else ""), tuple(lines))


def request_framing(head: Head) -> Framing:
    """Of a request's body; a request without either header has none."""
    return _framing(head, otherwise=0)


def answer_framing(head: Head, method: str) -> Framing:
    """Of an answer's body to this method."""
    if method == "HEAD" or head.first[1] in ("204", "304"):
        return Framing(False, 0)
    return _framing(head, otherwise=None)


async def pieces(reader: asyncio.StreamReader, framing: Framing) -> AsyncIterator[bytes]:
    """The body, unframed; ends early where the peer leaves in mid-body (IncompleteReadError)."""
    if framing.is_chunked:
        while size := int((await reader.readline()).partition(b";")[0] or b"0", 16):
            async for piece in _counted(reader, size):
                yield piece
            await reader.readline()
        while (await reader.readline()).strip():  # trailers
            pass
    elif framing.length is not None:
        async for piece in _counted(reader, framing.length):
            yield piece
    else:
        while piece := await reader.read(PIECE):
            yield piece


async def _counted(reader: asyncio.StreamReader, count: int) -> AsyncIterator[bytes]:
    while count:
        piece = await reader.read(min(count, PIECE))
        if not piece:
            raise asyncio.IncompleteReadError(b"", count)
        count -= len(piece)
        yield piece


def _framing(head: Head, *, otherwise: int | None) -> Framing:
    if head.get("transfer-encoding").endswith("chunked"):
        return Framing(True, None)
    length = head.get("content-length")
    return Framing(False, int(length) if length else otherwise)
