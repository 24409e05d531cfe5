"""One pass of an ImageCache: snapshot, decide, act, tell; the ranges read what it publishes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import assert_never

from cyroid_images.defects import Defect
from cyroid_images.execute.executor import Executor
from cyroid_images.execute.ports import Movers
from cyroid_images.execute.transfer import Job, Transfer
from cyroid_images.model.actions import Cached, CacheStep, Copy, Fill, Push, Wait
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Route
from cyroid_images.model.knowledge import (
    CacheView,
    HeldByArchive,
    HeldByEngine,
    HeldByUpstream,
    ImageRecord,
    Wish,
)
from cyroid_images.model.observed import CacheSeen, Running
from cyroid_images.model.telemetry.measures import Measures
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.plan.cache import anchored, know, plan_image
from cyroid_images.plan.offers import automatic, due_unasked, goes_on
from cyroid_images.plan.push_order import due
from cyroid_images.plan.status import cache_report
from cyroid_images.plan.status.initial_status import initial_cache_status
from cyroid_images.reconcile.caches.cache_outcomes import CacheOutcomes, is_for
from cyroid_images.reconcile.caches.cache_snapshot import NOT_YET, CacheSnapshots, anchors_of
from cyroid_images.reconcile.caches.cache_state import CacheState
from cyroid_images.reconcile.caches.collection import Collections
from cyroid_images.reconcile.caches.removals import Removals
from cyroid_images.reconcile.requeue import requeue_cache_after
from cyroid_images.reconcile.states import States
from cyroid_images.reconcile.tidy import tidy_sources
from cyroid_images.report.status_writer import StatusWriter
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.demand import Demand
from cyroid_images.store.keys import Key
from cyroid_images.store.store import Store

_log = logging.getLogger(__name__)

YIELD_SECONDS = 0.005
"""A thousand images take a tenth of a second to decide: the loop goes on in between."""
FILL_SECONDS = 3600.0
"""The same bound that a range has by default for one transfer in all."""


@dataclass(slots=True)
class CacheReconciler:
    """Keeps the state of all ImageCaches; one pass at a time per key."""

    store: Store
    demand: Demand
    queue: WorkQueue[Key]
    writer: StatusWriter
    snapshots: CacheSnapshots
    outcomes: CacheOutcomes
    executor: Executor
    movers: Movers
    removals: Removals
    clock: Clock
    measures: Measures
    defect: Defect
    _states: States[CacheState] = field(init=False)
    _collections: Collections = field(init=False)

    def __post_init__(self) -> None:
        self._states = States(lambda item: CacheState.of(item, self.clock.now()))
        self._collections = Collections(self.store, self.executor, self.movers)

    async def reconcile(self, key: Key) -> float | None:
        """One pass; returns the seconds until the next one, None for a gone object."""
        item = self.store.caches.get(key.name)
        if item is None:
            self.forget(key)
            return None
        if self._states.is_remade(key, item):
            self.forget(key)
        state = self._states.at(key, item)
        told = self.writer.latest(key, item.metadata, item.status)
        if not told.conditions:  # whoever applied it sees at once that it was read
            told = initial_cache_status(item, self.clock.now())
            self.writer.put(key, item.metadata, told)
        item = replace(item, status=told)
        self.outcomes.take(key, item, state)
        since = self.queue.time()
        seen = self.snapshots.take(key, item, state)
        since = await self._let_others_on(since)
        # No turn of others from here until the transfers begin: they might want what leaves.
        seen = self.removals.decide(self._anchored(seen, state), state)
        steps = [self._step(wish, seen, state) for wish in seen.wishes]
        seen = self._collections.take(seen, state.collection, self.queue.time())
        self.outcomes.tell_moved_tags(key, seen, state)
        self.outcomes.tell_foreign_tags(key, seen, state)
        self.snapshots.offers.tell_new(key, seen, state)
        self._sync(key, seen, steps, state)
        since = await self._let_others_on(since)
        self._publish(key, seen, state)
        await self._let_others_on(since)
        self._report(key, seen, steps, state)
        is_running = bool(self.executor.running(key))
        is_held = state.removals.holds_pushes
        pause = requeue_cache_after(seen, is_running=is_running, is_held=is_held)
        return min(pause, self._collections.pause(seen, state.collection, self.queue.time()))

    def tried(self, key: Key, token: object, *, is_written: bool) -> None:
        """A status of this object was written, or could not be: see `StatusWriter`."""
        del token
        state = self._states.find(key)
        if state is not None and is_written and not state.has_status:
            state.has_status = True
            _log.info("%s: first status", key, extra={"step": Milestone.STATUS_FIRST})

    def forget(self, key: Key) -> None:
        """The cache is gone: its pushes stop; nothing is removed from registry or engines."""
        self._states.forget(key)
        self.executor.drop(key)
        self.measures.serves(key.name, None)
        self.writer.forget(key)
        self.outcomes.recorder.forget(key)
        self.snapshots.forget(key)
        for concerned in self.demand.publish(key.name, None):
            self.queue.wake(concerned)

    async def _let_others_on(self, since: float) -> float:
        """Yield where this pass has held the loop for long; since when it holds it now."""
        if self.queue.time() - since > YIELD_SECONDS:
            await asyncio.sleep(0)
            return self.queue.time()
        return since

    def _anchored(self, seen: CacheSeen, state: CacheState) -> CacheSeen:
        """Believe from now on what was proven against a source in this pass."""
        for wish in seen.wishes:
            digest = anchored(wish, seen)
            if digest is not None:
                state.anchor(wish, digest)
        self.snapshots.offers.believe(seen, state)
        return replace(seen, anchors=dict(anchors_of(seen.item, state)))

    def _step(self, wish: Wish, seen: CacheSeen, state: CacheState) -> CacheStep:
        try:
            return plan_image(wish, seen, state.endpoint)
        except Exception as exc:  # one row that cannot be understood is that row's fault
            return Wait(wish, self.defect(exc))

    def _know(self, wish: Wish, seen: CacheSeen) -> ImageRecord:
        try:
            return know(wish, seen)
        except Exception as exc:
            return ImageRecord(fault=self.defect(exc))

    def _sync(
        self, key: Key, seen: CacheSeen, steps: Sequence[CacheStep], state: CacheState
    ) -> None:
        """Make what runs into the registry equal to the plan."""
        if seen.item.spec.suspend:
            self.executor.sync(key, ())
            return
        unasked = automatic(seen, state.endpoint)
        going_on = self._going_on(key, seen, steps, unasked)
        transfers = {job.transfer.key: job.transfer for job in going_on}
        running = [transfer.action for transfer in transfers.values()]
        wanted = [s for s in steps if isinstance(s, Push | Copy) and seen.wishes[s.wish]]
        open_ones = [step for step in wanted if _slot_key(step) not in transfers]
        begun = due(open_ones, running)
        pushes = [each for each in (*running, *begun) if isinstance(each, Push)]
        begun = (*begun, *due_unasked(unasked, seen, pushes))
        is_collecting = self._collections.holds_pushes(seen.item, state.collection)
        for step in self.removals.free(() if is_collecting else begun, seen, state):
            transfers.setdefault(_slot_key(step), self._transfer(key, step))
        tidy = tidy_sources(key, seen, transfers.values(), self.executor, self.movers)
        tidy = state.untidy.due(tidy, seen.now)
        removals = [] if is_collecting else self.removals.transfers(key, seen, state)
        freeing = self._collections.transfer(
            seen, state.collection, state.endpoint, self.queue.time()
        )
        self.executor.sync(key, [*transfers.values(), *tidy, *removals, *freeing])

    def _going_on(
        self, key: Key, seen: CacheSeen, steps: Sequence[CacheStep], unasked: Sequence[Push]
    ) -> list[Job]:
        """Pushes that may end: nobody wants other content under their name meanwhile.

        One whose image is in the registry already still has to prove it and to tidy up.
        """
        wanted = {step.wish: step for step in steps}

        def may_end(fill: Fill) -> bool:
            step = wanted.get(fill.wish)
            if step is None:
                return isinstance(fill, Push) and goes_on(fill, unasked, seen)
            return not (isinstance(step, Push | Copy) and step.source.id != fill.source.id)

        return [
            job
            for job in self.executor.running(key)
            if isinstance(job.transfer.action, Push | Copy)
            and is_for(job.transfer.action, seen.item)
            and may_end(job.transfer.action)
        ]

    def _transfer(self, key: Key, fill: Fill) -> Transfer:
        movers = self.movers
        return Transfer(
            key=_slot_key(fill),
            action=fill,
            version=fill.source.id,
            party=f"cache {key.name}",
            limits=(_limit_of_source(fill), f"registry:{fill.to.registry.host}", "bytes"),
            run=partial(movers.push, fill)
            if isinstance(fill, Push)
            else partial(movers.copy, fill),
            total_seconds=FILL_SECONDS,
        )

    def _publish(self, key: Key, seen: CacheSeen, state: CacheState) -> None:
        """Tell the ranges; those that it concerns get a pass."""
        view = CacheView(
            pull_host=seen.item.spec.registry.pull_host,
            looked=seen.registry is not NOT_YET,
            registry=None if seen.registry is NOT_YET else seen.registry,
            endpoint=None if seen.registry is not None else state.endpoint,
            images={wish: self._know(wish, seen) for wish in seen.wishes},
        )
        if state.endpoint is not None:
            self.measures.serves(key.name, state.endpoint.host)
        for concerned in self.demand.publish(key.name, view):
            self.queue.wake(concerned)

    def _report(
        self, key: Key, seen: CacheSeen, steps: Sequence[CacheStep], state: CacheState
    ) -> None:
        if seen.registry is NOT_YET:
            return  # the first look ends soon, one way or the other
        if state.looks_first():
            _log.info("%s: looked", key, extra={"step": Milestone.LOOKED})
        running = tuple(
            _running(job.transfer.action, job)
            for job in self.executor.running(key)
            if isinstance(job.transfer.action, Push | Copy)
        )
        asked = [s for s in steps if seen.wishes[s.wish] or isinstance(s, Cached)]
        status = cache_report.report(seen, asked, running)
        self.writer.put(key, seen.item.metadata, status)


def _slot_key(fill: Fill) -> tuple[str, str, str, str]:
    """What must not happen twice at a time: one tag of one registry."""
    return ("fill", fill.to.registry.host, fill.to.repository, fill.to.tag)


def _limit_of_source(fill: Fill) -> str:
    """The limit of where it comes from."""
    match fill.source:
        case HeldByEngine():
            return f"source:{fill.source.endpoint}"
        case HeldByUpstream():
            return f"upstream:{fill.source.upstream.host}"
        case HeldByArchive():
            return f"archive:{fill.source.image.archive}"
        case _:
            assert_never(fill.source)


def _running(fill: Fill, job: Job) -> Running:
    return Running(fill.wish, None, Route.REGISTRY, job.progress, job.rate)
