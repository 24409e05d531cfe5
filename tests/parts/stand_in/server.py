"""The Engine API of every stand-in, on one port of every address of 127.0.0.0/8."""

from __future__ import annotations

import json
import time
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp
from aiohttp import web

from tests.parts.stand_in.lies import Lies
from tests.parts.stand_in.loading import load
from tests.parts.stand_in.pulling import Asked, authorization, manifest_of, pull
from tests.parts.stand_in.store import Refused, Store

VERSION = {"Version": "26.1.5", "ApiVersion": "1.45", "MinAPIVersion": "1.24", "Os": "linux"}
LARGEST_TAR = 64 << 20
_HTTP = web.AppKey("http", aiohttp.ClientSession)


@dataclass(slots=True)
class Tally:
    """What one engine was asked."""

    requests: int = 0
    infos: int = 0
    lists: int = 0
    inspects: int = 0
    pulls: int = 0
    loads: int = 0
    first_pull: float = 0.0
    """Seconds since 1970; 0 while there was none."""
    last_list: float = 0.0


class Server:
    """Engines come to be when they are first asked."""

    def __init__(self) -> None:
        self._stores: defaultdict[str, Store] = defaultdict(Store)
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._lies = Lies()

    def app(self) -> web.Application:
        """Ready to be run."""
        app = web.Application(
            middlewares=[_in_words, self._through_lies], client_max_size=LARGEST_TAR
        )
        app.cleanup_ctx.append(_http)
        images = r"/{version:v[\d.]+}/images"
        one = images + "/{name:.+}"
        app.add_routes(
            [
                web.get("/stand-ins/tally", self._told),
                web.post("/stand-ins/copy", self._copy),
                web.post("/stand-ins/empty", self._empty),
                web.post("/stand-ins/lie", self._lie),
                web.get("/version", self._version),
                web.get(r"/{version:v[\d.]+}/info", self._info),
                web.get(images + "/json", self._list),
                web.post(images + "/create", self._pull),
                web.post(images + "/load", self._load),
                web.get(one + "/json", self._inspect),
                web.post(one + "/tag", self._tag),
                web.delete(one, self._untag),
                web.get(r"/{version:v[\d.]+}/distribution/{name:.+}/json", self._preflight),
            ]
        )
        return app

    async def _told(self, _: web.Request) -> web.Response:
        return web.json_response({at: asdict(tally) for at, tally in self._tallies.items()})

    async def _copy(self, request: web.Request) -> web.Response:
        """Give the engine that is called what another one holds."""
        self._stores[_address(request)] = self._stores[request.query["source"]].copied()
        return web.Response()

    async def _empty(self, request: web.Request) -> web.Response:
        """Take away all that the engine that is called holds."""
        self._stores.pop(_address(request), None)
        return web.Response()

    async def _lie(self, request: web.Request) -> web.Response:
        """What the engine that is called does from now on (see `lies.Lie`)."""
        self._lies.tell(_address(request), request)
        return web.Response()

    @web.middleware
    async def _through_lies(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Our own questions are answered; those to engines, as their lies will have it."""
        if request.path.startswith("/stand-ins/"):
            answer: web.StreamResponse = await handler(request)
            return answer
        self._tallies[_address(request)].requests += 1
        return await self._lies.answer(_address(request), request, handler)

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response(VERSION)

    async def _info(self, request: web.Request) -> web.Response:
        at = _address(request)
        self._tallies[at].infos += 1
        if self._lies.forgets(at):
            self._stores.pop(at, None)
        return web.json_response(
            {
                "ID": str(uuid.uuid5(uuid.NAMESPACE_DNS, at)),
                "Name": f"stand-in-{at}",
                "ServerVersion": VERSION["Version"],
                "OSType": "linux",
                "Architecture": "x86_64",
                "DriverStatus": [["Backing Filesystem", "extfs"]],
            }
        )

    async def _list(self, request: web.Request) -> web.Response:
        tally = self._tallies[_address(request)]
        tally.lists, tally.last_list = tally.lists + 1, time.time()
        return web.json_response(self._store(request).listed())

    async def _inspect(self, request: web.Request) -> web.Response:
        self._tallies[_address(request)].inspects += 1
        return web.json_response(self._store(request).inspected(request.match_info["name"]))

    async def _tag(self, request: web.Request) -> web.Response:
        name = f"{request.query['repo']}:{request.query.get('tag') or 'latest'}"
        self._store(request).tag(request.match_info["name"], name)
        return web.Response(status=201)

    async def _untag(self, request: web.Request) -> web.Response:
        self._store(request).untag(request.match_info["name"])
        return web.json_response([{"Untagged": request.match_info["name"]}])

    async def _load(self, request: web.Request) -> web.Response:
        self._tallies[_address(request)].loads += 1
        try:
            names = load(self._store(request), await request.read())
            lines = [{"stream": f"Loaded image: {name}\n"} for name in names]
        except Refused as exc:
            lines = [_error(exc)]
        return web.Response(text="".join(_line(line) for line in lines))

    async def _preflight(self, request: web.Request) -> web.Response:
        name, _, reference = request.match_info["name"].partition("@")
        found = json.loads(await manifest_of(_asked(request, name, reference)))
        kind = found.get("mediaType", "")
        return web.json_response({"Descriptor": {"mediaType": kind, "digest": reference}})

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        tally = self._tallies[_address(request)]
        tally.pulls, tally.first_pull = tally.pulls + 1, tally.first_pull or time.time()
        asked = _asked(request, request.query["fromImage"], request.query["tag"])
        found = await manifest_of(asked)
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)

        async def send(line: Mapping[str, Any]) -> None:
            await answer.write(_line(line).encode())

        try:
            await pull(self._store(request), asked, found, send)
        except Refused as exc:
            await send(_error(exc))
        return answer

    def _store(self, request: web.Request) -> Store:
        return self._stores[_address(request)]


async def _http(app: web.Application) -> AsyncIterator[None]:
    async with aiohttp.ClientSession() as session:
        app[_HTTP] = session
        yield


@web.middleware
async def _in_words(request: web.Request, handler: Any) -> web.StreamResponse:
    """A refusal is an answer."""
    try:
        answer: web.StreamResponse = await handler(request)
    except Refused as exc:
        return web.json_response({"message": exc.message}, status=exc.status)
    return answer


def _asked(request: web.Request, name: str, reference: str) -> Asked:
    header = request.headers.get("X-Registry-Auth", "")
    return Asked(request.app[_HTTP], name, reference, authorization(header))


def _address(request: web.Request) -> str:
    """Which engine is meant: the address that was dialled."""
    assert request.transport is not None
    return str(request.transport.get_extra_info("sockname")[0])


def _error(exc: Refused) -> dict[str, Any]:
    return {"errorDetail": {"message": exc.message}, "error": exc.message}


def _line(line: Mapping[str, Any]) -> str:
    return json.dumps(line) + "\r\n"
