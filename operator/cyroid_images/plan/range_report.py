"""What is said of a RangeImages: its whole status, from what a pass saw and decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Load, Present, Pull, Step, Wait
from cyroid_images.model.conditions import (
    ConditionStatus,
    ConditionType,
    Verdict,
    set_conditions,
)
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import FailureKey, RangeDone, RangeSeen, TargetSeen
from cyroid_images.model.status import (
    MOST_FAILURES,
    MOST_TAR_DELIVERIES,
    MOST_TARGETS,
    RangeImageCounts,
    RangeImagesStatus,
    RangeSummary,
    TargetCounts,
    TargetStatus,
    TransferFailure,
    first,
)
from cyroid_images.plan import story
from cyroid_images.plan.settled import settled_generation
from cyroid_images.plan.tar_record import came_by_tar, tar_fallback
from cyroid_images.plan.wording import under_way

_UNKNOWN = frozenset({Reason.POD_NOT_READY, Reason.WAITING_FOR_ENGINE, Reason.PROGRESSING})
"""Target faults that say "not seen yet" rather than "not available"."""


def report(seen: RangeSeen, done: RangeDone) -> RangeImagesStatus:
    """The status after this pass."""
    seen = replace(seen, failures=_open_failures(seen, done))
    counted = came_by_tar(seen, done.steps, done.tar)
    by_target = Counter(record.uid for record in counted)
    failed = Counter(uid for uid, _ in {(key.uid, key.wish) for key in seen.failures})
    item, rows = seen.item, [_row(each, done, by_target, failed) for each in seen.targets]
    complete = _complete(seen, done)
    ready = sum(row.reason is None and row.present == len(seen.wishes) for row in rows)
    counts = RangeImageCounts(
        desired=len(seen.wishes),
        present=len(complete),
        failed=len({key.wish for key in seen.failures}),
        via_tar=len({record.image for record in counted}),
    )
    verdicts = (
        *story.tell(_ending(seen, done, len(complete))),
        _targets_available(seen),
        _registry_available(seen),
        tar_fallback(seen, counted, done.tar_causes),
    )
    conditions = set_conditions(
        item.status.conditions, verdicts, generation=item.metadata.generation, now=seen.now
    )
    listed, targets_omitted = first(MOST_TARGETS, sorted(rows, key=_worst_first))
    failures, failures_omitted = _failures(seen)
    records, records_omitted = first(MOST_TAR_DELIVERIES, done.tar)
    return RangeImagesStatus(
        observed_generation=settled_generation(item.status, item.metadata, conditions),
        last_handled_reconcile_at=item.metadata.reconcile_at,
        summary=RangeSummary(
            images=f"{len(complete)}/{len(seen.wishes)}", targets=f"{ready}/{len(rows)}"
        ),
        images=counts,
        targets=TargetCounts(matched=len(rows), ready=ready),
        target_statuses=listed,
        targets_omitted=targets_omitted,
        tar_deliveries=records,
        tar_deliveries_omitted=records_omitted,
        failures=failures,
        failures_omitted=failures_omitted,
        conditions=conditions,
    )


def _complete(seen: RangeSeen, done: RangeDone) -> frozenset[Wish]:
    """The wishes that are, proven, in every target."""
    if not seen.targets:
        return frozenset()
    found = [
        {step.wish for step in done.steps.get(each.target.uid, ()) if isinstance(step, Present)}
        for each in seen.targets
    ]
    return frozenset(set.intersection(*found))


def _ending(seen: RangeSeen, done: RangeDone, present: int) -> story.Ending:
    everything = bool(seen.targets) and present == len(seen.wishes)
    targets = len(seen.targets)
    where = "the target" if targets == 1 else f"all {targets} targets"
    return story.Ending(
        is_complete=everything,
        good=Reason.ALL_IMAGES_PRESENT,
        headline=f"{present} of {len(seen.wishes)} images present in {where}"
        if targets
        else f"{len(seen.wishes)} images wanted",
        causes=() if everything else _causes(seen, done),
        is_suspended=seen.item.spec.suspend,
        has_failed=bool(seen.failures),
    )


def _causes(seen: RangeSeen, done: RangeDone) -> list[Fault]:
    """Why something is not there yet, once per fault."""
    if not seen.targets:
        return [
            Fault(
                Reason.NO_TARGETS,
                "no pod of the namespace matches the selector and carries the label"
                " cyroid.io/component=dind; work starts when one appears",
            )
        ]
    causes: dict[Fault, None] = {}
    moving = under_way(done.running)
    for each in seen.targets:
        if each.fault is not None:
            causes[Fault(each.fault.reason, f"{each.target.pod}: {each.fault.message}")] = None
        for step in done.steps.get(each.target.uid, ()):
            if isinstance(step, Wait):
                causes[step.fault] = None
            elif isinstance(step, Pull | Load):
                causes[_moving(each.target.uid, step, done, moving)] = None
    return list(causes)


def _moving(uid: str, step: Pull | Load, done: RangeDone, moving: str | None) -> Fault:
    """What a delivery is under way for: new content under a known name, or plain progress."""
    words = moving or "transfers are about to start"
    before = done.renewed.get((uid, step.wish))
    if before is None:
        return Fault(Reason.PROGRESSING, words)
    what = f"{step.wish} moved from {before} to {step.content.identity}"
    return Fault(Reason.NEW_DIGEST, f"{what}; {words}")


def _targets_available(seen: RangeSeen) -> Verdict:
    kind = ConditionType.TARGETS_AVAILABLE
    if not seen.targets:
        message = "no pod matches the selector and carries the label cyroid.io/component=dind"
        return Verdict(kind, ConditionStatus.FALSE, Reason.NO_TARGETS, message)
    faults = [(each.target.pod, each.fault) for each in seen.targets if each.fault]
    if not faults:
        count = len(seen.targets)
        message = "the engine answers" if count == 1 else f"all {count} engines answer"
        return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, message)
    pod, worst = min(faults, key=lambda pair: pair[1].reason in _UNKNOWN)
    status = ConditionStatus.UNKNOWN if worst.reason in _UNKNOWN else ConditionStatus.FALSE
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Verdict(kind, status, worst.reason, f"{pod}: {worst.message}{more}")


def _registry_available(seen: RangeSeen) -> Verdict:
    kind = ConditionType.REGISTRY_AVAILABLE
    if seen.cache is None or not seen.cache.looked:
        unseen = seen.cache_fault or Fault(Reason.PROGRESSING, "not looked at yet")
        return Verdict(kind, ConditionStatus.UNKNOWN, unseen.reason, unseen.message)
    if (fault := seen.cache.registry_fault(seen.wishes)) is not None:
        return Verdict(kind, ConditionStatus.FALSE, fault.reason, fault.message)
    return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, f"{seen.cache.pull_host} answers")


def _open_failures(seen: RangeSeen, done: RangeDone) -> Mapping[FailureKey, Failure]:
    """The failures that are not made good: of images still wanted, and not seen there now."""
    good = {
        (uid, step.wish)
        for uid, steps in done.steps.items()
        for step in steps
        if isinstance(step, Present)
    }
    targets, wishes = {each.target.uid for each in seen.targets}, set(seen.wishes)
    return {
        key: failure
        for key, failure in seen.failures.items()
        if key.uid in targets and key.wish in wishes and (key.uid, key.wish) not in good
    }


def _row(
    each: TargetSeen, done: RangeDone, by_tar: Mapping[str, int], failed: Mapping[str, int]
) -> TargetStatus:
    uid = each.target.uid
    steps = done.steps.get(uid, ())
    fault = each.fault or _step_fault(steps)
    return TargetStatus(
        pod=each.target.pod,
        uid=uid,
        engine=str(each.view.info) if each.view else None,
        present=sum(isinstance(step, Present) for step in steps),
        failed=failed.get(uid, 0),
        via_tar=by_tar.get(uid, 0),
        reason=fault.reason if fault else None,
        message=fault.message if fault else None,
    )


def _step_fault(steps: Iterable[Step]) -> Fault | None:
    """The worst that keeps an image out of this target."""
    faults = [step.fault for step in steps if isinstance(step, Wait)]
    if faults:
        return min(faults, key=lambda fault: story.rank(fault.reason))
    if any(isinstance(step, Pull | Load) for step in steps):
        return Fault(Reason.PROGRESSING, "images are on their way")
    return None


def _worst_first(row: TargetStatus) -> tuple[int, int, str]:
    return (story.rank(row.reason) if row.reason else 99, row.present, row.pod)


def _failures(seen: RangeSeen) -> tuple[tuple[TransferFailure, ...], int]:
    """The most tried ones, and how many were left out: there may be tens of thousands."""
    pods = {each.target.uid: each.target.pod for each in seen.targets}
    names = {wish: str(wish) for wish in seen.wishes}
    ordered = sorted(
        seen.failures.items(),
        key=lambda pair: (-pair[1].attempts, names[pair[0].wish], pair[0].uid),
    )
    listed, omitted = first(MOST_FAILURES, ordered)
    return tuple(_failure(key, failure, pods.get(key.uid)) for key, failure in listed), omitted


def _failure(key: FailureKey, failure: Failure, pod: str | None) -> TransferFailure:
    return TransferFailure(
        image=str(key.wish.reference),
        pod=pod,
        route=key.route,
        reason=failure.reason,
        message=failure.fault.message,
        attempts=failure.attempts,
        next_attempt_time=None if failure.reason.mark is Mark.TERMINAL else failure.next_attempt,
    )
