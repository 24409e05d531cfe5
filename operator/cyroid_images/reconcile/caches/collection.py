"""Has the disk of a cache's registry freed: when no push is under way, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from cyroid_images.errors import Reason
from cyroid_images.execute.executor import Executor
from cyroid_images.execute.ports import Movers
from cyroid_images.execute.transfer import Ended, Transfer
from cyroid_images.model.actions import Collect
from cyroid_images.model.collected import Collected
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import CollectionStatus
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.plan import collection
from cyroid_images.plan.collection import CollectionOrder
from cyroid_images.plan.needs import sharing, unreadable
from cyroid_images.store.keys import Kind
from cyroid_images.store.store import Store

COLLECT_SECONDS = 1800.0
"""Of one collection in all: a hundred thousand manifests take some minutes to mark."""
SPARE_SECONDS = 10.0
"""The push listener is started again so long after the end of a collection at most."""
MET_SECONDS = 15.0
"""After a start the ranges have told by then what they want, which is to be kept."""
SURE_SECONDS = 8.0
"""Then a look has begun after that: a registry that does not answer is asked every 5 s."""
AFTER_SECONDS = 2.0
"""Between two passes in that time."""


@dataclass(slots=True)
class CollectionState:
    """Of one cache: what status says, what is to be done, and since when."""

    told: CollectionStatus | None = None
    order: CollectionOrder | None = None
    met: float | None = None
    """When the cache was met in this process, by the clock of the event loop."""
    is_ready: bool = False
    """Nothing but pushes under way keeps the order from being carried out."""
    wanted_since: float = 0.0
    """By the clock of the event loop."""
    began: float = float("inf")
    ended: float = float("-inf")

    def hides(self, fault: Fault, began: float) -> bool:
        """Is this no news of the registry? Its push listener stood still when the look began."""
        is_within = self.began <= began <= self.ended + SPARE_SECONDS
        return (is_within or self.is_running) and collection.is_pause(fault)

    @property
    def is_running(self) -> bool:
        """Is one under way that may stop the push listener?"""
        return self.order is not None and not self.order.is_dry_run and self.began < float("inf")

    def over(self, ended: Ended, now: datetime) -> CollectionStatus | None:
        """It is over; None where it is not known here any more."""
        order = self.order
        if order is None or ended.transfer.action.id != order.id:
            return None
        self.order = None
        if not order.is_dry_run:
            self.ended = ended.at
        result: Collected | Fault = ended.fault or ended.result
        self.told = collection.over(order, self.told, result, now)
        return self.told


@dataclass(frozen=True, slots=True)
class Collections:
    """Decides in each pass of a cache; the transfer itself is the executor's."""

    store: Store
    executor: Executor
    movers: Movers

    def take(self, seen: CacheSeen, state: CollectionState, now: float) -> CacheSeen:
        """What is to be done and said from now on; `now` by the clock of the event loop."""
        item = seen.item
        state.met = now if state.met is None else state.met
        refused = collection.refused(item, state.told, seen.now)
        if refused is not None:
            state.told = refused
        order = None if item.spec.suspend else collection.ordered(item, state.told, seen.now)
        if order is not None and (state.order is None or state.order.id != order.id):
            state.wanted_since, state.began = now, float("inf")
            state.told = order.begun(state.told)
        if order is not None and state.began == float("inf") and (why := self._unreadable(order)):
            state.told, order = collection.over(order, state.told, why, seen.now), None
        state.order = order
        state.is_ready = order is not None and self._is_known(seen, state, now)
        return replace(seen, collection=state.told)

    def pause(self, seen: CacheSeen, state: CollectionState, now: float) -> float:
        """Seconds until the next one is due, or until the last one excuses nothing any more."""
        if now < state.ended + SPARE_SECONDS + SURE_SECONDS:
            return AFTER_SECONDS  # a fault that stays the same wakes nobody
        if state.order is not None:
            return MET_SECONDS
        due = collection.due_at(seen.item, seen.collection)
        return float("inf") if due is None else max(1.0, (due - seen.now).total_seconds())

    def holds_pushes(self, item: ImageCache, state: CollectionState) -> bool:
        """May no push begin? For a collection of this cache, or of another one's same registry."""
        is_due = state.is_ready or state.began < float("inf")
        is_ours = state.order is not None and not state.order.is_dry_run and is_due
        return is_ours or self.executor.is_busy_with(_part(item))

    def transfer(
        self, seen: CacheSeen, state: CollectionState, endpoint: RegistryEndpoint | None, now: float
    ) -> tuple[Transfer, ...]:
        """The collection itself, once everything that ranges want is known and no push runs."""
        order, url = state.order, seen.item.spec.registry.collector_url
        if order is None or url is None or endpoint is None:
            return ()
        if state.began == float("inf"):
            if not state.is_ready or not self._may_begin(seen, order, now - state.wanted_since):
                return ()
            state.began = now
        kind = "count" if order.is_dry_run else "collect"
        action = Collect(
            id=order.id,
            collector=replace(endpoint, url=url),
            is_dry_run=order.is_dry_run,
            keep=frozenset(self._wanted(seen)),
        )
        wanted = Transfer(
            key=(kind, _part(seen.item) if kind == "collect" else url),
            action=action,
            version=order.id,
            party=f"cache {seen.item.metadata.name}",
            limits=("tidy",),
            run=lambda scope, _: self.movers.collect(action, scope),
            total_seconds=COLLECT_SECONDS,
        )
        return (wanted,)

    def _is_known(self, seen: CacheSeen, state: CollectionState, now: float) -> bool:
        """Is it known all that is wanted, and whether the registry has it?"""
        is_met = state.met is not None and now - state.met >= MET_SECONDS
        is_listed = self.store.listed_kinds >= {Kind.IMAGE_CACHE, Kind.RANGE_IMAGES}
        unknown = any(fault.reason is Reason.PROGRESSING for fault in seen.lookups.values())
        return is_met and is_listed and seen.registry is None and not unknown

    def _may_begin(self, seen: CacheSeen, order: CollectionOrder, waited: float) -> bool:
        pushes = self.executor.uses(f"registry:{_host(seen.item)}")
        return order.is_dry_run or not pushes or waited > collection.QUIET_SECONDS

    def _unreadable(self, order: CollectionOrder) -> Fault | None:
        """An object that cannot be read may need any digest: then nothing is removed."""
        key = None if order.is_dry_run else min(self.store.broken, default=None)
        return unreadable(str(key), self.store.broken[key].fault) if key else None

    def _wanted(self, seen: CacheSeen) -> Iterator[Digest]:
        """Every digest that a cache of this registry believes or has proven, tagged or not, and
        what caches and ranges name by digest."""
        yield from seen.anchors.values()
        yield from (each.manifest.digest for each in seen.stored.values())
        for item in sharing(seen.item, self.store.caches.values()):
            yield from item.status.digests.values()
            rows = item.status.image_statuses
            yield from (row.digest for row in rows if row.digest is not None)
            yield from _named(each.reference for each in item.spec.images)
        for each in self.store.ranges.values():
            yield from _named(wish.reference for wish in each.wishes)


def _named(references: Iterable[Reference]) -> Iterator[Digest]:
    return (each.digest for each in references if each.digest is not None)


def _host(item: ImageCache) -> str:
    return RegistryEndpoint(item.spec.registry.push_url).host


def _part(item: ImageCache) -> tuple[str, str]:
    """What a key names that stops the pushes into this registry."""
    return ("pause", _host(item))
