"""One pass of a RangeImages: observe, plan, apply, report."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from cyroid_images.model.actions import Load, Pull, Step, Wait
from cyroid_images.model.fault import Failure, Route
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.milestones import Milestone
from cyroid_images.model.observed import FailureKey, RangeDone, RangeSeen, Running, TargetSeen
from cyroid_images.model.range_images import RangeImages
from cyroid_images.model.status import RangeImagesStatus
from cyroid_images.plan import range_report
from cyroid_images.plan.delivery import Delivered, plan_image
from cyroid_images.plan.initial_status import initial_range_status
from cyroid_images.plan.keep_ready import keeps_ready
from cyroid_images.reconcile.job import Job
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.memories import Memories
from cyroid_images.reconcile.memory import Memory
from cyroid_images.reconcile.observe_range import RangeObserver
from cyroid_images.reconcile.outcomes import RangeOutcomes
from cyroid_images.reconcile.pace import next_look
from cyroid_images.reconcile.range_moves import RangeMoves
from cyroid_images.reconcile.reporter import AGAIN_SECONDS
from cyroid_images.reconcile.site import Site

_log = logging.getLogger(__name__)

Steps = Mapping[str, tuple[Step, ...]]


class RangeReconciler:
    """Keeps the memories of all RangeImages; one pass at a time per key."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._observer = RangeObserver(site)
        self._outcomes = RangeOutcomes(site)
        self._moves = RangeMoves(site)
        self._memories = Memories[Memory](lambda item: Memory.of(item, site.clock.now()))

    async def reconcile(self, key: Key) -> float | None:
        """One pass; returns the seconds until the next look, None for a gone object."""
        item = self._site.world.ranges.get(key)
        if item is None:
            self._forget(key)
            return None
        memory = self._memories.at(key, item)
        if not item.status.conditions:  # the first word comes before any I/O
            if (
                await self._write(key, item, initial_range_status(item, self._site.clock.now()))
                is None
            ):
                _log.info("%s: first status", key, extra={"step": Milestone.STATUS_FIRST})
            item = self._site.world.ranges.get(key, item)
        await self._outcomes.warn(key, item, memory)
        await self._outcomes.take(key, item, memory)
        seen = await self._observer.observe(key, item, memory)
        if memory.looks_first():
            _log.info("%s: looked", key, extra={"step": Milestone.LOOKED})
        await self._outcomes.tell_replaced(key, seen, memory)
        steps = await self._plan(seen)
        await self._outcomes.tell_drift(key, item, memory.drifted(steps))
        memory.prune(steps)
        self._apply(key, seen, steps, memory)
        pause = await self._report(key, seen, steps, memory)
        has_told_gates = await self._site.gates.tell(key, seen, steps)
        return pause if has_told_gates else min(pause, AGAIN_SECONDS)

    async def _plan(self, seen: RangeSeen) -> Steps:
        """One step per target and image; none for a target that was not seen."""
        steps, failures = {}, _by_target(seen.failures)
        for each in seen.targets:
            uid = each.target.uid
            steps[uid] = _steps(seen, each, failures.get(uid, {}))
            await asyncio.sleep(0)  # 128 images cost a millisecond, and there may be 200 targets
        return steps

    def _apply(self, key: Key, seen: RangeSeen, steps: Steps, memory: Memory) -> None:
        """Make the running moves equal to the plan."""
        if seen.item.spec.suspend:
            self._site.jobs.settle(key, ())
            return
        self._site.jobs.settle(key, self._moves.wanted(key, seen, steps, memory))

    async def _report(self, key: Key, seen: RangeSeen, steps: Steps, memory: Memory) -> float:
        running = tuple(
            _running(job.move.action, job)
            for job in self._site.jobs.running(key)
            if isinstance(job.move.action, Pull | Load)
        )
        if keeps_ready(seen, steps):
            return next_look(seen, steps, is_running=bool(running), memory=memory)
        done = RangeDone(steps, running, tuple(memory.tar), memory.causes, memory.renewed(steps))
        status = range_report.report(seen, done)
        again = await self._write(key, seen.item, status)
        if again is None and not memory.written:
            memory.written = True
            _log.info("%s: loads recorded", key, extra={"step": Milestone.RECORD_WRITTEN})
            return 0.0  # the records stand in status: the loads may begin
        pause = next_look(seen, steps, is_running=bool(done.running), memory=memory)
        return min(pause, again) if again is not None else pause

    async def _write(self, key: Key, item: RangeImages, status: RangeImagesStatus) -> float | None:
        return await self._site.reporter.report(key, item.metadata, item.status, status)

    def _forget(self, key: Key) -> None:
        """The object is gone: its transfers stop, its wishes end, nothing is written."""
        self._memories.forget(key)
        self._site.jobs.drop(key)
        self._site.reporter.forget(key)
        self._observer.forget(key)
        for other in self._site.gates.forget(key):
            self._site.queue.wake(other)


def _by_target(
    failures: Mapping[FailureKey, Failure],
) -> Mapping[str, Mapping[tuple[Wish, Route], Failure]]:
    """The failed transfers into each target."""
    found: dict[str, dict[tuple[Wish, Route], Failure]] = {}
    for key, failure in failures.items():
        found.setdefault(key.uid, {})[key.wish, key.route] = failure
    return found


def _steps(
    seen: RangeSeen, each: TargetSeen, failures: Mapping[tuple[Wish, Route], Failure]
) -> tuple[Step, ...]:
    if each.view is None:
        return ()
    if seen.cache is None:
        fault = seen.cache_fault
        return tuple(Wait(wish, fault) for wish in seen.wishes) if fault else ()
    given = Delivered(
        target=each.target,
        view=each.view,
        cache=seen.cache,
        delivery=seen.item.spec.delivery,
        failures=failures,
        now=seen.now,
    )
    return tuple(
        Wait(wish, each.conflicts[wish]) if wish in each.conflicts else plan_image(wish, given)
        for wish in seen.wishes
    )


def _running(action: Pull | Load, job: Job) -> Running:
    route = Route.REGISTRY if isinstance(action, Pull) else Route.TAR
    return Running(action.wish, action.target.pod, route, job.progress, job.rate)
