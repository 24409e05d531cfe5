"""Which transfers the steps of a range come to: new ones, and running ones that may go on.

A transfer that runs is left alone as long as its image is still wanted as it brings it,
whatever route the plan would take now: to cut half a gigabyte because the registry missed
one ping would only cost time. It is cut when the image is no longer wanted, when its
content changed, or when it must not be delivered at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial

from cyroid_images.errors import Mark, Reason
from cyroid_images.execute.executor import Executor
from cyroid_images.execute.ports import Movers
from cyroid_images.execute.transfer import Job, Transfer
from cyroid_images.model.actions import Load, Pull, Step, Untag, Wait
from cyroid_images.model.engine import FoundImages
from cyroid_images.model.fault import Route
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import HeldByEngine, Wish
from cyroid_images.model.observed import RangeSeen, TargetSeen
from cyroid_images.model.telemetry.measures import Measures
from cyroid_images.plan.limits import EffectiveTimeouts
from cyroid_images.plan.push_order import large_first
from cyroid_images.plan.status.tar_record import is_recorded
from cyroid_images.reconcile.ranges.range_snapshot import RangeSnapshots
from cyroid_images.reconcile.ranges.range_state import RangeState
from cyroid_images.reconcile.tidy import tidy
from cyroid_images.report.audit import tell_fallback
from cyroid_images.store.keys import Key

Steps = Mapping[str, tuple[Step, ...]]
"""By target UID, one per wish; empty for a target that is not seen."""


@dataclass(frozen=True, slots=True)
class RangeTransfers:
    """Turns steps into transfers."""

    executor: Executor
    movers: Movers
    snapshots: RangeSnapshots
    check_registry: Callable[[str], None]
    measures: Measures

    def sync(self, key: Key, seen: RangeSeen, steps: Steps, state: RangeState) -> None:
        """Make the running transfers equal to the steps."""
        wanted = () if seen.item.spec.suspend else self._wanted(key, seen, steps, state)
        self.executor.sync(key, wanted)

    def _wanted(self, key: Key, seen: RangeSeen, steps: Steps, state: RangeState) -> list[Transfer]:
        transfers = list(self._going_on(key, seen, steps))
        taken = {transfer.key for transfer in transfers}
        fresh = [each.target.uid for each in seen.targets if not each.is_stale]
        new = [s for uid in fresh for s in steps.get(uid, ()) if isinstance(s, Pull | Load)]
        for step in large_first(new):
            if _slot(step) not in taken and self._may_begin(seen, step, state):
                transfers.append(self._transfer(key, seen, step))
                self._have_registry_checked(seen, step, state)
        tidy = (self._tidy(key, seen, each, state, transfers) for each in seen.targets)
        return [*transfers, *state.untidy.due(filter(None, tidy), seen.now)]

    def _going_on(self, key: Key, seen: RangeSeen, steps: Steps) -> Iterable[Transfer]:
        """The running transfers that the plan leaves alone."""
        for job in self.executor.running(key):
            action = job.transfer.action
            if isinstance(action, Untag) or _may_go_on(
                job, steps.get(action.target.uid), seen.wishes
            ):
                yield job.transfer

    def _have_registry_checked(self, seen: RangeSeen, step: Pull | Load, state: RangeState) -> None:
        """An engine may wait half a minute for a registry that is gone; the cache finds out."""
        if isinstance(step, Pull):
            state.gives(step)
            self.check_registry(seen.item.cache_name)

    def _may_begin(self, seen: RangeSeen, step: Pull | Load, state: RangeState) -> bool:
        """A load begins only when its record is in status."""
        if isinstance(step, Pull):
            return True
        if not is_recorded(step, state.tar):
            self._tell_fallback(step)
        return state.record(step, seen.now)

    def _transfer(self, key: Key, seen: RangeSeen, step: Pull | Load) -> Transfer:
        timeouts = self.snapshots.timeouts(seen.item)
        return Transfer(
            key=_slot(step),
            action=step,
            version=_version(step),
            party=key.namespace,
            limits=_limits(step),
            run=self._run(step, timeouts),
            total_seconds=timeouts.total,
            size=_size(step),
        )

    def _run(self, step: Pull | Load, timeouts: EffectiveTimeouts) -> partial[FoundImages]:
        if isinstance(step, Pull):
            return partial(self.movers.pull, step, timeouts.stall)
        return partial(self.movers.load, step, timeouts.stall)

    def _tell_fallback(self, load: Load) -> None:
        """Once per load that is new; one that the spec asks for is no fallback."""
        if load.because.reason is not Reason.FORCED_BY_SPEC:
            self.measures.fell_back(load.because.reason)
            tell_fallback(load)

    def _tidy(
        self,
        key: Key,
        seen: RangeSeen,
        each: TargetSeen,
        state: RangeState,
        transfers: Iterable[Transfer],
    ) -> Transfer | None:
        """Drop what an interrupted transfer left, while no transfer runs in that engine."""
        if each.view is None or each.is_stale or seen.cache is None:
            return None
        uid = each.target.uid
        if self.executor.is_busy_with(uid) or any(uid in other.parts for other in transfers):
            return None
        # What the engine shows no more, after all transfers have ended there, is over.
        ours = state.transports.get(uid, set())
        ours.intersection_update(each.view.by_digest)
        names = _transports(seen) | ours
        return tidy(each.target.endpoint, each.view, names, self.movers, key.namespace)


def _transports(seen: RangeSeen) -> set[Reference]:
    """The names by which the wanted images are pulled now."""
    if seen.cache is None:
        return set()
    host = seen.cache.pull_host.lower()
    stored = (known.stored for wish in seen.wishes if (known := seen.cache.images.get(wish)))
    return {Reference(host, each.repository, None, each.manifest.digest) for each in stored if each}


def _may_go_on(job: Job, steps: tuple[Step, ...] | None, wishes: Iterable[Wish]) -> bool:
    """Is what this transfer brings still wanted there? An unseen target keeps its transfers."""
    action: Pull | Load = job.transfer.action
    if not steps:
        return steps is not None and action.wish in wishes
    for step in steps:
        if step.wish != action.wish:
            continue
        if isinstance(step, Wait):
            return step.fault.reason.mark is not Mark.TERMINAL
        if isinstance(action, Pull) and isinstance(step, Load) and not job.has_moved:
            return False  # it hangs before its first byte, and the plan knows a way around
        return step.content.is_same(action.content)
    return False


def _slot(step: Pull | Load) -> tuple[str, str, str]:
    """What must not happen twice at a time: one name in one engine."""
    return ("deliver", step.target.uid, str(step.wish.reference.tagged))


def _version(step: Pull | Load) -> tuple[Route, object]:
    if isinstance(step, Pull):
        return Route.REGISTRY, step.stored.manifest.digest
    return Route.TAR, step.source.id


def _limits(step: Pull | Load) -> tuple[str, ...]:
    """A pull moves no byte through the operator: it counts against pulls only."""
    engine = f"engine:{step.target.uid}"
    if isinstance(step, Pull):
        return (engine, "pulls")
    if isinstance(step.source, HeldByEngine):
        return (engine, f"source:{step.source.endpoint}", "bytes")
    return (engine, "bytes")


def _size(step: Pull | Load) -> int:
    """Bytes that it can tell as progress; of a tar nobody knows for sure."""
    return step.stored.manifest.size if isinstance(step, Pull) else 0
