"""Engines that hang or lie: what a stand-in does instead of answering as an engine should.

A lie is told to the process (`POST /stand-ins/lie`) for the address that is called, and lasts
until another one is told. Requests that hang end when their lie does, by a reset.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GLANCE_SECONDS = 0.05
DRIP_SECONDS, CRAWL_SECONDS = 0.2, 1.0
_DETAIL = {"current": 1000, "total": 100_000_000}
PROGRESS = json.dumps({"status": "Downloading", "progressDetail": _DETAIL, "id": "d1a6"}).encode()
PROGRESS += b"\r\n"
"""Of a pull or load; the next one of the same tells of no progress."""


class Lie(StrEnum):
    """What an engine may do to whoever believes it."""

    NONE = "none"
    HANGS = "hangs"
    """Takes connections, answers nothing."""
    CRAWLS = "crawls"
    """Says who it is, and then lists its images a byte a second, without an end."""
    HANGS_IN_PULL = "hangs-in-pull"
    """Answers every look, and no pull or load."""
    DRIPS = "drips"
    """A pull or load tells the same progress again and again, for ever."""
    CLAIMS = "claims"
    """Lists `names` with other contents at each look; a pull ends well and did nothing."""
    FORGETS = "forgets"
    """Is as it should be, but holds nothing whenever it is asked who it is: at each new look."""
    PLATFORM = "platform"
    """Says that it is of another architecture at each look, and holds nothing."""
    IDENTITY = "identity"
    """Says that it is the engine `id`, and that `images`, which that one holds, are other ones."""


@dataclass(slots=True)
class Told:
    """The lie of one address."""

    lie: Lie = Lie.NONE
    id: str = ""
    names: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    looks: int = 0
    changes: int = field(default=0)
    """How often another lie was told: what hangs for an older one ends."""


class Lies:
    """By address; a middleware asks it first."""

    def __init__(self) -> None:
        self._told: defaultdict[str, Told] = defaultdict(Told)

    def tell(self, address: str, request: web.Request) -> None:
        """From now on this engine does so."""
        query, told = request.query, self._told[address]
        told.lie, told.id, told.looks = Lie(query["lie"]), query.get("id", ""), 0
        told.names = tuple(filter(None, query.get("names", "").split(",")))
        told.images = tuple(filter(None, query.get("images", "").split(",")))
        told.changes += 1

    def forgets(self, address: str) -> bool:
        """Is everything gone that this engine was given?"""
        return self._told[address].lie is Lie.FORGETS

    async def answer(
        self, address: str, request: web.Request, honest: Handler
    ) -> web.StreamResponse:
        """What this engine answers."""
        told = self._told[address]
        match told.lie:
            case Lie.HANGS:
                return await _hang(told, request)
            case Lie.CRAWLS if request.path.endswith("/images/json"):
                return await _drip(told, request, b" ", CRAWL_SECONDS)
            case Lie.HANGS_IN_PULL if _is_transfer(request):
                return await _hang(told, request)
            case Lie.DRIPS if _is_transfer(request):
                return await _drip(told, request, PROGRESS, DRIP_SECONDS)
            case Lie.CLAIMS | Lie.PLATFORM | Lie.IDENTITY:
                return _lied(told, request) or await honest(request)
            case _:
                return await honest(request)


def _lied(told: Told, request: web.Request) -> web.StreamResponse | None:
    """None where the lie is not about this question."""
    path = request.path.partition("/")[2].partition("/")[2]
    if path == "info":
        told.looks += 1
        return _info(told)
    if told.lie is Lie.PLATFORM:
        return None
    if path == "images/json":
        return web.json_response(_rows(told))
    if path.startswith("images/") and path.endswith("/json"):
        return web.json_response(_inspected(path.removeprefix("images/").removesuffix("/json")))
    if _is_transfer(request):
        is_load = path == "images/load"
        line = {"stream": "Loaded image"} if is_load else {"status": "Status: Image is up to date"}
        return web.Response(text=json.dumps(line) + "\r\n")
    return None


def _info(told: Told) -> web.StreamResponse:
    architecture = f"cpu{told.looks}" if told.lie is Lie.PLATFORM else "x86_64"
    return web.json_response(
        {
            "ID": told.id or "7f1d2c7e-liar",
            "Name": "liar",
            "ServerVersion": "26.1.5",
            "OSType": "linux",
            "Architecture": architecture,
            "DriverStatus": [["Backing Filesystem", "extfs"]],
        }
    )


def _rows(told: Told) -> list[dict[str, object]]:
    """Each name with an image that nobody ever made, or with one of somebody else."""
    ids = told.images or tuple(_digest(f"{name} {told.looks}") for name in told.names)
    names = told.names or ("liar.example/nothing:1",)
    return [
        {
            "Id": each,
            "RepoTags": [names[at]] if at < len(names) else [],
            "RepoDigests": [],
            "Size": 1,
        }
        for at, each in enumerate(ids)
    ]


def _inspected(image: str) -> dict[str, object]:
    return {
        "Id": image,
        "RepoTags": [],
        "RepoDigests": [],
        "Os": "linux",
        "Architecture": "amd64",
        "Variant": "",
        "Created": "2024-01-02T03:04:05.12Z",
        "Config": {"Cmd": ["/lie"]},
        "RootFS": {"Type": "layers", "Layers": [_digest(f"layer of {image}")]},
        "Size": 1,
    }


async def _hang(told: Told, request: web.Request) -> web.StreamResponse:
    """Nothing, until the asker leaves or the lie is over."""
    await _outlast(told, request)
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _drip(
    told: Told, request: web.Request, piece: bytes, seconds: float
) -> web.StreamResponse:
    """The same piece again and again, until the asker leaves or the lie is over."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    changes = told.changes
    while told.changes == changes and _is_there(request):
        await answer.write(piece)
        await asyncio.sleep(seconds)
    if request.transport is not None:
        request.transport.abort()
    return answer


async def _outlast(told: Told, request: web.Request) -> None:
    changes = told.changes
    while told.changes == changes and _is_there(request):
        await asyncio.sleep(GLANCE_SECONDS)


def _is_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _is_transfer(request: web.Request) -> bool:
    return request.method == "POST" and request.path.endswith(("/images/create", "/images/load"))


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
