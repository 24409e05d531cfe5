"""The record of what came by tar, and the neutral condition that is told from it.

A record is written before the first byte of a load, so a kill cannot lose it, and counts
once the image is seen in its target. It goes when the registry delivered the image anew,
when nobody wants that content there any more, or when the target is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Step
from cyroid_images.model.conditions import ConditionStatus, ConditionType, Verdict
from cyroid_images.model.digest import Digest
from cyroid_images.model.observed import RangeSeen
from cyroid_images.model.status import TarDelivery


def record_of(load: Load, now: datetime) -> TarDelivery:
    """The record of one load that is about to begin."""
    return TarDelivery(
        image=str(load.wish.reference),
        uid=load.target.uid,
        digest=load.source.content.identity,
        reason=load.because.reason,
        time=now,
    )


def is_recorded(load: Load, records: Iterable[TarDelivery]) -> bool:
    """Does a record speak of this very load?"""
    return any(
        record.uid == load.target.uid
        and record.image == str(load.wish.reference)
        and record.digest in load.source.content.identities
        for record in records
    )


def still_true(record: TarDelivery, steps: Sequence[Step]) -> bool:
    """Is its content still wanted in its target? A target that was not seen has no steps."""
    if not steps:
        return True
    for step in steps:
        if str(step.wish.reference) != record.image:
            continue
        if isinstance(step, Present):
            return record.digest in step.content.identities
        wanted: frozenset[Digest] = frozenset()
        if isinstance(step, Load):
            wanted = step.source.content.identities
        return not wanted or record.digest in wanted
    return False


def tar_fallback(
    seen: RangeSeen, records: Sequence[TarDelivery], causes: Mapping[tuple[str, str], str]
) -> Verdict:
    """The condition TarFallback: never part of Ready. `causes` are by target and image."""
    kind = ConditionType.TAR_FALLBACK
    present = [record for record in records if _is_there(record, seen)]
    if not present:
        message = "no wanted image came by tar"
        return Verdict(kind, ConditionStatus.FALSE, Reason.NOT_NEEDED, message)
    first = min(present, key=lambda record: (record.time, record.image))
    targets = len({record.uid for record in present})
    images = len({record.image for record in present})
    message = (
        f"{images} of {len(seen.wishes)} images came by tar into {targets} of"
        f" {len(seen.targets)} targets; first: {first.image}: {_why(first, seen, causes)}"
    )
    return Verdict(kind, ConditionStatus.TRUE, first.reason, message)


def _is_there(record: TarDelivery, seen: RangeSeen) -> bool:
    """Is the image of the record seen in its target now? An unseen engine keeps its record."""
    for each in seen.targets:
        if each.target.uid != record.uid:
            continue
        if each.view is None:
            return True
        for wish in seen.wishes:
            image = each.view.images.get(wish.reference.tagged)
            if str(wish.reference) == record.image:
                return image is not None
    return False


def _why(record: TarDelivery, seen: RangeSeen, causes: Mapping[tuple[str, str], str]) -> str:
    """The registry's error of then; after a restart of the operator what status still says."""
    if cause := causes.get((record.uid, record.image)):
        return cause
    before = seen.item.status.condition(ConditionType.TAR_FALLBACK)
    if before is not None and before.status is ConditionStatus.TRUE:
        _, found, cause = before.message.partition(f"; first: {record.image}: ")
        if found:
            return cause
    return record.reason.meaning
