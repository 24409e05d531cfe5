"""The client for callers that await; one event loop per client."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from cyroid_images.client import wire
from cyroid_images.client.options import ClientOptions, Token, token_now
from cyroid_images.client.steps import (
    Asker,
    Done,
    Give,
    Head,
    Open,
    Outward,
    Pause,
    Program,
    StreamedBody,
    advance,
)
from cyroid_images.client.surface import AwaitingSender, Surface

T = TypeVar("T")


class AsyncClient(Surface, AwaitingSender):
    """The same as `Client` with the same methods; what gives one answer is awaited."""

    def __init__(
        self,
        url: str,
        token: Token = None,
        *,
        options: ClientOptions | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`url` is the address before `/api/v1`; `transport` replaces the network."""
        self._options = options or ClientOptions()
        self._token = token
        self._http = httpx.AsyncClient(**wire.connection(url, self._options), transport=transport)
        self.asker = Asker(self._options, time.monotonic)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End its connections."""
        await self._http.aclose()

    async def one(self, program: Program[T]) -> T:
        async with aclosing(self._told(program)) as told:
            async for step in told:
                if isinstance(step, Done):
                    return step.value
        raise AssertionError("a program ends with Done")

    async def each(self, program: Program[Any]) -> AsyncGenerator[Any]:
        async with aclosing(self._told(program)) as told:
            async for step in told:
                if isinstance(step, Give):
                    yield step.item

    async def _told(self, program: Program[T]) -> AsyncGenerator[Give[Any] | Done[T]]:
        async with _AsyncExchange(self._http, self._options, self._token) as exchange:
            came: object = None
            while True:
                step = advance(program, came)
                if isinstance(step, Done):
                    yield step
                    return
                if isinstance(step, Give):
                    yield step
                    came = None
                else:
                    came = await exchange.do(step)


class _AsyncExchange(AsyncExitStack):
    """One call after the other; leaving it ends what is open."""

    def __init__(self, http: httpx.AsyncClient, options: ClientOptions, token: Token) -> None:
        super().__init__()
        self._http = http
        self._options = options
        self._token = token
        self._chunks: AsyncIterator[bytes] = _awaited(iter(()))

    async def do(self, step: Outward) -> object:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            if isinstance(step, Open):
                return await self._open(step)
            return await anext(self._chunks, b"")
        except httpx.HTTPError as exc:
            return wire.no_answer(step.call, exc)

    async def _open(self, step: Open) -> Head:
        await self.aclose()
        token = await asyncio.to_thread(token_now, self._token)
        arguments = wire.request(step, self._options, token)
        if isinstance(step.call.body, StreamedBody):
            arguments["content"] = _awaited(step.call.body.chunks)
        response = await self.enter_async_context(self._http.stream(**arguments))
        self._chunks = response.aiter_bytes()
        return Head(response.status_code, response.headers)


async def _awaited(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """What is read from a disk would hold up the event loop."""
    while chunk := await asyncio.to_thread(next, chunks, b""):
        yield chunk
