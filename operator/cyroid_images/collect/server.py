"""POST /collect begins a collection, GET /collect tells of the last one; /healthz is for probes."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from aiohttp import web

from cyroid_images.collect.collection import Collector, Order
from cyroid_images.collect.passwords import may_ask
from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.digest import Digest

LARGEST_BODY = 1024 * 1024
"""Bytes of a question: 10,000 digests are 750 KB."""
MOST_KEPT = 10_000
"""Digests that one question may have kept."""
LONGEST_ID = 256
END_SECONDS = 5.0
"""What runs may take so long to end when the process is told to."""

_log = logging.getLogger(__name__)


class CollectorServer:
    """The collector's own small HTTP server."""

    def __init__(self, collector: Collector, htpasswd: Path) -> None:
        self._collector = collector
        self._htpasswd = htpasswd
        self._app = web.Application(client_max_size=LARGEST_BODY)
        self._app.add_routes(
            [
                web.get("/healthz", self._healthy),
                web.get("/collect", self._tell),
                web.post("/collect", self._begin),
            ]
        )
        self._app.on_shutdown.append(self._end)

    def run(self, host: str, port: int) -> None:
        """Serve until a signal comes; raises OSError where the address is taken."""
        web.run_app(self._app, host=host, port=port, access_log=None, print=None)

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def _tell(self, request: web.Request) -> web.Response:
        await self._check(request)
        return self._told(200)

    async def _begin(self, request: web.Request) -> web.Response:
        await self._check(request)
        try:
            order = _order(json.loads(await request.read()))
        except (ValueError, TypeError, AttributeError, RecursionError, InvalidReference) as exc:
            return _refused(400, f"the question is not understood: {exc!s:.200}")
        return self._told(202 if self._collector.begin(order) else 409)

    async def _check(self, request: web.Request) -> None:
        header = request.headers.get("Authorization")
        try:
            is_known = await asyncio.to_thread(may_ask, self._htpasswd, header)
        except OSError as exc:
            _log.error("cannot read %s: %s", self._htpasswd, exc.strerror)
            raise web.HTTPServiceUnavailable(text="cannot read who may ask") from exc
        if not is_known:
            raise web.HTTPUnauthorized(
                text="the push user and password are needed",
                headers={"WWW-Authenticate": 'Basic realm="cyroid-collector"'},
            )

    def _told(self, status: int) -> web.Response:
        last = self._collector.last
        document = {"phase": "idle"} if last is None else last.to_document()
        return web.json_response(document, status=status)

    async def _end(self, _: web.Application) -> None:
        await asyncio.to_thread(self._collector.end, END_SECONDS)


def _order(document: dict[str, Any]) -> Order:
    """What a question asks for; raises ValueError, TypeError, AttributeError, InvalidReference."""
    unknown = document.keys() - {"id", "dry_run", "keep"}
    if unknown:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")
    is_dry_run = document.get("dry_run")
    named, keep = document.get("id", ""), document.get("keep", [])
    if not isinstance(is_dry_run, bool):
        raise TypeError("`dry_run` is needed: true or false")
    if not isinstance(named, str) or len(named) > LONGEST_ID:
        raise TypeError(f"`id` is a text of {LONGEST_ID} characters at most")
    if not isinstance(keep, list) or len(keep) > MOST_KEPT:
        raise TypeError(f"`keep` is a list of {MOST_KEPT} digests at most")
    return Order(named, is_dry_run, frozenset(Digest.parse(str(each)) for each in keep))


def _refused(status: int, detail: str) -> web.Response:
    return web.json_response({"error": detail}, status=status)
