"""The two kinds as they are now, told by one watch each, and what changed.

What is not known is never shown as empty: as long as the Kubernetes API does not answer,
everything that asks gets a 503 with why and since when.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from cyroid_images.api.changed import KnownRange, RangesByName, name_in
from cyroid_images.api.problems import RETRY, Problem
from cyroid_images.errors import CyroidError
from cyroid_images.kube.following import Item
from cyroid_images.model.images.repository import StoredAs
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.used_by import used_by


class Contact:
    """Whether what is known of one kind is current."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._is_listed = False
        self._last = datetime.now(UTC)
        self._why = ""

    @property
    def is_lost(self) -> bool:
        return bool(self._why) or not self._is_listed

    def listed(self) -> None:
        self._is_listed = True

    def kept(self) -> None:
        self._last = datetime.now(UTC)
        self._why = ""

    def lost(self, why: str) -> None:
        self._why = why

    def require(self) -> None:
        """A 503 unless it is current."""
        if self.is_lost:
            since = self._last.strftime("%Y-%m-%dT%H:%M:%SZ")
            why = self._why or "it was not read yet since this API started"
            raise Problem(
                503, f"{self._kind} are not known since {since}: {why}; try again", headers=RETRY
            )


class World:
    """Everything that the watches told; used in the event loop only."""

    def __init__(self) -> None:
        self.version = 0
        """Grows with every change."""
        self.caches_contact = Contact("ImageCaches")
        self.ranges_contact = Contact("RangeImages")
        self._caches: dict[str, ImageCache] = {}
        self._broken: dict[str, str] = {}
        """By name: what is wrong with a cache that cannot be read."""
        self._ranges = RangesByName()
        self._changed = asyncio.Event()
        self._used: dict[str, tuple[int, Mapping[StoredAs, tuple[str, ...]]]] = {}

    # -- what is known ----------------------------------------------------------------

    def caches(self) -> list[ImageCache]:
        """All that can be read, by name; a 503 when that is not known."""
        self.caches_contact.require()
        return [self._caches[name] for name in sorted(self._caches)]

    def cache(self, name: str) -> ImageCache:
        """One of them; a 404 where there is none."""
        self.caches_contact.require()
        found = self._caches.get(name)
        if found is not None:
            return found
        if name in self._broken:
            raise Problem(503, f"ImageCache {name} breaks a rule of its kind: {self._broken[name]}")
        raise Problem(404, f"there is no ImageCache {name}")

    def ranges(self) -> RangesByName:
        """All ranges; a 503 when they are not known."""
        self.ranges_contact.require()
        return self._ranges

    def range(self, namespace: str, name: str) -> KnownRange:
        """One of them; a 404 where there is none."""
        found = self.ranges().get(namespace, name)
        if found is None:
            raise Problem(404, f"there is no RangeImages {name} in namespace {namespace}")
        return found

    def used_by(self, cache: ImageCache) -> Mapping[StoredAs, tuple[str, ...]]:
        """Which ranges want what of this cache; computed once per change."""
        name, ranges = cache.metadata.name, self.ranges()
        version, found = self._used.get(name, (-1, {}))
        if version != self.version:
            found = used_by(cache, ranges.items())
            self._used[name] = (self.version, found)
        return found

    async def wait(self, seen: int, seconds: float) -> bool:
        """Until something changed after version `seen`; False: nothing did for so long."""
        if self.version != seen:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return False
        return True

    # -- what the watches tell --------------------------------------------------------

    def touch(self) -> None:
        """Wake all who wait for a change."""
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def put_cache(self, body: Item) -> None:
        name = name_in(body)[1]
        self._caches.pop(name, None)
        self._broken.pop(name, None)
        try:
            self._caches[name] = ImageCache.parse(body)
        except CyroidError as exc:
            self._broken[name] = str(exc)

    def drop_cache(self, name: str) -> None:
        self._caches.pop(name, None)
        self._broken.pop(name, None)
        self._used.pop(name, None)

    @property
    def told_ranges(self) -> RangesByName:
        """As they were told last, whether that is current or not."""
        return self._ranges

    @property
    def told_caches(self) -> frozenset[str]:
        """Names, as they were told last."""
        return frozenset(self._caches) | frozenset(self._broken)


class _Told:
    """What both followers have in common."""

    def __init__(self, world: World, contact: Contact) -> None:
        self._world = world
        self._contact = contact

    def in_contact(self) -> None:
        was_lost = self._contact.is_lost
        self._contact.kept()
        if was_lost:
            self._world.touch()

    def lost(self, why: str) -> None:
        was_lost = self._contact.is_lost
        self._contact.lost(why)
        if not was_lost:
            self._world.touch()


class CachesFollower(_Told):
    """Told of ImageCaches by `kube.following`."""

    def __init__(self, world: World) -> None:
        super().__init__(world, world.caches_contact)

    def replaced(self, items: Sequence[Item]) -> None:
        for name in self._world.told_caches - {name_in(item)[1] for item in items}:
            self._world.drop_cache(name)
        for item in items:
            self._world.put_cache(item)
        self._contact.listed()
        self._world.touch()

    def changed(self, item: Item) -> None:
        self._world.put_cache(item)
        self._world.touch()

    def removed(self, item: Item) -> None:
        self._world.drop_cache(name_in(item)[1])
        self._world.touch()


class RangesFollower(_Told):
    """Told of RangeImages by `kube.following`."""

    def __init__(self, world: World) -> None:
        super().__init__(world, world.ranges_contact)

    def replaced(self, items: Sequence[Item]) -> None:
        self._world.told_ranges.replace(items)
        self._contact.listed()
        self._world.touch()

    def changed(self, item: Item) -> None:
        self._world.told_ranges.put(item)
        self._world.touch()

    def removed(self, item: Item) -> None:
        self._world.told_ranges.remove(name_in(item))
        self._world.touch()
