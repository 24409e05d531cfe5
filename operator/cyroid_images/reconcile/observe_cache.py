"""What one pass of an ImageCache sees: what is wanted of it, its sources, its registry."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from cyroid_images.errors import Mark, Reason, TransferError
from cyroid_images.model.digest import Digest
from cyroid_images.model.fault import Fault
from cyroid_images.model.image_cache import ImageCache, RefreshPolicy
from cyroid_images.model.knowledge import Place, SourceImage, Stored, Wanted, Wish
from cyroid_images.model.measured import LOOK
from cyroid_images.model.observed import CacheSeen, SourceSeen
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.repository import repository_of, tag_of
from cyroid_images.plan.sources import Sources, resolve
from cyroid_images.reconcile.cache_memory import CacheMemory, CachePass
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.observe_sources import SourceObserver
from cyroid_images.reconcile.site import Site

FRESH_SECONDS = 60.0
"""What the registry was asked for so recently is not asked for again: one HEAD a minute."""


class CacheObserver:
    """Reads board, source engines and registry."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._sources = SourceObserver(site)

    async def observe(
        self, key: Key, item: ImageCache, memory: CacheMemory
    ) -> tuple[CacheSeen, RegistryEndpoint | None]:
        """Look at everything that this cache depends on."""
        wishes = self._wishes(item)
        memory.keep_only(wishes)
        sources = await self._sources.see(CachePass(key, item, memory), wishes)
        endpoint = await self._registry(item, memory)
        if endpoint is not None and memory.misses == 0:
            await self._look_up(item, endpoint, memory, wishes, sources)
        seen = CacheSeen(
            item=item,
            sources=sources,
            registry=memory.registry if memory.has_looked else _NOT_YET,
            write=memory.write,
            wishes=wishes,
            stored={wish: memory.stored[wish] for wish in wishes if wish in memory.stored},
            failures={wish: memory.failures[wish] for wish in wishes if wish in memory.failures},
            now=self._site.clock.now(),
            hosts=dict(memory.upstreams.hosts),
            refilling=frozenset(memory.refilling),
            doubted=frozenset(memory.doubted),
            default=self._site.platform,
        )
        return seen, endpoint

    def _wishes(self, item: ImageCache) -> Mapping[Wish, bool]:
        own = {Wish(each.reference, each.platform): True for each in item.spec.images}
        return {**self._site.board.wishes(item.metadata.name), **own}

    async def _registry(self, item: ImageCache, memory: CacheMemory) -> RegistryEndpoint | None:
        """The push listener, asked whether it lets us in; its answer is in the memory."""
        began = self._site.queue.time()
        try:
            endpoint = await self._let_in(item, memory)
        except TransferError as exc:
            memory.missed(Fault.of(exc), waited=self._site.queue.time() - began)
            return None
        memory.answered()
        return endpoint

    async def _let_in(self, item: ImageCache, memory: CacheMemory) -> RegistryEndpoint:
        """The push listener, once it has let us in.

        What is refused may have been renewed since it was read, with the registry's own.
        """
        endpoint = await self._push_endpoint(item)
        try:
            await self._ping(endpoint, memory)
        except TransferError as exc:
            if exc.reason not in _SECRETS_MAY_BE_OLD:
                raise
            renewed = await self._push_endpoint(item, anew=True)
            if renewed == endpoint:
                raise
            endpoint = renewed
            await self._ping(endpoint, memory)
        return endpoint

    async def _ping(self, endpoint: RegistryEndpoint, memory: CacheMemory) -> None:
        memory.dials(endpoint)
        await self._site.asking.run(lambda: self._site.registries.ping(endpoint))

    async def _push_endpoint(self, item: ImageCache, *, anew: bool = False) -> RegistryEndpoint:
        registry, secrets = item.spec.registry, self._site.secrets
        push, ca = registry.push_secret_ref, registry.ca_secret_ref
        for ref in (push, ca) if anew else ():
            if ref is not None:
                secrets.forget(ref.name)
        return RegistryEndpoint(
            registry.push_url,
            await secrets.credentials(push.name) if push else None,
            await secrets.authority(ca.name) if ca else None,
        )

    async def _look_up(
        self,
        item: ImageCache,
        endpoint: RegistryEndpoint,
        memory: CacheMemory,
        wishes: Mapping[Wish, bool],
        sources: tuple[SourceSeen, ...],
    ) -> None:
        """Ask the registry for what is wanted, as far as the last answer is not fresh."""
        for wish, of_content in self._site.board.take_doubts(item.metadata.name).items():
            memory.lost(wish)
            memory.distrusted.add(wish)
            memory.doubted |= {wish} if of_content else set()
        known = Sources(sources, item.spec.aliases, self._site.platform)
        lookups = [
            self._look_up_one(wish, item, endpoint, memory, resolve(wish, known)) for wish in wishes
        ]
        for failed in await asyncio.gather(*lookups):
            if failed is not None and failed.reason.mark is Mark.INTEGRITY:
                self._site.measures.damaged(LOOK)
            elif failed is not None:
                memory.missed(failed)
                return

    async def _look_up_one(
        self,
        wish: Wish,
        item: ImageCache,
        endpoint: RegistryEndpoint,
        memory: CacheMemory,
        found: SourceImage | Fault,
    ) -> Fault | None:
        """Bring the memory of one wish up to date; the fault if the registry did not tell."""
        source = found if not isinstance(found, Fault) else None
        stored, now = memory.stored.get(wish), asyncio.get_running_loop().time()
        follows = item.spec.refresh.policy is RefreshPolicy.TRACK
        if stored and source and follows and not stored.content.is_same(source.content):
            stored = None  # the tag moved; the new content may be there already
        elif stored and now - memory.checked.get(wish, -FRESH_SECONDS) < FRESH_SECONDS:
            return None
        try:
            kept = await self._kept(wish, stored, endpoint, memory) if stored else None
            kept = kept or await self._find(wish, item, endpoint, memory, source)
        except TransferError as exc:
            return Fault.of(exc)
        if kept is not None:
            memory.found(wish, kept, now)
        elif stored is not None:
            memory.lost(wish)
        return None

    async def _kept(
        self, wish: Wish, stored: Stored, endpoint: RegistryEndpoint, memory: CacheMemory
    ) -> Stored | None:
        """What is stored, if it still is; a tag that was moved there is only remembered."""
        tag = tag_of(wish.reference)
        held = await self._site.asking.run(
            lambda: self._site.registries.holds(endpoint, stored, tag)
        )
        memory.tagged(wish, held.tagged)
        return stored if held.is_there else None

    async def _find(
        self,
        wish: Wish,
        item: ImageCache,
        endpoint: RegistryEndpoint,
        memory: CacheMemory,
        source: SourceImage | None,
    ) -> Stored | None:
        if wish in memory.distrusted and source is not None:
            return None
        repository = repository_of(wish.reference, item.spec.aliases)
        tag: str | Digest = wish.reference.digest or tag_of(wish.reference)
        pinned = _pinned(wish, item)
        place = Place(repository, pinned or tag)
        wanted = Wanted(source.content if source and not pinned else None, wish.platform)
        return await self._site.asking.run(
            lambda: self._site.registries.find(endpoint, place, wanted)
        )


_SECRETS_MAY_BE_OLD = frozenset({Reason.UNAUTHORIZED, Reason.TLS_REJECTED})

_NOT_YET = Fault(Reason.PROGRESSING, "the registry is not looked at yet")


def _pinned(wish: Wish, item: ImageCache) -> Digest | None:
    """With the policy Pin: the digest that the status says was cached first."""
    if item.spec.refresh.policy is not RefreshPolicy.PIN:
        return None
    for row in item.status.image_statuses:
        if row.image == str(wish.reference) and wish.platform in (None, row.platform):
            return row.digest
    return None
