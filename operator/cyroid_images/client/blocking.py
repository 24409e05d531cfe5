"""The client for callers that block; it may be used by several threads at once."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing
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
from cyroid_images.client.surface import BlockingSender, Surface

T = TypeVar("T")


class Client(Surface, BlockingSender):
    """CYROID's image delivery: every method is described where `Surface` lists it.

    `token` may be a function, which is asked before each call (`token_file()` in a pod).
    """

    def __init__(
        self,
        url: str,
        token: Token = None,
        *,
        options: ClientOptions | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`url` is the address before `/api/v1`; `transport` replaces the network."""
        self._options = options or ClientOptions()
        self._token = token
        self._http = httpx.Client(**wire.connection(url, self._options), transport=transport)
        self.asker = Asker(self._options, time.monotonic)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End its connections."""
        self._http.close()

    def one(self, program: Program[T]) -> T:
        with closing(self._told(program)) as told:
            for step in told:
                if isinstance(step, Done):
                    return step.value
        raise AssertionError("a program ends with Done")

    def each(self, program: Program[Any]) -> Iterator[Any]:
        return (step.item for step in self._told(program) if isinstance(step, Give))

    def _told(self, program: Program[T]) -> Generator[Give[Any] | Done[T]]:
        with _Exchange(self._http, self._options, self._token) as exchange:
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
                    came = exchange.do(step)


class _Exchange(ExitStack):
    """One call after the other; leaving it ends what is open."""

    def __init__(self, http: httpx.Client, options: ClientOptions, token: Token) -> None:
        super().__init__()
        self._http = http
        self._options = options
        self._token = token
        self._chunks: Iterator[bytes] = iter(())

    def do(self, step: Outward) -> object:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            return self._open(step) if isinstance(step, Open) else next(self._chunks, b"")
        except httpx.HTTPError as exc:
            return wire.no_answer(step.call, exc)

    def _open(self, step: Open) -> Head:
        self.close()
        arguments = wire.request(step, self._options, token_now(self._token))
        if isinstance(step.call.body, StreamedBody):
            arguments["content"] = step.call.body.chunks
        response = self.enter_context(self._http.stream(**arguments))
        self._chunks = response.iter_bytes()
        return Head(response.status_code, response.headers)
