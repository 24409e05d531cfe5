"""One test for both clients: `Both` calls that which blocks or that which is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from cyroid_images.client import AsyncClient, Client, ClientOptions
from cyroid_images.client.options import Token

Make = Callable[..., "Both"]


class Both:
    """Calls by name, so that one test speaks to either; types are the type checker's task."""

    def __init__(
        self, url: str, token: Token = None, *, awaits: bool, options: ClientOptions | None = None
    ) -> None:
        self._arguments = (url, token, options)
        self._awaits = awaits

    def call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """What the method answers."""
        url, token, options = self._arguments
        if not self._awaits:
            with Client(url, token, options=options) as client:
                return getattr(client, method)(*args, **kwargs)

        async def awaited() -> Any:
            async with AsyncClient(url, token, options=options) as client:
                return await getattr(client, method)(*args, **kwargs)

        return asyncio.run(awaited())

    def take(self, count: int, method: str, *args: Any, **kwargs: Any) -> list[Any]:
        """The first so many things that the method gives; fewer where it ends before."""
        taken: list[Any] = []

        def see(item: Any) -> bool:
            taken.append(item)
            return len(taken) == count

        self.each(see, method, *args, **kwargs)
        return taken

    def each(self, see: Callable[[Any], object], method: str, *args: Any, **kwargs: Any) -> None:
        """Show everything that the method gives, until `see` says True."""
        url, token, options = self._arguments
        if not self._awaits:
            with Client(url, token, options=options) as client:
                for item in getattr(client, method)(*args, **kwargs):
                    if see(item) is True:
                        return
            return

        async def awaited() -> None:
            async with AsyncClient(url, token, options=options) as client:
                given: AsyncGenerator[Any] = getattr(client, method)(*args, **kwargs)
                async with aclosing(given):
                    async for item in given:
                        if see(item) is True:
                            return

        asyncio.run(awaited())
