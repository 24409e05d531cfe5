"""What the registry of a cache holds, by its own lists and manifests; shared by all readers.

The lists of a large registry cost one request per name: they are kept the longer the more they
cost, and what a push or a removal touched is listed anew at once. Blocking calls run in threads of
their own, each with a deadline. The pull listener is asked: it needs no password.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from cyroid_images.api.remembered import Remembered
from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import content_of_config
from cyroid_images.model.images.manifest import Index, Manifest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.overview.used_by import stored_as
from cyroid_images.registry.client import RegistryClient
from cyroid_images.registry.listing import RegistryListing
from cyroid_images.scheduling.cancel_scope import NEVER
from cyroid_images.scheduling.threads import Threads

T = TypeVar("T")

MOST_REPOSITORIES = 10_000
MOST_TAGS = 1000
"""Of one repository."""
THREADS = 8
CALL_SECONDS = 10.0
CATALOG_SECONDS = 60.0
LIST_SECONDS = 600.0
"""For all lists of one registry: 10,000 of them take a minute and a half on a busy machine."""
WAIT_SECONDS = 20.0
"""Who asks waits for lists so long, and is told how far they are then."""
KEPT_SECONDS = 5.0
KEPT_PER_SECOND = 30.0
"""A list is kept for so many seconds per second that it took: a thirtieth of a core at most."""
SLOW_SECONDS = 1.0
"""Who asks does not wait for longer lists than these, where older ones are known."""
MOST_TOUCHED = 64
"""More names than these that changed: everything is listed again."""
MOST_CHILDREN = 16
"""Platforms of an index that are looked at."""

TagLists = Mapping[str, tuple[str, ...]]
"""By repository: its tags."""
TagMarks = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """What a digest in the registry is; it never changes."""

    digest: Digest
    size_bytes: int | None
    platform: str | None


@dataclass(slots=True)
class _Held:
    """What is known of one registry."""

    endpoint: RegistryEndpoint
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    marks: TagMarks = frozenset()
    until: float = -1.0
    """When it is listed again."""
    seconds: float = 0.0
    """How long that takes."""
    is_known: bool = False
    stale: set[str] = field(default_factory=set)
    """Repositories that were changed by ourselves."""
    names: int = 0
    """Of the lists that are being read, and how many were."""
    read: int = 0
    again: asyncio.Task[None] | None = None
    """It is listed again, and what was known serves meanwhile."""


class RegistryContents:
    """The registries of all caches; raises TransferError when one does not tell."""

    def __init__(self, ca: str | None = None) -> None:
        """`ca`: PEM that vouches for registries; absent: the CAs of the system."""
        self._ca = ca
        self._threads = Threads("registry", THREADS, share=THREADS)
        self._listing = Threads("lists", THREADS, share=THREADS)
        """Of their own: who asks about one image does not wait for the lists of thousands."""
        self.on_listed: Callable[[], None] = lambda: None
        """Told when slow lists were read, which nobody waited for."""
        self._held: dict[str, _Held] = {}
        self._lists: Remembered[str, TagLists] = Remembered(0.5, 64)
        self._failed: dict[str, tuple[float, TransferError]] = {}
        self._tags: Remembered[tuple[str, str, str], Digest | None] = Remembered(2.0, 5000)
        self._manifests: Remembered[tuple[str, str, str], StoredManifest | None] = Remembered(
            3600.0, 20_000
        )

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.close()
        self._listing.close()

    async def lists(self, cache: ImageCache, seconds: float = WAIT_SECONDS) -> TagLists:
        """Repositories and their tags, as of some seconds ago at most.

        Who asks waits for so long at most; the lists of a large registry are read on meanwhile.
        """
        name = cache.metadata.name
        failed = self._failed.get(name)
        if failed is not None and failed[0] > time.monotonic():
            raise failed[1]
        try:
            async with asyncio.timeout(seconds):
                found = await self._lists.get(name, lambda: self._refreshed(cache))
        except TimeoutError:
            raise self._still_reading(cache) from None
        except TransferError as exc:
            self._failed[name] = (time.monotonic() + KEPT_SECONDS, exc)
            raise
        self._failed.pop(name, None)
        return found

    async def digest(self, cache: ImageCache, repository: str, tag: str) -> Digest | None:
        """What a tag names now; None: the registry has no such tag."""
        endpoint = self._endpoint(cache)

        def ask() -> Digest | None:
            late = _late(f"look for {repository}:{tag}", endpoint)
            with NEVER.within(CALL_SECONDS, late) as scope:
                return RegistryClient(endpoint).tag_digest(repository, tag, scope)

        key = (endpoint.url, repository, tag)
        return await self._tags.get(key, lambda: self._threads.run(ask))

    async def manifest(self, cache: ImageCache, repository: str, tag: str) -> StoredManifest | None:
        """What is stored under a tag; None: there is no such tag."""
        digest = await self.digest(cache, repository, tag)
        if digest is None:
            return None
        endpoint = self._endpoint(cache)

        def ask() -> StoredManifest | None:
            return _read(endpoint, repository, digest)

        key = (endpoint.url, repository, str(digest))
        return await self._manifests.get(key, lambda: self._threads.run(ask))

    def forget(self, cache: ImageCache, repository: str, tag: str) -> None:
        """It was changed just now: ask again."""
        self._tags.forget((self._endpoint(cache).url, repository, tag))
        self._lists.forget(cache.metadata.name)
        if held := self._held.get(cache.metadata.name):
            held.stale.add(repository)

    def _still_reading(self, cache: ImageCache) -> TransferError:
        endpoint = self._endpoint(cache)
        held = self._held.get(cache.metadata.name)
        is_begun = held is not None and held.names
        told = f"{held.read} of {held.names} names so far" if held and is_begun else "no answer yet"
        text = f"the lists of {endpoint.host} are being read, {told}"
        return TransferError(Reason.PROGRESSING, text)

    def _endpoint(self, cache: ImageCache) -> RegistryEndpoint:
        registry = cache.spec.registry
        scheme = "http" if registry.push_url.startswith("http://") else "https"
        return RegistryEndpoint(f"{scheme}://{registry.pull_host}", None, self._ca)

    async def _refreshed(self, cache: ImageCache) -> TagLists:
        endpoint = self._endpoint(cache)
        held = self._held.setdefault(cache.metadata.name, _Held(endpoint))
        marks = marks_of(cache)
        touched = {repository for repository, _ in held.marks ^ marks} | held.stale
        is_known = held.is_known and held.endpoint == endpoint and len(touched) <= MOST_TOUCHED
        is_due = held.until < time.monotonic()
        if not is_known or (is_due and held.seconds < SLOW_SECONDS):
            return await self._all(held, endpoint, marks)
        if is_due and held.again is None:
            held.again = asyncio.ensure_future(self._again(held, endpoint, marks))
        if touched:
            held.lists |= await self._list(held, endpoint, touched)
            held.marks = marks
            held.stale -= touched
        return _shown(held)

    async def _again(self, held: _Held, endpoint: RegistryEndpoint, marks: TagMarks) -> None:
        """In the background; where it fails, whoever asks next is told why."""
        try:
            await self._all(held, endpoint, marks)
        except TransferError:
            held.is_known = False
        finally:
            held.again = None

    async def _all(self, held: _Held, endpoint: RegistryEndpoint, marks: TagMarks) -> TagLists:
        began = time.monotonic()
        late = _late("list repositories", endpoint)

        def catalog() -> list[str]:
            listing = RegistryListing(endpoint, answer_seconds=CATALOG_SECONDS)
            with NEVER.within(CATALOG_SECONDS, late) as scope:
                return listing.repositories(MOST_REPOSITORIES, scope)

        names = await self._listing.run(catalog)
        held.lists = await self._list(held, endpoint, names)
        held.endpoint, held.marks, held.stale = endpoint, marks, set()
        now = time.monotonic()
        held.seconds = now - began
        held.until = now + max(KEPT_SECONDS, KEPT_PER_SECOND * held.seconds)
        held.is_known = True
        if held.seconds > SLOW_SECONDS:
            self.on_listed()
        return _shown(held)

    async def _list(
        self, held: _Held, endpoint: RegistryEndpoint, names: Collection[str]
    ) -> dict[str, tuple[str, ...]]:
        """The tags of these, by some threads; the first failure ends it."""
        late = _late("list all tags", endpoint)
        waiting = iter(sorted(names))
        listing = RegistryListing(endpoint)
        held.names, held.read = len(names), 0
        with NEVER.within(LIST_SECONDS, late) as scope:

            def some() -> dict[str, tuple[str, ...]]:
                found = {}
                for name in waiting:  # shared: a list iterator hands out each name once
                    try:
                        found[name] = tuple(listing.tags(name, MOST_TAGS, scope) or ())
                    except TransferError as exc:
                        scope.cancel(exc)
                        raise
                    held.read += 1
                return found

            parts = await _all_of(self._listing, some)
        return {name: tags for part in parts for name, tags in part.items()}


def _shown(held: _Held) -> TagLists:
    """Without names that lost their last tag."""
    return {name: tags for name, tags in held.lists.items() if tags}


async def _all_of(threads: Threads, call: Callable[[], T]) -> list[T]:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_caught(threads, call)) for _ in range(THREADS)]
    results: list[T] = []
    for task in tasks:
        result, error = task.result()
        if error is not None:
            raise error
        assert result is not None  # noqa: S101 - one of both
        results.append(result)
    return results


async def _caught(threads: Threads, call: Callable[[], T]) -> tuple[T | None, TransferError | None]:
    """A group would wrap it otherwise."""
    try:
        return await threads.run(call), None
    except TransferError as exc:
        return None, exc


def _read(endpoint: RegistryEndpoint, repository: str, digest: Digest) -> StoredManifest | None:
    late = _late(f"read {repository}@{digest}", endpoint)
    client = RegistryClient(endpoint)
    with NEVER.within(CALL_SECONDS, late) as scope:
        fetched = client.manifest(repository, digest, scope)
        match fetched.parsed if fetched else None:
            case Manifest() as manifest:
                config = client.config(repository, manifest.config, scope)
                content = content_of_config(config, manifest=digest)
                return StoredManifest(digest, manifest.size, str(content.platform))
            case Index() as index:
                there = [each for each in index.entries if each.platform][:MOST_CHILDREN]
                found = [
                    client.manifest(repository, each.descriptor.digest, scope) for each in there
                ]
                parts = [each.parsed for each in found if each is not None]
                sizes = [each.size for each in parts if isinstance(each, Manifest)]
                names = ", ".join(sorted({str(each.platform) for each in there}))
                return StoredManifest(digest, sum(sizes), names or None)
            case _:
                return None


def marks_of(cache: ImageCache) -> TagMarks:
    """By repository: what status says of it. Where that changes, its tags may have."""
    found = {
        (row.repository, str(row.digest))
        for row in cache.status.image_statuses
        if row.digest and row.repository
    }
    for row in cache.status.removed_images:
        with contextlib.suppress(InvalidReference):
            repository, tag = stored_as(cache, Reference.parse(row.image))
            found.add((repository, f"{tag} {row.is_removed}"))
    return frozenset(found)


def _late(act: str, endpoint: RegistryEndpoint) -> TransferError:
    return TransferError(Reason.TIMEOUT, f"{act} at {endpoint.host}: not complete in time")
