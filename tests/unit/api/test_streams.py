"""A stream: what it sends, when it ends, and that nobody who reads nothing holds it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import pytest

from cyroid_images.api.callers import Callers
from cyroid_images.api.problems import Problem
from cyroid_images.api.streams import (
    HEARTBEAT,
    HEARTBEAT_SECONDS,
    MOST_OF_ONE,
    MOST_STREAMS,
    REVIEW_SECONDS,
    SLOW_SECONDS,
    EventStream,
    StreamOfChanges,
    Streams,
    event,
)
from cyroid_images.api.world import World
from tests.unit.api.test_callers import FakeReviews
from tests.unit.reconcile.clock import run

A_WHILE = 3600.0


async def pieces_of(stream: StreamOfChanges, seconds: float) -> list[bytes]:
    """What it sends within so many seconds."""
    found = []

    async def read() -> None:
        async for piece in stream.events(lambda: False):
            found.append(piece)  # noqa: PERF401 - it is cut

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await read()
    return found


def counting(problems: list[Problem] | None = None) -> Any:
    looks = 0

    async def look() -> list[bytes]:
        nonlocal looks
        looks += 1
        if problems:
            raise problems.pop(0)
        return [event("n", str(looks).encode())]

    return look


def test_changes_that_come_at_once_are_told_together() -> None:
    async def main() -> None:
        world = World()
        stream = StreamOfChanges(world, Callers(FakeReviews()), "good", counting())

        async def change() -> None:
            for _ in range(100):
                await asyncio.sleep(0.01)
                world.touch()

        changing = asyncio.ensure_future(change())
        sent = await pieces_of(stream, 5)
        await changing
        assert 2 <= len([piece for piece in sent if piece.startswith(b"event")]) <= 5

    run(main())


def test_silence_is_filled() -> None:
    async def main() -> None:
        stream = StreamOfChanges(World(), Callers(FakeReviews()), "good", counting())
        sent = await pieces_of(stream, 2.5 * HEARTBEAT_SECONDS)
        assert sent.count(HEARTBEAT) == 2

    run(main())


def test_it_ends_with_the_token() -> None:
    async def main() -> None:
        reviews = FakeReviews()
        stream = StreamOfChanges(World(), Callers(reviews), "good", counting())
        reading = asyncio.ensure_future(pieces_of(stream, A_WHILE))
        await asyncio.sleep(REVIEW_SECONDS / 2)
        reviews.known.clear()
        began = asyncio.get_running_loop().time()
        sent = await reading
        assert b'"status": 401' in sent[-1]
        assert asyncio.get_running_loop().time() - began < 2 * REVIEW_SECONDS

    run(main())


def test_an_api_server_that_is_away_ends_no_stream() -> None:
    async def main() -> None:
        reviews = FakeReviews()
        reviews.is_away = True
        stream = StreamOfChanges(World(), Callers(reviews), "good", counting())
        assert (await pieces_of(stream, 5 * REVIEW_SECONDS)).count(HEARTBEAT) > 5

    run(main())


def test_what_is_not_known_is_said_once() -> None:
    async def main() -> None:
        away = [Problem(503, "away") for _ in range(3)]
        stream = StreamOfChanges(World(), Callers(FakeReviews()), "good", counting(away))
        sent = await pieces_of(stream, 5 * HEARTBEAT_SECONDS)
        told = [piece.split(b"\n")[0] for piece in sent if piece.startswith(b"event")]
        assert told[0] == b"event: problem"
        assert told[1:] == [b"event: n"] * (len(told) - 1)
        assert len(told) > 1

    run(main())


def test_there_are_so_many_streams() -> None:
    streams = Streams()
    with contextlib.ExitStack() as stack:
        for number in range(MOST_STREAMS):
            stack.enter_context(streams.one(f"user-{number // MOST_OF_ONE}"))
        with pytest.raises(Problem) as refused, streams.one("another"):
            pass
        assert refused.value.status == 503
    assert len(streams) == 0


def test_one_user_has_so_many_streams() -> None:
    streams = Streams()
    with contextlib.ExitStack() as stack:
        for _ in range(MOST_OF_ONE):
            stack.enter_context(streams.one("ann"))
        with pytest.raises(Problem) as refused, streams.one("ann"):
            pass
        assert refused.value.status == 429
        with streams.one("bob"):
            assert len(streams) == MOST_OF_ONE + 1


async def _endless() -> AsyncGenerator[bytes]:
    while True:
        yield b": x\n\n"
        await asyncio.sleep(1)


async def _never() -> MutableMapping[str, Any]:
    await asyncio.sleep(A_WHILE)
    return {"type": "http.disconnect"}


def test_who_takes_nothing_is_dropped() -> None:
    async def main() -> None:
        streams, sent = Streams(), 0

        async def send(_: MutableMapping[str, Any]) -> None:
            nonlocal sent
            sent += 1
            if sent > 3:
                await asyncio.sleep(A_WHILE)

        began = asyncio.get_running_loop().time()
        await EventStream(_endless(), streams, "ann")({}, _never, send)
        assert asyncio.get_running_loop().time() - began < 2 * SLOW_SECONDS
        assert len(streams) == 0

    run(main())


def test_who_leaves_gives_the_place_back() -> None:
    async def main() -> None:
        streams = Streams()

        async def send(_: MutableMapping[str, Any]) -> None: ...

        async def leave() -> MutableMapping[str, Any]:
            await asyncio.sleep(5)
            return {"type": "http.disconnect"}

        await EventStream(_endless(), streams, "ann")({}, leave, send)
        assert len(streams) == 0

    run(main())
