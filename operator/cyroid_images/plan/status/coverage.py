"""Which wanted images are in which targets, and why the rest is not: one walk over all steps.

The rows and counts of a RangeImages and the causes of its Ready are all read from here, so
they cannot contradict one another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Load, Present, Pull, Wait
from cyroid_images.model.fault import Fault, Route
from cyroid_images.model.kinds.status import MissingImage
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import FailureKey, RangeDone, RangeSeen, TargetSeen
from cyroid_images.plan.status.availability import target_fault
from cyroid_images.plan.status.progress_text import under_way
from cyroid_images.plan.status.ready import rank

NOT_YET = Fault(Reason.PROGRESSING, "not looked at yet")
_OF_A_TARGET = frozenset(
    {
        Reason.ENGINE_UNREACHABLE,
        Reason.WAITING_FOR_ENGINE,
        Reason.POD_NOT_READY,
        Reason.TARGET_IDENTITY_MISMATCH,
    }
)
"""What a failed attempt says of an engine that answers by now."""


@dataclass(slots=True)
class Gap:
    """One wanted image that is not in every target."""

    wish: Wish
    fault: Fault
    """The worst of what keeps it out of a target."""
    first_pod: str
    pods: int = 0
    needs_somebody: bool = False

    def row(self) -> MissingImage:
        """As it stands in status."""
        return MissingImage(
            image=str(self.wish.reference),
            reason=self.fault.reason,
            message=self.fault.message,
            pods=self.pods,
            first_pod=self.first_pod,
        )


@dataclass(slots=True)
class TargetCoverage:
    """One target: how many images it holds, how many of the others need somebody, and why."""

    present: int = 0
    failed: int = 0
    fault: Fault | None = None
    """The worst of what keeps an image out."""


@dataclass(slots=True)
class Coverage:
    """What one walk over all targets and images found."""

    gaps: dict[int, Gap] = field(default_factory=dict)
    """By the place of the image in the spec."""
    targets: dict[str, TargetCoverage] = field(default_factory=dict)
    """By UID."""
    causes: dict[Fault, None] = field(default_factory=dict)
    """Why something is not there yet, each once, with current progress."""

    @property
    def failed(self) -> int:
        """Images that need somebody."""
        return sum(gap.needs_somebody for gap in self.gaps.values())

    def worst_first(self) -> list[Gap]:
        """What needs somebody first, then by rank and by the number of targets."""
        return sorted(
            self.gaps.values(),
            key=lambda gap: (
                not gap.needs_somebody,
                rank(gap.fault.reason),
                -gap.pods,
                str(gap.wish),
            ),
        )


def coverage(seen: RangeSeen, done: RangeDone) -> Coverage:
    """Walk over all targets; `seen.failures` holds only what is not made good."""
    walk = _Walk(seen, done)
    for each in seen.targets:
        walk.visit(each)
    return walk.found


class _Walk:
    """One walk: what is the same for every target is worked out once."""

    def __init__(self, seen: RangeSeen, done: RangeDone) -> None:
        self.found = Coverage()
        self._seen = seen
        self._done = done
        self._wishes = seen.wishes
        self._words = under_way(done.running) or "transfers are about to start"
        self._failed: Mapping[str, set[Wish]] = _failed_by_target(seen)
        self._unpushed = _unpushed(seen)

    def visit(self, each: TargetSeen) -> None:
        steps = self._done.steps.get(each.target.uid, ())
        here = self.found.targets[each.target.uid] = TargetCoverage()
        fault = target_fault(each, self._seen)
        if fault is None and len(steps) != len(self._wishes):
            fault = NOT_YET
        if fault is not None:
            here.fault = fault
            told = replace(fault, message=f"{each.target.pod}: {fault.message}")
            self.found.causes[told] = None
            for place in range(len(self._wishes)):
                self._missing(place, told, each, here)
            return
        for place, step in enumerate(steps):
            if isinstance(step, Present):
                here.present += 1
                continue
            why, cause = self._why(step, each)
            self.found.causes[cause] = None
            here.fault = _worse(here.fault, why)
            self._missing(place, why, each, here)

    def _missing(self, place: int, why: Fault, each: TargetSeen, here: TargetCoverage) -> None:
        wish, pod = self._wishes[place], each.target.pod
        gap = self.found.gaps.setdefault(place, Gap(wish, why, pod))
        gap.pods += 1
        if rank(why.reason) < rank(gap.fault.reason):
            gap.fault, gap.first_pod = why, pod
        failed = self._failed.get(each.target.uid, ())
        if why.reason.mark is Mark.TERMINAL or wish in failed or wish in self._unpushed:
            gap.needs_somebody = True
            here.failed += 1

    def _why(self, step: Wait | Pull | Load, each: TargetSeen) -> tuple[Fault, Fault]:
        """Why this image is not there: as a stable message, and with current progress."""
        if isinstance(step, Wait):
            why = self._up_to_date(step, each.target.uid)
            return why, why
        coming = f"on its way by {_route(step)}"
        before = self._done.renewed.get((each.target.uid, step.wish))
        if before is None:
            lasting = Fault(Reason.PROGRESSING, f"{step.wish} is {coming}")
            return lasting, Fault(Reason.PROGRESSING, self._words)
        moved = f"{step.wish} moved from {before} to {step.content.identity}"
        return (
            Fault(Reason.NEW_DIGEST, f"{moved}; {coming}"),
            Fault(Reason.NEW_DIGEST, f"{moved}; {self._words}"),
        )

    def _up_to_date(self, step: Wait, uid: str) -> Fault:
        """An attempt failed because a party was away that answers by now: no news of that party."""
        reason, cache = step.fault.reason, self._seen.cache
        is_registry = cache is not None and cache.looked and cache.registry is None
        if not (reason in _OF_A_TARGET or (reason is Reason.REGISTRY_UNREACHABLE and is_registry)):
            return step.fault
        by_tar = self._seen.failures.get(FailureKey(uid, step.wish, Route.TAR))
        is_tar = by_tar is not None and by_tar.fault == step.fault
        return Fault(
            Reason.LOAD_FAILED if is_tar else Reason.PULL_FAILED,
            f"the last attempt failed ({step.fault.message}); trying again",
        )


def _route(step: Pull | Load) -> str:
    return "the registry" if isinstance(step, Pull) else f"tar ({step.because.message})"


def _worse(one: Fault | None, other: Fault) -> Fault:
    return other if one is None or rank(other.reason) < rank(one.reason) else one


def _failed_by_target(seen: RangeSeen) -> Mapping[str, set[Wish]]:
    found: dict[str, set[Wish]] = defaultdict(set)
    for key in seen.failures:
        found[key.uid].add(key.wish)
    return found


def _unpushed(seen: RangeSeen) -> frozenset[Wish]:
    """Images whose last push failed, so that there is nothing to pull."""
    known = seen.cache.images if seen.cache else {}
    return frozenset(
        wish for wish, each in known.items() if each.failure is not None and each.stored is None
    )
