"""Bounds of every request, and the headers of every answer."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from cyroid_images.api.problems import Problem, answer_of
from cyroid_images.api.signing_in import ASGI, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
REQUEST_SECONDS = 30.0
STREAMS = frozenset({"/api/v1/registry/events", "/api/v1/ranges/events"})
"""Answers without an end."""
UPLOADS = frozenset({"/api/v1/bundles", "/api/v1/cache/docker-images/upload"})
"""They bound what they read by themselves."""
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
NEVER_KEPT = (b"cache-control", b"no-store")
"""Answers about the cluster are never for the next one who sits at that machine."""
ONLY_TLS = (b"strict-transport-security", b"max-age=31536000")


class Guard:
    """Around the whole application: its time, and the headers of its answers."""

    def __init__(self, app: ASGI, *, seconds: float = REQUEST_SECONDS) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        answer = _Answer(scope, send)
        endless = scope["path"] in STREAMS or scope["path"] in UPLOADS
        try:
            async with asyncio.timeout(None if endless else self._seconds):
                await self._app(scope, receive, answer.send)
        except TimeoutError:
            late = f"not done within {self._seconds:.0f} s; try again"
            await answer.instead(Problem(504, late), receive)


class WholeBody:
    """Reads the body of a request before anything is done, and no more than it may have."""

    def __init__(self, app: ASGI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in BODILESS or scope["path"] in UPLOADS:
            return await self._app(scope, receive, send)
        body = await _read(receive)
        if body is None:
            too_large = Problem(413, f"a request body has {LARGEST_BODY} bytes at most")
            return await answer_of(too_large)(scope, receive, send)
        waiting = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def read() -> MutableMapping[str, Any]:
            return next(waiting, None) or await receive()

        return await self._app(scope, read, send)


async def _read(receive: Receive) -> bytes | None:
    """The whole of it; None: it is too large."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


class _Answer:
    """The answer of one request: its headers, and whether it began."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._began = False

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self._began = True
            more = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            if self._scope["path"].startswith("/api/"):
                more.append(NEVER_KEPT)
            if self._scope.get("scheme") == "https":
                more.append(ONLY_TLS)
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await self._send(message)

    async def instead(self, problem: Problem, receive: Receive) -> None:
        """An error, unless it is too late for one: then the connection is cut."""
        if self._began:
            raise problem
        await answer_of(problem)(self._scope, receive, self.send)
