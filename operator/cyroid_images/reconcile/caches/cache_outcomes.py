"""What came of the transfers of a cache, and whose tags moved: remembered, and told to people."""

from __future__ import annotations

from dataclasses import dataclass

from cyroid_images.errors import Mark, Reason
from cyroid_images.execute.executor import Executor
from cyroid_images.execute.transfer import Ended
from cyroid_images.model.actions import Collect, Copy, Fill, Push, Remove, Untag
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.knowledge import HeldByUpstream, Stored
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.pushed import Pushed
from cyroid_images.plan import backoff
from cyroid_images.plan.cache import drifted
from cyroid_images.plan.collection import summary
from cyroid_images.reconcile.caches.cache_snapshot import CacheSnapshots
from cyroid_images.reconcile.caches.cache_state import CacheState
from cyroid_images.reconcile.caches.removals import Removals
from cyroid_images.report.ports import Recorder
from cyroid_images.store.keys import Key


@dataclass(frozen=True, slots=True)
class CacheOutcomes:
    """Between the executor and a cache's state."""

    executor: Executor
    recorder: Recorder
    snapshots: CacheSnapshots
    clock: Clock
    removals: Removals

    def take(self, key: Key, item: ImageCache, state: CacheState) -> None:
        """Everything that has ended for this cache since its last pass."""
        for ended in self.executor.take_ended(key):
            fill = ended.transfer.action
            if isinstance(fill, Collect):
                self._tell_collected(key, item, state, ended)
                continue
            if isinstance(fill, Untag):
                self.snapshots.sources.refresh_engine(item, fill.endpoint, ended.at)
                now, spread = self.clock.now(), self.clock.spread()
                state.untidy.ended(fill.endpoint, ended.fault, now, spread)
            if isinstance(fill, Remove):
                self.removals.ended(key, item, state, ended)
                self.snapshots.offers.look_again(state, fill.repository)
            if not isinstance(fill, Push | Copy) or not is_for(fill, item):
                continue
            if ended.fault is not None:
                if not state.collection.hides(ended.fault, ended.at):
                    self._failed(item, state, fill, ended.fault)
                continue
            stored = _stored(ended)
            if fill.wish in state.wanted_since:
                state.pushed(fill.wish, stored, ended.at)
                self.snapshots.learn(state, fill.wish, stored)
            else:
                self.snapshots.offers.pushed(state, fill.wish, stored)
            self._tell_filled(key, item, fill, ended)

    def tell_moved_tags(self, key: Key, seen: CacheSeen, state: CacheState) -> None:
        """Tags that moved at their source, once per new content."""
        moved = {wish: each for wish in seen.wishes if (each := drifted(wish, seen))}
        for wish, digest in state.tell_once((wish, at.id) for wish, (_, at) in moved.items()):
            stored, found = moved[wish]
            self.recorder.record(
                key,
                seen.item.metadata.uid,
                Reason.NEW_DIGEST,
                f"{wish} moved in {found.source}: it is {found.id} there now, and the registry has"
                f" {stored.manifest.digest}",
                about=f"{wish}/{digest}",
            )

    def tell_foreign_tags(self, key: Key, seen: CacheSeen, state: CacheState) -> None:
        """Harmless, as engines pull by digest; somebody should know all the same."""
        for wish, digest in state.foreign.items():
            if (wish, digest) in state.warned or wish not in state.proven:
                continue
            state.warned.add((wish, digest))
            stored = state.proven[wish].stored
            self.recorder.record(
                key,
                seen.item.metadata.uid,
                Reason.REGISTRY_TAG_DRIFT,
                f"somebody moved the tag of {wish} in the registry ({stored.repository}) to"
                f" {digest}; ranges still get {stored.manifest.digest}",
                about=f"{wish}/{digest}",
            )

    def _tell_collected(self, key: Key, item: ImageCache, state: CacheState, ended: Ended) -> None:
        """What came of a collection; one that only counted is told in status alone."""
        told = state.collection.over(ended, self.clock.now())
        if told is None or (told.is_dry_run and ended.fault is None):
            return
        if ended.fault is not None:
            reason, message = ended.fault.reason, f"the disk was not freed: {ended.fault.message}"
        else:
            reason, message = Reason.COLLECTED, summary(ended.result)
            self.snapshots.measures.collected(key.name, ended.result.freed_bytes)
        self.recorder.record(key, item.metadata.uid, reason, message, about=str(told.started))

    def _failed(self, item: ImageCache, state: CacheState, fill: Fill, fault: Fault) -> None:
        if fault.reason.mark is Mark.TERMINAL and state.endpoint not in (None, fill.to.registry):
            return  # begun with a password or CA that was replaced since: tried anew at once
        fault = backoff.gone_for_now(fault, Reason.SOURCE_CHANGED)
        is_upstream = isinstance(fill.source, HeldByUpstream)
        if fill.wish in state.wanted_since:
            before, spread = state.failures.get(fill.wish), self.clock.spread()
            failure = backoff.failed(before, fault, self.clock.now(), spread=spread)
            host = fill.source.upstream.host if isinstance(fill.source, HeldByUpstream) else None
            state.refused(fill.wish, failure, host)
        else:
            self.snapshots.offers.refused(item, state, fill, fault)
            if fault.reason is not Reason.SOURCE_CHANGED:
                return  # nobody waits for it: hundreds that fail would list an engine each time
        if not is_upstream:
            self.snapshots.sources.refresh(item, fill.source.source)
        self.snapshots.refresh(item)

    def _tell_filled(self, key: Key, item: ImageCache, fill: Fill, ended: Ended) -> None:
        manifest = _stored(ended).manifest
        self.recorder.record(
            key,
            item.metadata.uid,
            Reason.IMAGE_PUSHED,
            f"{fill.wish} is in the registry as {fill.to.repository}@{manifest.digest}"
            f" ({manifest.size} bytes, from {fill.source.source}{_how(ended)},"
            f" in {ended.seconds:.1f} s)",
            about=f"{fill.wish}/{manifest.digest}",
        )
        if isinstance(ended.result, Pushed) and ended.result.is_partial:
            self.recorder.record(
                key,
                item.metadata.uid,
                Reason.PARTIAL_PLATFORM_IMAGE,
                f"{fill.source.source} has only a part of the index {fill.source.id} that"
                f" {fill.wish} names; the registry has its {manifest.digest} for"
                f" {_stored(ended).content.platform}",
                about=f"{fill.wish}/{manifest.digest}",
            )


def is_for(fill: Fill, item: ImageCache) -> bool:
    """Does it go into the registry that the cache names, not into the one of before?"""
    return fill.to.registry.url == item.spec.registry.push_url


def _stored(ended: Ended) -> Stored:
    """What a transfer into the registry ended with."""
    result: Pushed | Stored = ended.result
    return result.stored if isinstance(result, Pushed) else result


def _how(ended: Ended) -> str:
    """Which of the ways of a push it went, and why; a copy has only one."""
    if not isinstance(ended.result, Pushed):
        return ""
    why = f" ({ended.result.why})" if ended.result.why else ""
    return f", {ended.result.how}{why}"
