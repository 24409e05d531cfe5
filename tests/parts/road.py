"""The way through a fault proxy: what travelling costs, and one exchange that travels.

`proxy.py` decides which requests come this way and with which faults; `wire.py` knows the
framing.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.parts import wire

_GLANCE = 0.02
"""Seconds between two looks whether a line is light again or a client has left."""
_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER of nothing: the connection ends with a RST instead of a FIN."""
_LATE_BODY = 5.0
"""Seconds for a request's body to end after its answer has."""

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
"""Both ends of a connection to the peer."""


@dataclass(frozen=True, slots=True)
class Line:
    """How well bytes travel, in both directions."""

    latency: float = 0.0
    """Seconds before each piece of an answer."""
    bytes_per_second: int | None = None
    """Shared by all connections."""
    reset_after: int | None = None
    """Bytes of answers, heads included, after which a connection is reset."""
    is_dark: bool = False
    """A black hole: connections are taken, and no byte passes until another line comes."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the peer's own answer on its way. Positions count bytes of the body."""

    headers: Mapping[str, str] = field(default_factory=dict)
    """In place of those of that name: a realm, a Location."""
    flip_at: int | None = None
    """The byte that arrives as another one."""
    reset_at: int | None = None
    """Where the connection is reset."""
    silent_at: int | None = None
    """From where on nothing comes any more, while the connection stays."""


@dataclass(slots=True)
class Exchange:
    """A request that came, and how many bytes of bodies went up and down for it."""

    method: str
    target: str
    headers: Mapping[str, str]
    """Names in lower case."""
    up: int = 0
    down: int = 0
    began: float = field(default_factory=time.monotonic)
    """By the monotonic clock."""
    is_over: bool = False
    """Has its end been passed on, or one side left?"""


class Reset(Exception):
    """This connection ends with a RST."""


@dataclass(slots=True, eq=False)
class Client:
    """A connection that somebody made to the proxy."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    given: int = 0
    """Bytes sent to it."""
    is_frozen: bool = False

    async def has_left(self) -> None:
        """Return once it has closed its side."""
        while not self.reader.at_eof():
            await asyncio.sleep(_GLANCE)

    def reset(self) -> None:
        """End it with a RST."""
        connection = self.writer.get_extra_info("socket")  # None once TLS has ended
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self.writer.transport.abort()


class Road:
    """The line that all connections of a proxy share."""

    def __init__(self) -> None:
        self.line = Line()
        self._free_at = 0.0
        """When it has passed on all that was given to it (loop's clock)."""

    async def give(self, client: Client, piece: bytes) -> None:
        """Send bytes to the client, as the line allows it."""
        await asyncio.sleep(self.line.latency)
        await self.travel(client, len(piece))
        most = self.line.reset_after
        if most is not None and client.given + len(piece) >= most:
            await _send(client.writer, piece[: max(0, most - client.given)])
            raise Reset
        client.given += len(piece)
        await _send(client.writer, piece)

    async def pour(
        self, client: Client, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """All bytes from one side to the other, unseen, and then their end."""
        while piece := await reader.read(wire.PIECE):
            if writer is client.writer:
                await self.give(client, piece)
            else:
                await self.travel(client, len(piece))
                await _send(writer, piece)
        writer.close()

    async def travel(self, client: Client, count: int) -> None:
        """Take the time that so many bytes take."""
        while self.line.is_dark or client.is_frozen:
            await asyncio.sleep(_GLANCE)
        if rate := self.line.bytes_per_second:
            now = asyncio.get_running_loop().time()
            self._free_at = max(self._free_at, now) + count / rate
            await asyncio.sleep(self._free_at - now)


@dataclass(slots=True)
class Passage:
    """One exchange with the real peer, changed on its way back."""

    road: Road
    client: Client
    peer: Stream
    exchange: Exchange
    change: Change

    async def go(self, head: wire.Head) -> None:
        """Both bodies travel at the same time, as an engine's answer to a load does."""
        sending = asyncio.ensure_future(self._send(head))
        try:
            await self._answer()
            await asyncio.wait_for(sending, _LATE_BODY)
        finally:
            self.exchange.is_over = True
            sending.cancel()

    async def _send(self, head: wire.Head) -> None:
        framing, (_, writer) = wire.request_framing(head), self.peer
        await self.road.travel(self.client, 0)
        await _send(writer, bytes(head))
        async for piece in wire.pieces(self.client.reader, framing):
            await self.road.travel(self.client, len(piece))
            self.exchange.up += len(piece)
            await _send(writer, framing.framed(piece))
        await _send(writer, framing.end)

    async def _answer(self) -> None:
        reader, _ = self.peer
        while head := await wire.read_head(reader):
            changed = head.having(self.change.headers)
            await self.road.give(self.client, bytes(changed))
            if not head.first[1].startswith("1"):  # 100 Continue goes before the answer
                break
        if head is None:
            raise Reset
        framing = wire.answer_framing(head, self.exchange.method)
        async for piece in wire.pieces(reader, framing):
            await self._give(piece, framing)
        await self.road.give(self.client, framing.end)
        if not framing.is_chunked and framing.length is None:
            self.client.writer.close()

    async def _give(self, piece: bytes, framing: wire.Framing) -> None:
        begin, end = self.exchange.down, self.exchange.down + len(piece)
        flip, reset, silent = self.change.flip_at, self.change.reset_at, self.change.silent_at
        if flip is not None and begin <= flip < end:
            wrong = bytes([piece[flip - begin] ^ 1])
            piece = piece[: flip - begin] + wrong + piece[flip - begin + 1 :]
        stop = min((each for each in (reset, silent) if each is not None), default=end + 1)
        if stop < end:
            await _send(self.client.writer, framing.framed(piece[: stop - begin]))
            self.client.is_frozen = stop == silent
            await self.road.travel(self.client, 0)
            raise Reset
        self.exchange.down = end
        await self.road.give(self.client, framing.framed(piece))


async def _send(writer: asyncio.StreamWriter, content: bytes) -> None:
    writer.write(content)
    await writer.drain()
