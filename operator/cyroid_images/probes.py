"""The operator's own small HTTP server: is it alive, is it ready, and what does it count?

It serves from the first moment, so that an operator that waits for the Lease is alive and
ready, too. No answer ever depends on a registry or an engine: to restart the operator would
mend neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago something gave its last sign of life, and how long is too long; seconds."""

    seconds: float
    limit: float

    def __bool__(self) -> bool:
        return self.seconds <= self.limit


Checks = Callable[[], Mapping[str, bool | Age]]
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
        found = checks()
        shown = {name: _shown(check) for name, check in found.items()}
        return web.json_response(shown, status=200 if all(found.values()) else 503)

    return answer


def _shown(check: bool | Age) -> Any:  # noqa: FBT001 - a row of the answer
    if isinstance(check, bool):
        return check
    return {"ok": bool(check), "age": round(check.seconds, 1), "limit": round(check.limit, 1)}


def _exposing(exposition: Callable[[], tuple[bytes, str]]) -> Any:
    async def answer(_: web.Request) -> web.Response:
        body, content_type = exposition()
        return web.Response(body=body, headers={"Content-Type": content_type})

    return answer
