"""A fault proxy before a registry, an engine or an API server: it breaks the way to a real peer.

The line may be slow, late, dark or cut (`Line`), and single requests may be answered
otherwise than the peer would (`Answer`) or have their answers changed (`Change`):

    with FaultProxy(registry.push_host) as proxy:
        proxy.line = Line(bytes_per_second=256 * 1024)
        proxy.on("GET", "/v2/.*", Answer(503), times=2)

All of it may be changed at any time, from any thread. The proxy works in a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

import pytest

from tests.parts import wire
from tests.parts.road import Change, Client, Exchange, Line, Passage, Reset, Road, Stream

__all__ = ["Answer", "Change", "Exchange", "FaultProxy", "Line", "NewProxy", "new_proxy"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the proxy answers itself; the peer does not hear of the request."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(slots=True)
class _Rule:
    method: re.Pattern[str]
    target: re.Pattern[str]
    fault: Answer | Change
    left: int | None


class FaultProxy:
    """Listens from construction to `close`; without faults it passes everything on.

    `tls` makes it speak TLS to its clients, `peer_tls` to the peer. With `is_opaque` it does
    not look into what passes (TLS from end to end): then only the line can be broken.
    """

    def __init__(
        self,
        peer: str,
        *,
        tls: ssl.SSLContext | None = None,
        peer_tls: ssl.SSLContext | None = None,
        is_opaque: bool = False,
    ) -> None:
        self.exchanges: list[Exchange] = []
        self._peer = peer.rpartition(":")
        self._peer_tls = peer_tls
        self._is_opaque = is_opaque
        self._road = Road()
        self._rules: list[_Rule] = []
        self._clients: set[Client] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls))
        self.port = int(self._server.sockets[0].getsockname()[1])

    @property
    def host(self) -> str:
        """host:port on loopback, as it stands in an image name."""
        return f"127.0.0.1:{self.port}"

    # -- faults -----------------------------------------------------------------------

    @property
    def line(self) -> Line:
        """How well bytes travel now."""
        return self._road.line

    @line.setter
    def line(self, line: Line) -> None:
        self._road.line = line

    def on(
        self, method: str, target: str, fault: Answer | Change, times: int | None = None
    ) -> None:
        """What happens to such requests, the next `times` times (None: always).

        Method and target (path and query) are regular expressions for all of it; a later
        rule goes before an earlier one.
        """
        self._rules.insert(0, _Rule(re.compile(method), re.compile(target), fault, times))

    def heal(self) -> None:
        """A good line and no rules, for new connections; frozen ones stay frozen."""
        self._rules.clear()
        self.line = Line()

    def freeze(self) -> None:
        """Connections of now hear nothing any more, and are not told; new ones are well."""
        for client in list(self._clients):
            client.is_frozen = True

    def reset(self) -> None:
        """End the connections of now with a RST."""
        for client in list(self._clients):
            self._loop.call_soon_threadsafe(client.reset)

    # -- what was seen ----------------------------------------------------------------

    def seen(self, method: str, target: str) -> list[Exchange]:
        """The requests that came with this method and target (regular expressions)."""
        return [
            each
            for each in list(self.exchanges)
            if re.fullmatch(method, each.method) and re.fullmatch(target, each.target)
        ]

    # -- life -------------------------------------------------------------------------

    def close(self) -> None:
        """End every connection and the thread."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _end(self) -> None:
        self._server.close()
        others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)  # what was closed is closed in a later turn of the loop

    # -- passing on -------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What was given has left before a RST. Of 0 a TLS transport of Python 3.11 makes a
        # pause that nothing ends.
        writer.transport.set_write_buffer_limits(1 if writer.get_extra_info("ssl_object") else 0)
        client = Client(reader, writer)
        self._clients.add(client)
        talk: asyncio.Future[None] = asyncio.ensure_future(self._talk(client))
        leaving = asyncio.ensure_future(client.has_left())
        try:
            await asyncio.wait({talk, leaving}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            writer.transport.abort()  # the proxy ends: TLS would wait for the client's goodbye
        finally:
            talk.cancel()
            leaving.cancel()
            (end, _) = await asyncio.gather(talk, leaving, return_exceptions=True)
            self._clients.discard(client)
            if isinstance(end, Exception):
                client.reset()
            writer.close()

    async def _talk(self, client: Client) -> None:
        """All that is said over one connection; any exception is its end by a RST."""
        async with contextlib.AsyncExitStack() as stack:
            if self._is_opaque:
                reader, writer = await stack.enter_async_context(self._connected())
                up = self._road.pour(client, client.reader, writer)
                await asyncio.gather(up, self._road.pour(client, reader, client.writer))
                return
            peer: Stream | None = None
            while head := await self._heard(client):
                exchange = Exchange(head.first[0], head.first[1], head.headers)
                self.exchanges.append(exchange)
                fault = self._fault_for(exchange)
                if isinstance(fault, Answer):
                    await self._answer(client, head, fault)
                    exchange.is_over = True
                    continue
                if peer is None:
                    peer = await stack.enter_async_context(self._connected())
                passage = Passage(self._road, client, peer, exchange, fault or Change())
                await passage.go(head)

    async def _heard(self, client: Client) -> wire.Head | None:
        """The next head; who speaks TLS to us is told at once that he need not."""
        try:
            return await wire.read_head(client.reader)
        except wire.SpeaksTLS:
            client.writer.write(wire.NO_TLS)
            return None

    async def _answer(self, client: Client, head: wire.Head, fault: Answer) -> None:
        async for _ in wire.pieces(client.reader, wire.request_framing(head)):
            pass
        headers = {"Content-Length": str(len(fault.body)), **fault.headers}
        told = wire.Head(("HTTP/1.1", str(fault.status), "Fault"), tuple(headers.items()))
        shown = b"" if head.first[0] == "HEAD" else fault.body
        await self._road.give(client, bytes(told) + shown)

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[Stream]:
        """A connection to the peer; one that refuses us ends the client's."""
        host, _, port = self._peer
        try:
            reader, writer = await asyncio.open_connection(host, int(port), ssl=self._peer_tls)
        except OSError as exc:
            raise Reset from exc
        try:
            yield reader, writer
        finally:
            writer.close()

    def _fault_for(self, exchange: Exchange) -> Answer | Change | None:
        for rule in list(self._rules):
            fits = rule.method.fullmatch(exchange.method) and rule.target.fullmatch(exchange.target)
            if fits and rule.left != 0:
                rule.left = None if rule.left is None else rule.left - 1
                return rule.fault
        return None


class NewProxy(Protocol):
    """Puts a proxy before a peer (host:port) for one test; takes what FaultProxy takes."""

    def __call__(self, peer: str, **options: Any) -> FaultProxy: ...


@pytest.fixture
def new_proxy() -> Iterator[Callable[..., FaultProxy]]:
    """Fault proxies for one test."""
    with contextlib.ExitStack() as stack:
        yield lambda peer, **options: stack.enter_context(FaultProxy(peer, **options))
