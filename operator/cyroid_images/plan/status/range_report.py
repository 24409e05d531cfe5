"""What is said of a RangeImages: its whole status, from what a pass saw and decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Present
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.kinds.conditions import Verdict, set_conditions
from cyroid_images.model.kinds.status import (
    MOST_FAILURES,
    MOST_MISSING,
    MOST_TAR_DELIVERIES,
    MOST_TARGETS,
    RangeImageCounts,
    RangeImagesStatus,
    RangeSummary,
    TarDelivery,
    TargetCounts,
    TargetStatus,
    TransferFailure,
)
from cyroid_images.model.kinds.status_fields import first
from cyroid_images.model.observed import FailureKey, RangeDone, RangeSeen, TargetSeen
from cyroid_images.plan.status.availability import (
    last_present,
    registry_available,
    targets_available,
)
from cyroid_images.plan.status.coverage import Coverage, TargetCoverage, coverage
from cyroid_images.plan.status.keep_ready import keep_known, keeps_ready, still_ready
from cyroid_images.plan.status.observed_generation import generation_observed
from cyroid_images.plan.status.ready import Readiness, rank, summarise
from cyroid_images.plan.status.tar_record import came_by_tar, tar_fallback
from cyroid_images.plan.status.transfer_rows import transfer_rows


def report(seen: RangeSeen, done: RangeDone) -> RangeImagesStatus:
    """The status after this pass."""
    status = _report(replace(seen, failures=_open_failures(seen, done)), done)
    if not keeps_ready(seen, done.steps):
        return status
    before = seen.item.status
    # Another version may have told no counts: they cannot stand beside what is seen now.
    return still_ready(before, status) if before.targets.matched else before


def _report(seen: RangeSeen, done: RangeDone) -> RangeImagesStatus:
    item, found = seen.item, coverage(seen, done)
    by_tar = came_by_tar(seen, done.steps, done.tar)
    rows = _rows(seen, found, by_tar)
    ready = sum(row.reason is None for row in rows)
    present = len(seen.wishes) - len(found.gaps) if seen.targets else 0
    verdicts = _verdicts(seen, done, found, by_tar)
    conditions = set_conditions(
        item.status.conditions, verdicts, generation=item.metadata.generation, now=seen.now
    )
    conditions = keep_known(item.status, conditions)
    missing, missing_omitted = first(MOST_MISSING, found.worst_first())
    listed, targets_omitted = first(MOST_TARGETS, sorted(rows, key=_worst_first))
    failures, failures_omitted = _failures(seen)
    records, records_omitted = first(MOST_TAR_DELIVERIES, done.tar)
    transfers, transfers_omitted = transfer_rows(done.running)
    return RangeImagesStatus(
        observed_generation=generation_observed(item.status, item.metadata, conditions),
        last_handled_reconcile_at=_handled(seen),
        summary=RangeSummary(
            images=f"{present}/{len(seen.wishes)}", targets=f"{ready}/{len(rows)}"
        ),
        images=RangeImageCounts(
            desired=len(seen.wishes),
            present=present,
            failed=found.failed,
            via_tar=len({record.image for record in by_tar}),
        ),
        targets=TargetCounts(matched=len(rows), ready=ready),
        missing=tuple(gap.row() for gap in missing),
        missing_omitted=missing_omitted,
        target_statuses=listed,
        targets_omitted=targets_omitted,
        tar_deliveries=records,
        tar_deliveries_omitted=records_omitted,
        failures=failures,
        failures_omitted=failures_omitted,
        transfers=transfers,
        transfers_omitted=transfers_omitted,
        conditions=conditions,
    )


def _handled(seen: RangeSeen) -> str | None:
    """The token of the last manual pass; a new one when the looks that it asks for are over."""
    if seen.is_looking:
        return seen.item.status.last_handled_reconcile_at
    return seen.item.metadata.reconcile_at


def _verdicts(
    seen: RangeSeen, done: RangeDone, found: Coverage, by_tar: tuple[TarDelivery, ...]
) -> tuple[Verdict, ...]:
    return (
        *summarise(_readiness(seen, found)),
        targets_available(seen),
        registry_available(seen),
        tar_fallback(seen, by_tar, done.tar_causes),
    )


def _readiness(seen: RangeSeen, found: Coverage) -> Readiness:
    wanted, targets = len(seen.wishes), len(seen.targets)
    where = "the target" if targets == 1 else f"all {targets} targets"
    present = wanted - len(found.gaps)
    return Readiness(
        is_complete=bool(targets) and not found.gaps,
        good=Reason.ALL_IMAGES_PRESENT,
        headline=f"{present} of {wanted} images present in {where}"
        if targets
        else f"{wanted} {'image' if wanted == 1 else 'images'} wanted",
        causes=tuple(found.causes) if targets else (_NO_TARGETS,),
        is_suspended=seen.item.spec.suspend,
        has_failed=bool(seen.failures),
    )


_NO_TARGETS = Fault(
    Reason.NO_TARGETS,
    "no pod of the namespace matches the selector and carries the label"
    " cyroid.io/component=dind; work starts when one appears",
)


def _open_failures(seen: RangeSeen, done: RangeDone) -> Mapping[FailureKey, Failure]:
    """The failures that are not made good: of images still wanted, and not seen there now."""
    if not seen.failures:
        return {}
    failed = {key.uid for key in seen.failures}
    good = {
        (uid, step.wish)
        for uid in failed
        for step in done.steps.get(uid, ())
        if isinstance(step, Present)
    }
    targets, wishes = {each.target.uid for each in seen.targets}, set(seen.wishes)
    return {
        key: failure
        for key, failure in seen.failures.items()
        if key.uid in targets and key.wish in wishes and (key.uid, key.wish) not in good
    }


def _rows(seen: RangeSeen, found: Coverage, by_tar: tuple[TarDelivery, ...]) -> list[TargetStatus]:
    loaded = Counter(record.uid for record in by_tar)
    return [
        _row(each, seen, found.targets[each.target.uid], loaded[each.target.uid])
        for each in seen.targets
    ]


def _row(each: TargetSeen, seen: RangeSeen, here: TargetCoverage, by_tar: int) -> TargetStatus:
    fault = here.fault
    return TargetStatus(
        pod=each.target.pod,
        uid=each.target.uid,
        engine=str(each.view.info) if each.view else None,
        present=(last_present(each, seen) or 0) if each.fault else here.present,
        failed=here.failed,
        via_tar=by_tar,
        reason=fault.reason if fault else None,
        message=fault.message if fault else None,
    )


def _worst_first(row: TargetStatus) -> tuple[int, int, str]:
    return (rank(row.reason) if row.reason else 99, row.present, row.pod)


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
