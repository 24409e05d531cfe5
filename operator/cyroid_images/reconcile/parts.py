"""Builds the controller from its parts. Ports come from wiring, or from a test."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from cyroid_images.defects import defect_in
from cyroid_images.errors import Mark, Reason
from cyroid_images.execute.executor import Executor
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Fault
from cyroid_images.model.observed import EngineShown
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.measures import Measures
from cyroid_images.observe.observer import Observer, Schedule
from cyroid_images.observe.places import (
    ArchivePlace,
    EnginePlace,
    ImagePlace,
    ImageThere,
    RegistryPlace,
    UpstreamAnswer,
    UpstreamPlace,
)
from cyroid_images.observe.source_events import SourceEvents
from cyroid_images.plan import backoff
from cyroid_images.reconcile.caches.cache_offers import WAKE_SECONDS, CacheOffers, OfferOwner
from cyroid_images.reconcile.caches.cache_outcomes import CacheOutcomes
from cyroid_images.reconcile.caches.cache_snapshot import CacheSnapshots, registry_place
from cyroid_images.reconcile.caches.cache_sources import CacheSources
from cyroid_images.reconcile.caches.image_cache import CacheReconciler
from cyroid_images.reconcile.caches.removals import Removals
from cyroid_images.reconcile.ports import Ports, Sizes
from cyroid_images.reconcile.ranges.range_images import RangeReconciler
from cyroid_images.reconcile.ranges.range_outcomes import RangeOutcomes
from cyroid_images.reconcile.ranges.range_snapshot import RangeSnapshots
from cyroid_images.reconcile.ranges.range_transfers import RangeTransfers
from cyroid_images.report.log_fields import about_action
from cyroid_images.report.readiness_gates import ReadinessGates
from cyroid_images.report.status_writer import StatusWriter
from cyroid_images.scheduling.rate_limiter import RateLimiter
from cyroid_images.scheduling.threads import Threads
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.demand import Demand
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.store import Store

PASSES_PER_SECOND = {Kind.RANGE_IMAGES: 2.0, Kind.IMAGE_CACHE: 5.0}
"""Of one object, however often it is woken: an engine that answers differently at each look must
not keep a core busy. A cache begins its next push in the pass that follows the last."""
PASSES_AT_ONCE = 10

REGISTRY_AGAIN_SECONDS = 5.0
"""A registry that is down is asked again at least so often: its return ends the tars."""
LOOKUP_AGAIN_SECONDS = 30.0
"""One that answers and cannot tell what it has is asked for each image, so less often."""
WAITING_SECONDS = 30.0
"""What only a human can mend, and does not announce itself."""
MOST_LISTENING = 64
"""Threads that hear the events of source engines, of which one cache has a quarter: as many as
it can have sources. Others are looked at by schedule alone."""


@dataclass(frozen=True, slots=True)
class Observers:
    """One per purpose, each with threads of its own."""

    range_engines: Observer[EnginePlace, EngineShown]
    source_engines: Observer[EnginePlace, EngineShown]
    archives: Observer[ArchivePlace, ArchiveView]
    upstreams: Observer[UpstreamPlace, UpstreamAnswer]
    registries: Observer[RegistryPlace, RegistryEndpoint]
    images: Observer[ImagePlace, ImageThere]
    source_events: SourceEvents


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that the controller drives, and that a scrape reads."""

    store: Store
    demand: Demand
    queue: WorkQueue[Key]
    executor: Executor
    writer: StatusWriter
    gates: ReadinessGates
    observers: Observers
    threads: tuple[Threads, ...]
    """Those of the transfers first."""
    ranges: RangeReconciler
    caches: CacheReconciler
    clock: Clock
    measures: Measures

    @property
    def looking(self) -> tuple[Threads, ...]:
        """The threads of the observers: a transfer may take an hour, and has its own deadline."""
        return self.threads[1:]

    def close_observers(self) -> None:
        """Look no more."""
        seen = self.observers
        seen.source_events.close()
        seen.range_engines.close()
        seen.source_engines.close()
        seen.archives.close()
        seen.upstreams.close()
        seen.registries.close()
        seen.images.close()

    def close_threads(self) -> None:
        """Let go of all threads."""
        for each in self.threads:
            each.close()


def join(ports: Ports, sizes: Sizes) -> Parts:
    """Make all parts and tell each of those that it needs."""
    store, demand = Store(), Demand()
    queue = WorkQueue[Key](lambda key: RateLimiter(PASSES_PER_SECOND[key.kind], PASSES_AT_ONCE))
    wake = partial(_wake, queue)
    moving = Threads("transfer", sizes.transfers, share=sizes.transfers)
    executor = Executor(moving, sizes.limits, wake, log_fields=about_action, told=ports.told)
    observers, threads = _observers(ports, sizes, wake)
    tried: dict[Kind, RangeReconciler | CacheReconciler] = {}

    def tell_tried(key: Key, token: Hashable, is_written: bool) -> None:  # noqa: FBT001 - a callback
        tried[key.kind].tried(key, token, is_written=is_written)

    writer = StatusWriter(ports.api, store, ports.recorder, tell_tried)
    gates = ReadinessGates(ports.api, store, ports.clock)
    shared = _Shared(ports, store, demand, queue, executor, writer, gates, observers)
    ranges = tried[Kind.RANGE_IMAGES] = shared.range_reconciler()
    caches = tried[Kind.IMAGE_CACHE] = shared.cache_reconciler()
    return Parts(
        store=store,
        demand=demand,
        queue=queue,
        executor=executor,
        writer=writer,
        gates=gates,
        observers=observers,
        threads=(moving, *threads),
        ranges=ranges,
        caches=caches,
        clock=ports.clock,
        measures=ports.measures,
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What both reconcilers are made from."""

    ports: Ports
    store: Store
    demand: Demand
    queue: WorkQueue[Key]
    executor: Executor
    writer: StatusWriter
    gates: ReadinessGates
    observers: Observers

    def check_registry(self, cache: str) -> None:
        """Have the registry of this cache looked at now; only what is new there wakes the cache."""
        item = self.store.caches.get(cache)
        if item is not None:
            self.observers.registries.refresh(registry_place(item), is_awaited=False)

    def range_reconciler(self) -> RangeReconciler:
        ports = self.ports
        snapshots = RangeSnapshots(
            self.store,
            self.demand,
            self.queue,
            self.observers.range_engines,
            ports.clock,
            ports.client_secret,
            ports.range_limits,
        )
        outcomes = RangeOutcomes(
            self.executor,
            ports.recorder,
            snapshots,
            self.store,
            self.demand,
            self.queue,
            self.check_registry,
            ports.clock,
            ports.measures,
        )
        transfers = RangeTransfers(
            self.executor, ports.movers, snapshots, self.check_registry, ports.measures
        )
        return RangeReconciler(
            self.store,
            self.queue,
            self.writer,
            self.gates,
            snapshots,
            outcomes,
            transfers,
            ports.clock,
            partial(defect_in, "the plan of a range"),
        )

    def cache_reconciler(self) -> CacheReconciler:
        ports, seen = self.ports, self.observers
        sources = CacheSources(
            seen.source_engines, seen.archives, seen.upstreams, seen.source_events, ports.platform
        )
        snapshots = CacheSnapshots(
            self.demand,
            self.queue,
            sources,
            CacheOffers(seen.images, ports.recorder, ports.clock),
            seen.registries,
            seen.images,
            ports.clock,
            ports.measures,
            ports.platform,
        )
        removals = Removals(
            self.store,
            self.demand,
            self.queue,
            self.executor,
            ports.movers,
            ports.recorder,
            seen.images,
            ports.clock,
        )
        outcomes = CacheOutcomes(self.executor, ports.recorder, snapshots, ports.clock, removals)
        return CacheReconciler(
            self.store,
            self.demand,
            self.queue,
            self.writer,
            snapshots,
            outcomes,
            self.executor,
            ports.movers,
            removals,
            ports.clock,
            ports.measures,
            partial(defect_in, "the plan of a cache"),
        )


def _wake(queue: WorkQueue[Key], owner: Hashable) -> None:
    if isinstance(owner, Key):
        queue.wake(owner)
    elif isinstance(owner, OfferOwner):
        queue.wake(owner.key, after=WAKE_SECONDS)


def _observers(
    ports: Ports, sizes: Sizes, wake: partial[None]
) -> tuple[Observers, tuple[Threads, ...]]:
    """Whoever hangs holds the threads of its own purpose, and of those the share of its party."""
    turns = ports.computing
    looks = Threads("range-engines", sizes.range_engines, computing=turns)
    sources = Threads("source-engines", sizes.source_engines, computing=turns)
    archives = Threads("archives", sizes.archives)  # a disk that hangs is no wait that we notice
    upstreams = Threads("upstreams", sizes.upstreams, computing=turns)
    registries = Threads("registries", sizes.registries, computing=turns)
    clock, lookers = ports.clock, ports.lookers
    engines = Schedule(_engine_pause)
    source_engines = Observer(lookers.source_engines, sources, wake, schedule=engines, clock=clock)
    listening = Threads("source-events", MOST_LISTENING, share=MOST_LISTENING // 4, computing=turns)
    observers = Observers(
        Observer(lookers.range_engines, looks, wake, schedule=engines, clock=clock),
        source_engines,
        Observer(lookers.archives, archives, wake, schedule=Schedule(_archive_pause), clock=clock),
        Observer(
            lookers.upstreams, upstreams, wake, schedule=Schedule(_upstream_pause), clock=clock
        ),
        Observer(
            lookers.registries,
            registries,
            wake,
            schedule=Schedule(_registry_pause, blips=1),
            clock=clock,
        ),
        Observer(
            lookers.images, registries, wake, schedule=Schedule(_lookup_pause, blips=1), clock=clock
        ),
        SourceEvents(lookers.source_events, listening, source_engines, wake, clock),
    )
    return observers, (looks, sources, archives, upstreams, registries)


def _engine_pause(fault: Fault, faults: int, seconds: float) -> float:
    """An engine that does not answer is asked again at a pace that slows down with time."""
    del faults
    if fault.reason.mark is Mark.TERMINAL:
        return WAITING_SECONDS
    return min(max(1.0, seconds / 4), WAITING_SECONDS)


def _archive_pause(fault: Fault, faults: int, seconds: float) -> float:
    del fault, faults, seconds
    return WAITING_SECONDS


def _registry_pause(fault: Fault, faults: int, seconds: float) -> float:
    del fault, seconds
    return float(min(2.0 ** min(faults - 1, 16), REGISTRY_AGAIN_SECONDS))


def _lookup_pause(fault: Fault, faults: int, seconds: float) -> float:
    del fault, seconds
    return float(min(2.0 ** min(faults - 1, 16), LOOKUP_AGAIN_SECONDS))


def _upstream_pause(fault: Fault, faults: int, seconds: float) -> float:
    """They are somebody else's. A refused password is compared with the Secret's more often."""
    del seconds
    if fault.reason in (Reason.UNAUTHORIZED, Reason.SECRET_MISSING):
        return WAITING_SECONDS
    if fault.reason.mark is Mark.TERMINAL:
        return backoff.TERMINAL_SECONDS
    return float(min(2.0 ** min(faults - 1, 16), backoff.CAP_SECONDS))
