"""What every route works with, and how a route gets it."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query, Request

from cyroid_images.api.callers import Callers
from cyroid_images.api.changing import Changing
from cyroid_images.api.contents import RegistryContents
from cyroid_images.api.examining import Examining
from cyroid_images.api.remembered import Remembered
from cyroid_images.api.streams import Streams
from cyroid_images.api.world import World
from cyroid_images.blueprints.receiving import ArchiveUploads
from cyroid_images.kube.resources import GROUP
from cyroid_images.kube.reviews import Caller
from cyroid_images.kube.rights import Right
from cyroid_images.model.kinds.fields import NAME
from cyroid_images.model.kinds.image_cache import ImageCache


@dataclass(slots=True)
class Services:
    """Made once per process."""

    world: World
    callers: Callers
    changing: Changing
    contents: RegistryContents
    examining: Examining | None = None
    uploads: ArchiveUploads = field(default_factory=lambda: ArchiveUploads(None))
    """Without an archive volume each is refused."""
    streams: Streams = field(default_factory=Streams)
    told: Remembered[Hashable, list[bytes]] = field(default_factory=lambda: Remembered(2.0, 16))
    """What streams send, by what their readers saw before: made once for all of them."""
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True, slots=True)
class Asking:
    """One request: who asks, for which cache, and what answers it."""

    caller: Caller
    token: str
    cache: str
    services: Services

    @property
    def world(self) -> World:
        return self.services.world

    async def may_see(self) -> ImageCache:
        """The cache that is asked about; a 403 for who may not read it."""
        await self._require("get", f"see ImageCache {self.cache}")
        return self.world.cache(self.cache)

    async def may_push(self) -> ImageCache:
        """The same for who may push into it."""
        await self._require("patch", f"push into ImageCache {self.cache}")
        return self.world.cache(self.cache)

    async def may_delete(self, what: str = "delete images of") -> ImageCache:
        """The same for who may delete in it."""
        await self._require("delete", f"{what} ImageCache {self.cache}")
        return self.world.cache(self.cache)

    async def may(self, right: Right) -> bool:
        return await self.services.callers.may(self.caller, right)

    async def require(self, right: Right, what: str) -> None:
        await self.services.callers.require(self.caller, right, what)

    async def _require(self, verb: str, what: str) -> None:
        await self.require(Right(verb, GROUP, "imagecaches", name=self.cache), what)


def services_of(request: Request) -> Services:
    """Those of the application."""
    found: Services = request.app.state.services
    return found


def _asking(
    request: Request,
    cache: Annotated[
        str, Query(pattern=NAME, max_length=63, description="Name of the ImageCache.")
    ] = "default",
) -> Asking:
    return Asking(request.state.caller, request.state.token, cache, services_of(request))


def _asking_all(request: Request) -> Asking:
    return Asking(request.state.caller, request.state.token, "", services_of(request))


AboutCache = Annotated[Asking, Depends(_asking)]
"""For what is about one cache, chosen by `?cache=`."""
AboutAll = Annotated[Asking, Depends(_asking_all)]
"""For what is about no cache in particular."""

PageSize = Annotated[int, Query(ge=1, le=500)]
WholeList = Annotated[int, Query(ge=1, le=10_000)]
PageStart = Annotated[int, Query(ge=0, le=1_000_000)]
NamePart = Annotated[str, Query(max_length=200, description="Part of a name.")]
