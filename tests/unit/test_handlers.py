"""What an event loop may say at its end, and what it must say."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from cyroid_images.handlers import tell_error


async def streaming_block() -> AsyncIterator[None]:
    """As kopf's: it waits for something at its end."""
    try:
        yield
    finally:
        waiter = asyncio.create_task(asyncio.sleep(0))
        await waiter


async def infinite_watch() -> AsyncIterator[int]:
    """As kopf's: a generator around another one."""
    async with contextlib.asynccontextmanager(streaming_block)():
        yield 1
        await asyncio.Event().wait()


async def another_generator() -> AsyncIterator[int]:
    yield 1


async def left_between_two_events(generator: AsyncIterator[int]) -> None:
    """Take one event of it, and end."""
    asyncio.get_running_loop().set_exception_handler(tell_error)
    assert await anext(generator) == 1


def test_b29_a_watch_that_is_left_between_two_events_is_no_error_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = infinite_watch()
    with caplog.at_level("DEBUG", logger="cyroid_images"):
        asyncio.run(left_between_two_events(watch))
    assert [line.getMessage() for line in caplog.records if line.levelname != "DEBUG"] == []


@pytest.mark.parametrize(
    ("generator", "text", "is_told"),
    [
        (infinite_watch, "generator didn't stop after athrow()", False),
        (infinite_watch, "athrow(): asynchronous generator is already running", False),
        (streaming_block, "aclose(): asynchronous generator is already running", False),
        (infinite_watch, "the stream is broken", True),
        (another_generator, "generator didn't stop after athrow()", True),
    ],
)
def test_b29_only_that_error_of_that_generator_is_none(
    generator: Callable[[], AsyncIterator[int | None]],
    text: str,
    caplog: pytest.LogCaptureFixture,
    *,
    is_told: bool,
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(tell_error)
        error = {"message": "closing", "exception": RuntimeError(text), "asyncgen": generator()}
        loop.call_exception_handler(error)

    asyncio.run(main())
    assert (text in caplog.text) is is_told


def test_an_error_in_a_callback_is_told(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(tell_error)
        loop.call_soon(lambda: 1 // 0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert "ZeroDivisionError" in caplog.text
