"""The operator's own small HTTP server: is it alive, is it ready, and what does it count?

It serves from the first moment, so that an operator that waits for the Lease is alive and
ready, too. No answer ever depends on a registry or an engine: to restart the operator would
mend neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

Checks = Callable[[], Mapping[str, bool]]
"""By name of the check: does it hold?"""


class Probes:
    """`/healthz`, `/readyz` and `/metrics` on one address."""

    def __init__(
        self, alive: Checks, ready: Checks, exposition: Callable[[], tuple[bytes, str]]
    ) -> None:
        self._runner: web.AppRunner | None = None
        self._app = web.Application()
        self._app.add_routes(
            [
                web.get("/healthz", _answering(alive)),
                web.get("/readyz", _answering(ready)),
                web.get("/metrics", _exposing(exposition)),
            ]
        )

    async def serve(self, host: str, port: int) -> None:
        """Begin; raises OSError where the address is taken."""
        self._runner = web.AppRunner(self._app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()

    async def close(self) -> None:
        """End; answers under way get a second."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


def _answering(checks: Checks) -> Any:
    async def answer(_: web.Request) -> web.Response:
        found = dict(checks())
        return web.json_response(found, status=200 if all(found.values()) else 503)

    return answer


def _exposing(exposition: Callable[[], tuple[bytes, str]]) -> Any:
    async def answer(_: web.Request) -> web.Response:
        body, content_type = exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})

    return answer
