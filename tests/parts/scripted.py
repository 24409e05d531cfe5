"""A hostile or broken HTTP/1.1 peer on loopback that does what a script says.

For the faults that no real registry or engine commits on request: a connection cut
after n bytes, an endless body, a drip, garbage, a 429, a wrong header, a redirect.
A step is a function of a Peer (the request that came, and the socket to answer on);
`script` gives a method and a path the steps for its first, second, ... request, the
last of which repeats. Every request that came is kept in `requests`.

    with ScriptedServer() as server:
        server.script("GET", "/v2/", reply(503), reply(200))
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedReader
from types import TracebackType
from typing import BinaryIO, Self

import pytest

_TLS_HELLO = b"\x16"
"""The first byte of whoever tries TLS first, as engines do with a registry on loopback."""

_SOCKET_SECONDS = 30.0
"""No step waits longer for its peer than this."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came; header names in lower case, the body of chunks put together."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a step answers: the request, the connection, and when to give up."""

    request: Seen
    connection: socket.socket
    leaving: threading.Event
    """Set when the server is closed: no step may outlive it."""

    def send(self, content: bytes) -> None:
        self.connection.sendall(content)

    def reset(self) -> None:
        """End the connection with a RST instead of a FIN."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        raise _Left


Step = Callable[[Peer], None]


class _Left(Exception):
    """This connection is over."""


def reply(status: int, body: bytes | str = b"", headers: Mapping[str, str] | None = None) -> Step:
    """A plain whole answer, with Content-Length; the connection stays."""
    content = body.encode() if isinstance(body, str) else body

    def step(peer: Peer) -> None:
        length = {"Content-Length": str(len(content))}
        shown = b"" if peer.request.method == "HEAD" else content
        peer.send(_head(status, {**length, **(headers or {})}) + shown)

    return step


def reply_json(status: int, document: object, headers: Mapping[str, str] | None = None) -> Step:
    """A document as JSON."""
    kind = {"Content-Type": "application/json", **(headers or {})}
    return reply(status, json.dumps(document), kind)


def chunked(
    *chunks: bytes, status: int = 200, headers: Mapping[str, str] | None = None, ends: bool = True
) -> Step:
    """An answer in these chunks; without its end (`ends=False`) the connection is closed."""

    def step(peer: Peer) -> None:
        peer.send(_head(status, {"Transfer-Encoding": "chunked", **(headers or {})}))
        for chunk in chunks:
            peer.send(_chunk(chunk))
        if not ends:
            raise _Left
        peer.send(b"0\r\n\r\n")

    return step


def cut_after(
    count: int,
    body: bytes,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    reset: bool = False,
) -> Step:
    """Promise the whole body, send `count` bytes of it, close (with a RST where `reset`)."""

    def step(peer: Peer) -> None:
        length = {"Content-Length": str(len(body))}
        peer.send(_head(status, {**length, **(headers or {})}) + body[:count])
        if reset:
            peer.reset()
        raise _Left

    return step


def cut_before_answer(peer: Peer) -> None:  # noqa: ARG001 - the form of a Step
    """Read the request, close without a word."""
    raise _Left


def hang(peer: Peer) -> None:
    """Never answer, until the peer leaves or the server is closed."""
    peer.connection.settimeout(0.05)
    while not peer.leaving.is_set():
        with contextlib.suppress(TimeoutError):
            if not peer.connection.recv(4096):
                break
    raise _Left


def endless(chunk: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Step:
    """The same chunk again and again, until the peer leaves or the server is closed."""
    return drip(chunk, 0.0, status=status, headers=headers)


def drip(
    chunk: bytes,
    seconds: float,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    count: int | None = None,
) -> Step:
    """A chunk every so many seconds, `count` times (None: until somebody leaves)."""

    def step(peer: Peer) -> None:
        peer.send(_head(status, {"Transfer-Encoding": "chunked", **(headers or {})}))
        for _ in itertools.count() if count is None else range(count):
            peer.send(_chunk(chunk))
            if peer.leaving.wait(seconds):
                raise _Left
        peer.send(b"0\r\n\r\n")

    return step


def raw(content: bytes) -> Step:
    """Exactly these bytes instead of an HTTP answer, then close."""

    def step(peer: Peer) -> None:
        peer.send(content)
        raise _Left

    return step


def unread(step: Step) -> Step:
    """Take this step without reading the request's body first."""
    setattr(step, _UNREAD, True)
    return step


_UNREAD = "leaves_body_unread"


class ScriptedServer:
    """Listens from construction to `close`; unscripted requests are answered with 404."""

    def __init__(self, address: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Seen] = []
        self.tls = tls
        self._scripts: list[tuple[str, re.Pattern[str], list[Step]]] = []
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server((address, 0))
        self._listener.settimeout(0.05)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def host(self) -> str:
        """host:port, as it stands in an image name."""
        address, port = self._listener.getsockname()[:2]
        return f"{address}:{port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"

    def script(self, method: str, path: str, *steps: Step) -> None:
        """What to do for this method and path (a regular expression for all of it).

        A later script goes before an earlier one.
        """
        with self._lock:
            self._scripts.insert(0, (method, re.compile(path), list(steps)))

    def seen(self, method: str, path: str) -> list[Seen]:
        """The requests that came with this method and path (a regular expression)."""
        return [
            seen
            for seen in self.requests
            if seen.method == method and re.fullmatch(path, seen.path)
        ]

    def close(self) -> None:
        """End every connection and every thread."""
        self._leaving.set()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=10)
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _accept(self) -> None:
        while not self._leaving.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_SOCKET_SECONDS)
        # A peer that leaves in mid-answer is what half of the scripts are about.
        with contextlib.suppress(_Left, OSError), connection:
            wire = connection
            if self.tls:
                wire = self.tls.wrap_socket(connection, server_side=True)
            with wire, wire.makefile("rb") as lines, self._known(wire):
                self._converse(wire, lines)

    @contextlib.contextmanager
    def _known(self, wire: socket.socket) -> Iterator[None]:
        """While this lasts, `close` can wake whoever waits on the connection."""
        with self._lock:
            self._open.add(wire)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(wire)

    def _converse(self, wire: socket.socket, lines: BufferedReader) -> None:
        if lines.peek(1)[:1] == _TLS_HELLO:  # it holds no line end that we could wait for
            wire.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")  # as Go's plain listeners do
            raise _Left
        while not self._leaving.is_set():
            seen = _read_head(lines)
            step = self._step_for(seen)
            if not getattr(step, _UNREAD, False):
                seen = Seen(seen.method, seen.target, seen.headers, _read_body(lines, seen.headers))
            with self._lock:
                self.requests.append(seen)
            step(Peer(seen, wire, self._leaving))

    def _step_for(self, seen: Seen) -> Step:
        with self._lock:
            for method, path, steps in self._scripts:
                if method == seen.method and path.fullmatch(seen.path):
                    return steps.pop(0) if len(steps) > 1 else steps[0]
        return reply(404)


def _read_head(lines: BinaryIO) -> Seen:
    first = lines.readline(65536).decode("latin-1").split(" ")
    if len(first) < 3:
        raise _Left
    headers: dict[str, str] = {}
    while line := lines.readline(65536).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Seen(first[0], first[1], headers)


def _read_body(lines: BinaryIO, headers: Mapping[str, str]) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return lines.read(int(headers.get("content-length", "0")))
    content = b""
    while size := int(lines.readline(), 16):
        content += lines.read(size)
        lines.readline()
    lines.readline()
    return content


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {text}" for name, text in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _chunk(content: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(content), content)


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A scripted peer for one test."""
    with ScriptedServer() as server:
        yield server
