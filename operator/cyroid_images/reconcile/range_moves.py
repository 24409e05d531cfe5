"""Which moves the plan of a range comes to: new ones, and running ones that may go on.

A transfer that runs is left alone as long as its image is still wanted as it brings it,
whatever route the plan would take now: to cut half a gigabyte because the registry missed
one ping would only cost time. It is cut when the image is no longer wanted, when its
content changed, or when it must not be delivered at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Load, Pull, Step, Untag, Wait
from cyroid_images.model.fault import Route
from cyroid_images.model.knowledge import HeldByEngine, Wish
from cyroid_images.model.observed import RangeSeen, TargetSeen
from cyroid_images.plan.push_order import large_first
from cyroid_images.plan.tar_record import is_recorded
from cyroid_images.reconcile.audit import tell_fallback
from cyroid_images.reconcile.job import Job, Move
from cyroid_images.reconcile.keys import Key, Kind
from cyroid_images.reconcile.memory import Memory
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.tidying import tidy


class RangeMoves:
    """Turns steps into moves."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def wanted(
        self, key: Key, seen: RangeSeen, steps: Mapping[str, tuple[Step, ...]], memory: Memory
    ) -> list[Move]:
        """Every move that should run now for this range."""
        moves = list(self._going_on(key, seen, steps))
        taken = {move.key for move in moves}
        new = [s for each in steps.values() for s in each if isinstance(s, Pull | Load)]
        for step in large_first(new):
            move = self._new(seen, step, memory, taken)
            if move is not None and not self._site.jobs.has_just_ended(key, move.key):
                moves.append(move)
                self._have_registry_checked(seen, step)
        moves += (drop for each in seen.targets if (drop := self._tidy(seen, each, moves)))
        return moves

    def _going_on(
        self, key: Key, seen: RangeSeen, steps: Mapping[str, tuple[Step, ...]]
    ) -> Iterable[Move]:
        """The running moves that the plan leaves alone."""
        for job in self._site.jobs.running(key):
            action = job.move.action
            if isinstance(action, Untag) or _may_go_on(
                job, steps.get(action.target.uid), seen.wishes
            ):
                yield job.move

    def _have_registry_checked(self, seen: RangeSeen, step: Pull | Load) -> None:
        """An engine may wait half a minute for a registry that is gone; the cache finds out."""
        if isinstance(step, Pull):
            self._site.queue.wake(Key(Kind.IMAGE_CACHE, "", seen.item.cache_name))

    def _new(
        self, seen: RangeSeen, step: Pull | Load, memory: Memory, taken: set[object]
    ) -> Move | None:
        """The move of a step; a load begins only when its record is in status."""
        if _slot(step) in taken:
            return None
        if isinstance(step, Load):
            if not is_recorded(step, memory.tar):
                self._tell_fallback(step)
            if not memory.record(step, seen.now):
                return None
        timeouts = seen.item.spec.timeouts
        if isinstance(step, Pull):
            run = partial(self._site.movers.pull, step, timeouts.stall)
            version = (Route.REGISTRY, step.stored.manifest.digest)
        else:
            run = partial(self._site.movers.load, step, timeouts.stall)
            version = (Route.TAR, step.source.id)
        return Move(
            key=_slot(step),
            action=step,
            version=version,
            lanes=_lanes(step),
            run=run,
            total_seconds=timeouts.total,
        )

    def _tell_fallback(self, load: Load) -> None:
        """Once per load that is new; one that the spec asks for is no fallback."""
        if load.because.reason is not Reason.FORCED_BY_SPEC:
            self._site.measures.fell_back(load.because.reason)
            tell_fallback(load)

    def _tidy(self, seen: RangeSeen, each: TargetSeen, moves: Iterable[Move]) -> Move | None:
        """Drop what an interrupted transfer left, while no transfer runs in that engine."""
        if each.view is None or seen.cache is None:
            return None
        uid = each.target.uid
        if self._site.jobs.busy_with(uid) or any(uid in move.parts for move in moves):
            return None
        hosts = frozenset({seen.cache.pull_host.lower()})
        return tidy(each.target.endpoint, each.view, hosts, self._site.movers)


def _may_go_on(job: Job, steps: tuple[Step, ...] | None, wishes: Iterable[Wish]) -> bool:
    """Is what this transfer brings still wanted there? An unseen target keeps its transfers."""
    action: Pull | Load = job.move.action
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


def _lanes(step: Pull | Load) -> tuple[str, ...]:
    """The limits of the engine, of who saves for it, and of all."""
    engine = f"engine:{step.target.uid}"
    if isinstance(step, Load) and isinstance(step.source, HeldByEngine):
        return (engine, f"source:{step.source.endpoint}", "all")
    return (engine, "all")
