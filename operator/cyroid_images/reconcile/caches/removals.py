"""Images that leave a registry: what a pass decides by, the transfers, and what came of them."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace

from cyroid_images.errors import Reason
from cyroid_images.execute.executor import Executor
from cyroid_images.execute.ports import Movers
from cyroid_images.execute.transfer import Ended, Transfer
from cyroid_images.model.actions import Fill, Remove
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.repository import StoredAs, stored_as
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.removal import Leaving, RemovalPlan, Removed, Wanters
from cyroid_images.observe.observer import Observer
from cyroid_images.observe.places import ImagePlace, ImageThere
from cyroid_images.plan.needs import NOT_LISTED, digests_needed, sharing, unreadable, wanters
from cyroid_images.plan.offers import kept_unasked
from cyroid_images.plan.removal import RemovalSeen, plan_removals
from cyroid_images.reconcile.caches.cache_snapshot import NOT_YET
from cyroid_images.reconcile.caches.cache_state import CacheState
from cyroid_images.report.ports import Recorder
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.demand import Demand
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.store import Store

REMOVE_SECONDS = 120.0
"""A few short calls per tag of the repository, of which some have thousands."""


@dataclass(frozen=True, slots=True)
class Removals:
    """Of all ImageCaches."""

    store: Store
    demand: Demand
    queue: WorkQueue[Key]
    executor: Executor
    movers: Movers
    recorder: Recorder
    images: Observer[ImagePlace, ImageThere]
    clock: Clock

    def decide(self, seen: CacheSeen, state: CacheState) -> CacheSeen:
        """The same, with what leaves the registry and what is said of it."""
        item, memory = seen.item, state.removals
        memory.holds_pushes = False
        memory.passes(seen.now, self.queue.time())
        if not item.spec.removed_images and item.spec.retention.unused is None:
            memory.decided({}, ())
            return seen
        endpoint = state.endpoint
        plan = plan_removals(
            RemovalSeen(
                item=item,
                now=seen.now,
                who=self._who(item, state),
                unknown=self._unknown(),
                wishes=seen.wishes,
                offered=kept_unasked(seen),
                registry=seen.registry or (None if endpoint else NOT_YET),
                anchors=state.anchors,
                tried=memory.tried,
                since=memory.since,
                is_busy=lambda repository: (
                    endpoint is not None
                    and self.executor.is_busy_with(repository)
                    and not self.executor.uses(_limit(endpoint, repository))
                ),
            )
        )
        memory.decided(plan.since, plan.places)
        return replace(seen, removal=plan)

    def transfers(self, key: Key, seen: CacheSeen, state: CacheState) -> list[Transfer]:
        """What removes the images that leave now."""
        plan = seen.removal
        if state.endpoint is None or not plan.leaving:
            return []
        kept = self._kept({each.place[0] for each in plan.leaving}, seen, state)
        return [
            self._transfer(key, _action(each, plan, kept, state.endpoint)) for each in plan.leaving
        ]

    def free(self, fills: Iterable[Fill], seen: CacheSeen, state: CacheState) -> list[Fill]:
        """Of the pushes that are due, those that no removal in their repository stands before.

        A removal looks what other tags need; one that comes meanwhile it would not see.
        """
        leaving = {each.place[0] for each in seen.removal.leaving}
        wanted = list(fills)
        found = [
            fill
            for fill in wanted
            if fill.to.repository not in leaving
            and not self.executor.uses(_limit(fill.to.registry, fill.to.repository))
        ]
        state.removals.holds_pushes = len(found) < len(wanted)
        return found

    def ended(self, key: Key, item: ImageCache, state: CacheState, ended: Ended) -> None:
        """What came of a removal."""
        action: Remove = ended.transfer.action
        if action.registry.url != item.spec.registry.push_url:
            return
        place, now = (action.repository, action.tag), self.clock.now()
        self._look_again(action)
        if ended.fault is not None:
            self._failed(key, item, state, action, ended.fault)
            return
        what: Removed = ended.result
        for wish in action.wishes:
            state.anchors.pop(wish, None)  # wanted again it is what its source has then
        state.removals.removed(place, what, now, item.spec.refresh.interval)
        if what.is_found:
            self._tell(key, item, state, action, what)

    def _look_again(self, action: Remove) -> None:
        """What was seen in the repository before may be gone: somebody may want it any moment."""
        for place in self.images.places():
            at = place.registry.url, place.repository
            if at == (action.registry.url, action.repository):
                self.images.refresh(place, is_awaited=False)

    def _failed(
        self, key: Key, item: ImageCache, state: CacheState, action: Remove, fault: Fault
    ) -> None:
        place = (action.repository, action.tag)
        attempts = state.removals.failed(place, fault, self.clock.now(), self.clock.spread())
        if attempts == 1:
            text = f"{action.image} could not be removed from the registry: {fault.message}"
            about = f"remove {action.repository}:{action.tag}"
            self.recorder.record(key, item.metadata.uid, fault.reason, text, about=about)

    def _tell(
        self, key: Key, item: ImageCache, state: CacheState, action: Remove, what: Removed
    ) -> None:
        tried = state.removals.tried[action.repository, action.tag]
        others = [tag for tag in what.tags if tag != action.tag]
        parts = [
            f"{action.image} was removed from the registry ({action.repository}:{action.tag}",
            *(f", {digest}" for digest in what.manifests),
            "" if what.manifests else ", its tag alone: another image needs the manifest",
            f", and with it the tags {', '.join(others)}" if others else "",
            f"): {action.because}",
            "; somebody had pushed it again" if tried.returns else "",
        ]
        self.recorder.record(
            key,
            item.metadata.uid,
            Reason.IMAGE_REMOVED,
            "".join(parts),
            about=f"{action.repository}:{action.tag}",
        )

    def _who(self, item: ImageCache, state: CacheState) -> Mapping[StoredAs, Wanters]:
        """Who wants what; gathered anew when the two kinds ask for something else."""
        told = state.removals.who
        if told is None or told[0] != self.store.revision:
            who = wanters(self._caches(item), self.store.ranges.values())
            told = state.removals.who = self.store.revision, who
        return told[1]

    def _kept(
        self, repositories: Collection[str], seen: CacheSeen, state: CacheState
    ) -> Mapping[str, frozenset[Digest]]:
        """What is needed there: as all caches tell, and as this one knows now."""
        caches = self._caches(seen.item)
        views = {name: view for name in caches if (view := self.demand.view(name)) is not None}
        told = digests_needed(repositories, caches, self.store.ranges.values(), views)
        found = {repository: set(each) for repository, each in told.items()}
        for wish in seen.wishes:
            known = found.get(stored_as(wish.reference, seen.item.spec.aliases)[0])
            if known is None:
                continue
            known |= {each for each in (wish.reference.digest, state.anchors.get(wish)) if each}
            if (stored := seen.stored.get(wish)) is not None:
                known |= {stored.manifest.digest, *stored.content.identities}
        return {repository: frozenset(each) for repository, each in found.items()}

    def _caches(self, item: ImageCache) -> Mapping[str, ImageCache]:
        shared = sharing(item, self.store.caches.values())
        return {cache.metadata.name: cache for cache in shared}

    def _unknown(self) -> Fault | None:
        """Why it is not known all that is wanted."""
        if not self.store.listed_kinds >= {Kind.IMAGE_CACHE, Kind.RANGE_IMAGES}:
            return NOT_LISTED
        key = min(self.store.broken, default=None)
        return unreadable(str(key), self.store.broken[key].fault) if key else None

    def _transfer(self, key: Key, action: Remove) -> Transfer:
        host = action.registry.host
        return Transfer(
            key=("fill", host, action.repository, action.tag),  # no push of this tag meanwhile
            action=action,
            version=_version(action),
            party=f"cache {key.name}",
            limits=(_limit(action.registry, action.repository), "tidy"),
            run=lambda cancellation, _: self.movers.remove(action, cancellation),
            total_seconds=REMOVE_SECONDS,
        )


def _limit(registry: RegistryEndpoint, repository: str) -> str:
    """One at a time: what the other takes along or needs must be seen."""
    return f"removal:{registry.host}/{repository}"


def _action(
    each: Leaving,
    plan: RemovalPlan,
    kept: Mapping[str, frozenset[Digest]],
    registry: RegistryEndpoint,
) -> Remove:
    repository, tag = each.place
    return Remove(
        each.image,
        registry,
        repository,
        tag,
        each.because,
        wishes=each.wishes,
        named=each.named,
        known=each.known,
        kept=kept[repository],
        leaving=frozenset(other for at, other in plan.unwanted if at == repository) - {tag},
    )


def _version(action: Remove) -> Hashable:
    """What is wanted meanwhile makes it another removal."""
    return ("remove", action.named, action.known, action.kept, action.leaving)
