"""One pass of a RangeImages: snapshot, decide, act, tell. It waits for nobody."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cyroid_images.defects import Defect
from cyroid_images.errors import Reason
from cyroid_images.execute.transfer import Job
from cyroid_images.model.actions import Load, Pull, Step, Wait
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Failure, Route
from cyroid_images.model.kinds.status import RangeImagesStatus
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import FailureKey, RangeDone, RangeSeen, Running, TargetSeen
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.plan.delivery import Delivered, plan_image
from cyroid_images.plan.gate import holds_all
from cyroid_images.plan.status import range_report
from cyroid_images.plan.status.initial_status import initial_range_status
from cyroid_images.reconcile.ranges.range_outcomes import RangeOutcomes
from cyroid_images.reconcile.ranges.range_snapshot import NOT_MET, NOT_YET, RangeSnapshots
from cyroid_images.reconcile.ranges.range_state import RangeState
from cyroid_images.reconcile.ranges.range_transfers import RangeTransfers, Steps
from cyroid_images.reconcile.requeue import requeue_after
from cyroid_images.reconcile.states import States
from cyroid_images.report.readiness_gates import ReadinessGates
from cyroid_images.report.status_writer import StatusWriter
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.keys import Key
from cyroid_images.store.store import Store

_log = logging.getLogger(__name__)

YIELD_SECONDS = 0.005
"""200 targets with 128 images each take a while to decide: the loop goes on in between."""


@dataclass(slots=True)
class RangeReconciler:
    """Keeps the state of all RangeImages; one pass at a time per key."""

    store: Store
    queue: WorkQueue[Key]
    writer: StatusWriter
    gates: ReadinessGates
    snapshots: RangeSnapshots
    outcomes: RangeOutcomes
    transfers: RangeTransfers
    clock: Clock
    defect: Defect
    _states: States[RangeState] = field(init=False)
    _rivals: set[Key] = field(default_factory=set)
    """Objects that an older one keeps from an image name."""

    def __post_init__(self) -> None:
        self._states = States(lambda item: RangeState.of(item, self.clock.now()))

    async def reconcile(self, key: Key) -> float | None:
        """One pass; returns the seconds until the next one, None for a gone object."""
        item = self.store.ranges.get(key)
        if item is None:
            self.forget(key)
            return None
        if self._states.is_other(key, item):
            self._wake_rivals(key)
        if self._states.is_remade(key, item):
            self.forget(key)
        state = self._states.at(key, item)
        told = self.writer.latest(key, item.metadata, item.status)
        if not told.conditions:  # whoever applied it sees at once that it was read
            told = initial_range_status(item, self.clock.now())
            self.writer.put(key, item.metadata, told)
        item = replace(item, status=told)
        self.outcomes.warn(key, item, state)
        self.outcomes.take(key, item, state)
        seen = self.snapshots.take(key, item, state)
        self.outcomes.tell_replaced(key, seen, state)
        steps = await self._decide(seen)
        gone = state.drifted(_fresh(seen, steps), seen.now, self.clock.spread())
        if gone:  # what did not last has failed, and is not begun again at once
            self.outcomes.tell_drift(key, seen, gone)
            seen = replace(seen, failures=dict(state.failures))
            steps = await self._decide(seen)
        state.prune(steps)
        self.transfers.sync(key, seen, steps, state)
        self._report(key, seen, steps, state)
        fresh = _fresh(seen, steps)
        self.gates.tell(
            key, {each.target.uid: holds_all(each, fresh[each.target.uid]) for each in seen.targets}
        )
        (self._rivals.add if _has_rivals(seen) else self._rivals.discard)(key)
        is_running = bool(self.transfers.executor.running(key))
        return requeue_after(seen, is_running=is_running)

    def tried(self, key: Key, token: object, *, is_written: bool) -> None:
        """A status of this object was written, or could not be: see `StatusWriter`."""
        state = self._states.find(key)
        if state is None:
            return
        if is_written and not state.has_status:
            state.has_status = True
            _log.info("%s: first status", key, extra={"step": Milestone.STATUS_FIRST})
        if isinstance(token, tuple) and is_written and token != state.written:
            state.written = token
            _log.info("%s: loads recorded", key, extra={"step": Milestone.RECORD_WRITTEN})
            self.queue.wake(key)

    def forget(self, key: Key) -> None:
        """The object is gone: its transfers stop, its demand ends, nothing is written."""
        if self._states.find(key) is not None:
            self._wake_rivals(key)
        self._states.forget(key)
        self._rivals.discard(key)
        self.transfers.executor.drop(key)
        self.writer.forget(key)
        self.outcomes.recorder.forget(key)
        self.snapshots.forget(key)
        for other in self.gates.forget(key):
            self.queue.wake(other)

    async def _decide(self, seen: RangeSeen) -> Steps:
        """One step per target and image; none for a target that was not seen."""
        steps, failures = {}, _by_target(seen.failures)
        loop = asyncio.get_running_loop()
        since = loop.time()
        for each in seen.targets:
            uid = each.target.uid
            steps[uid] = self._steps(seen, each, failures.get(uid, {}))
            if loop.time() - since > YIELD_SECONDS:
                await asyncio.sleep(0)
                since = loop.time()
        return steps

    def _steps(
        self, seen: RangeSeen, each: TargetSeen, failures: Mapping[tuple[Wish, Route], Failure]
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
        return tuple(self._step(wish, each, given) for wish in seen.wishes)

    def _step(self, wish: Wish, each: TargetSeen, given: Delivered) -> Step:
        if wish in each.conflicts:
            return Wait(wish, each.conflicts[wish])
        try:
            return plan_image(wish, given)
        except Exception as exc:  # one row that cannot be understood is that row's fault
            return Wait(wish, self.defect(exc))

    def _report(self, key: Key, seen: RangeSeen, steps: Steps, state: RangeState) -> None:
        if any(each.fault in (NOT_YET, NOT_MET) for each in seen.targets) and state.looked_at < 0:
            return  # the first looks end soon, one way or the other
        if state.looks_first():
            _log.info("%s: looked", key, extra={"step": Milestone.LOOKED})
        running = tuple(
            _running(job.transfer.action, job)
            for job in self.transfers.executor.running(key)
            if isinstance(job.transfer.action, Pull | Load)
        )
        done = RangeDone(steps, running, tuple(state.tar), state.causes, state.renewed(steps))
        status: RangeImagesStatus = range_report.report(seen, done)
        self.writer.put(key, seen.item.metadata, status, token=tuple(state.tar))

    def _wake_rivals(self, key: Key) -> None:
        """An object is gone or changed: those that it conflicted with get a pass."""
        for other in self._rivals:
            if other.namespace == key.namespace and other != key:
                self.queue.wake(other)


def _by_target(
    failures: Mapping[FailureKey, Failure],
) -> Mapping[str, Mapping[tuple[Wish, Route], Failure]]:
    """The failed transfers into each target."""
    found: dict[str, dict[tuple[Wish, Route], Failure]] = {}
    for key, failure in failures.items():
        found.setdefault(key.uid, {})[key.wish, key.route] = failure
    return found


def _of(each: TargetSeen, steps: Steps) -> tuple[Step, ...]:
    """The steps that are decided by what the target shows now."""
    return () if each.is_stale else steps.get(each.target.uid, ())


def _fresh(seen: RangeSeen, steps: Steps) -> Steps:
    """What was seen before the last delivery does not say that it is gone."""
    return {each.target.uid: _of(each, steps) for each in seen.targets}


def _has_rivals(seen: RangeSeen) -> bool:
    return any(
        fault.reason is Reason.CONFLICTING_IMAGES
        for each in seen.targets
        for fault in each.conflicts.values()
    )


def _running(action: Pull | Load, job: Job) -> Running:
    route = Route.REGISTRY if isinstance(action, Pull) else Route.TAR
    return Running(action.wish, action.target.pod, route, job.progress, job.rate)
