"""Server-sent events: bounded in number, dropped when nobody reads, ended with the token.

What is sent is made once for all readers that saw the same before (`Remembered`), and at most
twice a second, however often things change. Source of the form: HTML standard, "Server-sent
events".
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fastapi.responses import Response

from cyroid_images.api.callers import Callers
from cyroid_images.api.problems import RETRY, Problem, body_of, problem_of
from cyroid_images.api.signing_in import Receive, Scope, Send
from cyroid_images.api.world import World
from cyroid_images.errors import ApiUnavailable, CyroidError

MOST_STREAMS = 512
MOST_OF_ONE = 16
"""Of one user: some pages in some windows."""
COALESCED_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
"""Less than what proxies take for a dead connection."""
REVIEW_SECONDS = 30.0
"""How often a token is looked at again while its stream goes on."""
SLOW_SECONDS = 20.0
"""Who takes nothing for so long is dropped."""
HEARTBEAT = b": still here\n\n"

Look = Callable[[], Awaitable[list[bytes]]]
"""Makes the events that tell what is new since it was asked last; raises Problem."""


class Streams:
    """All streams of this process."""

    def __init__(self) -> None:
        self._by_user: Counter[str] = Counter()
        self.is_ending = False

    @contextmanager
    def one(self, user: str) -> Iterator[None]:
        """Count one as long as the block lasts; a 429 or 503 where there are too many."""
        if self.is_ending or self._by_user.total() >= MOST_STREAMS:
            raise Problem(503, "too many event streams are open; try again", headers=RETRY)
        if self._by_user[user] >= MOST_OF_ONE:
            raise Problem(
                429,
                f"{user} has {MOST_OF_ONE} event streams open already: close a page",
                headers=RETRY,
            )
        self._by_user[user] += 1
        try:
            yield
        finally:
            self._by_user[user] -= 1
            self._by_user += Counter()  # forget those at zero

    def __len__(self) -> int:
        return self._by_user.total()


class StreamOfChanges:
    """One stream: looks again after each change, and at the token now and then."""

    def __init__(self, world: World, callers: Callers, token: str, look: Look) -> None:
        self._world = world
        self._callers = callers
        self._token = token
        self._look = look
        self._told = b""
        """The last problem that was sent."""

    async def events(self, is_ending: Callable[[], bool]) -> AsyncGenerator[bytes]:
        """Until the token ends, or this process."""
        loop = asyncio.get_running_loop()
        review = loop.time() + REVIEW_SECONDS
        yield b"retry: 3000\n\n"
        while not is_ending():
            seen = self._world.version
            for piece in await self._pieces():
                yield piece
            if not await self._world.wait(seen, HEARTBEAT_SECONDS):
                yield HEARTBEAT
            if loop.time() > review:
                review = loop.time() + REVIEW_SECONDS
                ended = await self._review()
                if ended is not None:
                    yield ended
                    return
            await asyncio.sleep(COALESCED_SECONDS)

    async def _pieces(self) -> list[bytes]:
        """What is new; while it is not known: why, once."""
        try:
            pieces = await self._look()
        except Problem as problem:
            return self._news(problem)
        except CyroidError as exc:
            return self._news(problem_of(exc))
        self._told = b""
        return pieces

    def _news(self, problem: Problem) -> list[bytes]:
        told = event("problem", json.dumps(body_of(problem)).encode())
        if told == self._told:
            return []
        self._told = told
        return [told]

    async def _review(self) -> bytes | None:
        """The last event, where the token is good no more; None: go on."""
        try:
            await self._callers.who(self._token)
        except Problem as problem:
            return event("problem", json.dumps(body_of(problem)).encode())
        except ApiUnavailable:
            return None
        return None


class EventStream(Response):
    """A response without an end; ends when its reader leaves, or takes nothing for too long."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes], streams: Streams, user: str) -> None:
        super().__init__()
        self._pieces = pieces
        self._streams = streams
        self._user = user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        with self._streams.one(self._user):
            start: dict[str, Any] = {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
            await send(start)
            sending = asyncio.ensure_future(self._send(send))
            leaving = asyncio.ensure_future(_left(receive))
            try:
                await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.gather(sending, leaving, return_exceptions=True)
                await self._pieces.aclose()

    async def _send(self, send: Send) -> None:
        async for piece in self._pieces:
            async with asyncio.timeout(SLOW_SECONDS):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def event(name: str, data: bytes) -> bytes:
    """One event; JSON in one line needs no more."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
