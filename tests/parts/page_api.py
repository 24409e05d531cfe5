"""An API whose answers a test decides, for states of the page that no real one is brought into.

It serves the page as the real one does, and knows no more of the API than paths: JSON under
`answers`, refusals as problem+json, event streams that a test writes into and cuts.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import cyroid_images
from cyroid_images.api.guard import HEADERS

Query = Mapping[str, str]
Answer = Callable[[Query, Any], Any]
"""What is answered, of query and body: JSON, or a Refusal."""
PREFIX = "/api/v1/"
PAGE = Path(cyroid_images.__file__).parent / "web"
TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class Refusal:
    """A problem+json instead of an answer."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail


class PageApi:
    """`answers[METHOD PATH]` is what it says; what is not there is 404."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, Query, Any]] = []
        """Each request under PREFIX: method and path, query, body."""
        self.tokens: list[str | None] = []
        self._streams: list[tuple[str, queue.Queue[str | None]]] = []
        self._lock = threading.Lock()

    def emit(self, path: str, event: str, data: Any) -> None:
        """Tell all who follow this path."""
        with self._lock:
            for where, lines in self._streams:
                if where == path:
                    lines.put(f"event: {event}\ndata: {json.dumps(data)}\n\n")

    def cut(self) -> None:
        """End all streams."""
        with self._lock:
            for _, lines in self._streams:
                lines.put(None)

    def followers(self, path: str) -> int:
        """How many follow this path now."""
        with self._lock:
            return sum(where == path for where, _ in self._streams)

    @contextmanager
    def followed(self, path: str) -> Iterator[queue.Queue[str | None]]:
        lines: queue.Queue[str | None] = queue.Queue()
        entry = (path, lines)
        with self._lock:
            self._streams.append(entry)
        try:
            yield lines
        finally:
            with self._lock:
                self._streams.remove(entry)

    def answer(self, what: str, query: Query, body: Any) -> Any:
        self.asked.append((what, query, body))
        found = self.answers.get(what, Refusal(404, "nothing is here"))
        return found(query, body) if callable(found) else found


@contextmanager
def serving(api: PageApi, port: int = 0) -> Iterator[str]:
    """Its address while it runs; cuts every stream in the end."""

    class Handler(_Handler):
        part = api

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        api.cut()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    part: PageApi
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path.startswith(PREFIX):
            self._ask(unquote(url.path.removeprefix(PREFIX)), url.query)
            return
        file = PAGE / url.path.removeprefix("/")
        if not file.is_file():
            file = PAGE / "index.html"
        self._send(200, file.read_bytes(), TYPES[file.suffix], HEADERS)

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        self._ask(unquote(url.path.removeprefix(PREFIX)), url.query)

    def do_DELETE(self) -> None:
        self.do_POST()

    def _ask(self, path: str, query: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        is_json = self.headers.get("Content-Type") == "application/json"
        body = json.loads(content) if is_json and content else content
        values = {name: values[0] for name, values in parse_qs(query).items()}
        self.part.tokens.append(self.headers.get("Authorization"))
        said = self.part.answer(f"{self.command} {path}", values, body)
        if isinstance(said, Refusal):
            problem = json.dumps({"status": said.status, "detail": said.detail})
            self._send(said.status, problem.encode(), "application/problem+json")
        elif self.headers.get("Accept") == "text/event-stream":
            self._stream(path, said or ())
        else:
            self._send(200, json.dumps(said).encode(), "application/json")

    def _stream(self, path: str, first: Any) -> None:
        self.close_connection = True
        with self.part.followed(path) as lines:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            for event, data in first:
                self.wfile.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
            self.wfile.flush()
            while True:
                try:
                    line = lines.get(timeout=1)
                except queue.Empty:
                    line = ": still here\n\n"
                if line is None:
                    return
                try:
                    self.wfile.write(line.encode())
                    self.wfile.flush()
                except OSError:  # the page was left
                    return

    def _send(
        self, status: int, content: bytes, media_type: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": media_type}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(OSError):  # the page was left meanwhile
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as the base names it
        """Nothing: tests look at what was asked."""
