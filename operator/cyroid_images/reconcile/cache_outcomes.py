"""What came of the moves of a cache, and whose tags moved: remembered, and told to people."""

from __future__ import annotations

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Copy, Fill, Push
from cyroid_images.model.image_cache import ImageCache
from cyroid_images.model.knowledge import HeldByUpstream, Stored
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.pushed import Pushed
from cyroid_images.plan import backoff
from cyroid_images.plan.cache import drifted
from cyroid_images.reconcile.cache_memory import CacheMemory
from cyroid_images.reconcile.job import Ended
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.site import Site


class CacheOutcomes:
    """Between the jobs and a cache's memory."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def take(self, key: Key, item: ImageCache, memory: CacheMemory) -> None:
        """Everything that has ended for this cache since its last pass."""
        for ended in self._site.jobs.take_ended(key):
            fill = ended.move.action
            if not isinstance(fill, Push | Copy):
                continue
            if ended.fault is not None:
                before, now = memory.failures.get(fill.wish), self._site.clock.now()
                spread = self._site.clock.spread()
                failure = backoff.failed(before, ended.fault, now, spread=spread)
                memory.refused(fill.wish, failure)
                if isinstance(fill.source, HeldByUpstream):
                    memory.upstreams.refused(fill.source.upstream.host, failure)
                continue
            memory.pushed(fill.wish, _stored(ended), self._site.queue.time())
            await self._tell_filled(key, item, fill, ended)

    async def _tell_filled(self, key: Key, item: ImageCache, fill: Fill, ended: Ended) -> None:
        manifest = _stored(ended).manifest
        await self._site.reporter.note(
            key,
            item.metadata,
            Reason.IMAGE_PUSHED,
            f"{fill.wish} is in the registry as {fill.to.repository}@{manifest.digest}"
            f" ({manifest.size} bytes, from {fill.source.source}{_how(ended)},"
            f" in {ended.seconds:.1f} s)",
            about=f"{fill.wish}/{manifest.digest}",
        )
        if isinstance(ended.result, Pushed) and ended.result.is_partial:
            await self._site.reporter.note(
                key,
                item.metadata,
                Reason.PARTIAL_PLATFORM_IMAGE,
                f"{fill.source.source} has only a part of the index {fill.source.id} that"
                f" {fill.wish} names; the registry has its {manifest.digest} for"
                f" {_stored(ended).content.platform}",
                about=f"{fill.wish}/{manifest.digest}",
            )

    async def tell_moved_tags(self, key: Key, seen: CacheSeen, memory: CacheMemory) -> None:
        """Tags that moved at their source, once per new content."""
        moved_tags = {wish: moved for wish in seen.wishes if (moved := drifted(wish, seen))}
        memory.told &= {(wish, found.id) for wish, (_, found) in moved_tags.items()}
        for wish, (stored, found) in moved_tags.items():
            if (wish, found.id) in memory.told:
                continue
            memory.told.add((wish, found.id))
            await self._site.reporter.note(
                key,
                seen.item.metadata,
                Reason.NEW_DIGEST,
                f"{wish} moved in {found.source}: from {stored.manifest.digest} to {found.id}",
                about=f"{wish}/{found.id}",
            )

    async def tell_foreign_tags(self, key: Key, seen: CacheSeen, memory: CacheMemory) -> None:
        """Harmless, as engines pull by digest; somebody should know all the same."""
        memory.warned.intersection_update(memory.foreign.items())
        for wish, digest in memory.foreign.items():
            if (wish, digest) in memory.warned or wish not in memory.stored:
                continue
            memory.warned.add((wish, digest))
            stored = memory.stored[wish]
            await self._site.reporter.note(
                key,
                seen.item.metadata,
                Reason.REGISTRY_TAG_DRIFT,
                f"somebody moved the tag of {wish} in the registry ({stored.repository}) to"
                f" {digest}; ranges still get {stored.manifest.digest}",
                about=f"{wish}/{digest}",
            )


def _stored(ended: Ended) -> Stored:
    """What a move into the registry ended with."""
    result: Pushed | Stored = ended.result
    return result.stored if isinstance(result, Pushed) else result


def _how(ended: Ended) -> str:
    """Which of the ways of a push it went, and why; a copy has only one."""
    if not isinstance(ended.result, Pushed):
        return ""
    why = f" ({ended.result.why})" if ended.result.why else ""
    return f", {ended.result.how}{why}"
