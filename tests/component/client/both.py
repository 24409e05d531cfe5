"""One test for both clients: `Both` calls that which blocks or that which is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
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
        url, token, options = self._arguments
        taken: list[Any] = []
        if not self._awaits:
            with Client(url, token, options=options) as client:
                for item in getattr(client, method)(*args, **kwargs):
                    taken.append(item)
                    if len(taken) == count:
                        break
            return taken

        async def awaited() -> None:
            async with AsyncClient(url, token, options=options) as client:
                given: AsyncIterator[Any] = getattr(client, method)(*args, **kwargs)
                async for item in given:
                    taken.append(item)
                    if len(taken) == count:
                        break
                await given.aclose()  # type: ignore[attr-defined]

        asyncio.run(awaited())
        return taken
