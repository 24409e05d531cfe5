"""Bounds of requests and headers of answers, on the real application without a cluster."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from cyroid_images.api.app import create_app
from cyroid_images.api.guard import LARGEST_BODY, Guard, WholeBody
from tests.unit.reconcile.clock import run

HEAD: MutableMapping[str, Any] = {
    "type": "http",
    "method": "GET",
    "path": "/",
    "raw_path": b"/",
    "query_string": b"",
    "headers": [],
    "scheme": "http",
    "http_version": "1.1",
    "root_path": "",
    "server": ("x", 80),
    "client": ("y", 1),
}


class Asked:
    """One request to an application, and what it answered."""

    def __init__(self, *bodies: bytes, **head: Any) -> None:
        self.scope = {**HEAD, **head}
        self.sent: list[MutableMapping[str, Any]] = []
        last = len(bodies) - 1
        self._bodies = [
            {"type": "http.request", "body": body, "more_body": number < last}
            for number, body in enumerate(bodies or (b"",))
        ]

    async def by(self, app: Any) -> Asked:
        await app(self.scope, self._receive, self._send)
        return self

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._bodies:
            await asyncio.Event().wait()  # it stays connected
        return self._bodies.pop(0)

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)


async def echo(_: Any, receive: Any, send: Any) -> None:
    """Answers with what it was sent."""
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


def test_a_body_comes_whole_up_to_its_bound() -> None:
    whole = [b"a" * (LARGEST_BODY - 1), b"b"]
    asked = run(Asked(*whole, method="POST").by(WholeBody(echo)))
    assert asked.sent[1]["body"] == b"".join(whole)
    asked = run(Asked(*whole, b"c", method="POST").by(WholeBody(echo)))
    assert asked.status == 413


def test_uploads_read_by_themselves() -> None:
    path = "/api/v1/bundles"
    asked = run(Asked(b"a" * LARGEST_BODY, b"b", method="POST", path=path).by(WholeBody(echo)))
    assert asked.status == 200


def test_a_request_ends_in_time() -> None:
    async def hang(*_: Any) -> None:
        await asyncio.sleep(3600)

    assert run(Asked().by(Guard(hang))).status == 504


def test_a_stream_has_no_end() -> None:
    async def long(_: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(3600)
        await echo(_, receive, send)

    assert run(Asked(path="/api/v1/ranges/events").by(Guard(long))).status == 200


def test_the_page_is_served_and_nothing_beside_it(tmp_path: Path) -> None:
    web = tmp_path / "web"
    web.mkdir()
    (web / "index.html").write_text("<html>page")
    (web / "app.js").write_text("js")
    (tmp_path / "secret.txt").write_text("classified")
    (web / "link.txt").symlink_to(tmp_path / "secret.txt")
    app = create_app(web=web)

    def got(path: str) -> tuple[int, bytes]:
        asked = asyncio.run(Asked(path=path, raw_path=path.encode()).by(app))  # files: threads
        return asked.status, b"".join(each.get("body", b"") for each in asked.sent[1:])

    assert got("/") == got("/ranges") == got("/events/spring") == (200, b"<html>page")
    assert got("/app.js") == (200, b"js")
    for path in ("/link.txt", "/../secret.txt", "/a/../../secret.txt", "/none.js", "/\0"):
        status, body = got(path)
        assert (status, b"classified" in body) in ((404, False), (200, False)), path


def test_every_answer_says_what_a_page_may_do() -> None:
    headers = run(Asked(path="/api/v1/system/capabilities").by(create_app())).headers
    assert headers[b"content-security-policy"].startswith(b"default-src 'self'")
    assert headers[b"cache-control"] == b"no-store"
    assert b"strict-transport-security" not in headers
    secure = run(Asked(path="/x", scheme="https").by(create_app())).headers
    assert b"strict-transport-security" in secure
