"""The record of what came by tar, and the neutral condition that is told from it.

A record is written before the first byte of a load, so a kill cannot lose it, and counts
once the image is seen in its target. It goes when the registry delivered the image anew,
when nobody wants that content there any more, or when the target is gone.

A source and the registry may name one content by different digests, and after a restart only
one of them may be there to ask. So a digest that is not the recorded one proves nothing. That
a content is another one is told by its layers, which all who know it agree on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Pull, Step
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType, Verdict
from cyroid_images.model.kinds.status import TarDelivery
from cyroid_images.model.observed import RangeSeen


def record_of(load: Load, now: datetime) -> TarDelivery:
    """The record of one load that is about to begin."""
    return TarDelivery(
        image=str(load.wish.reference),
        uid=load.target.uid,
        digest=load.content.identity,
        layers=load.content.layers,
        reason=load.because.reason,
        time=now,
    )


def is_recorded(load: Load, records: Iterable[TarDelivery]) -> bool:
    """Does a record speak of this very load?"""
    return any(
        record.uid == load.target.uid
        and record.image == str(load.wish.reference)
        and record.digest in load.content.identities
        and not _is_another(load.content, record)
        for record in records
    )


def still_true(record: TarDelivery, steps: Sequence[Step]) -> bool:
    """Is its content still wanted in its target? A target that was not seen has no steps.

    A pull to come leaves it: it goes with the pull's success.
    """
    if not steps:
        return True
    for step in steps:
        if str(step.wish.reference) == record.image:
            return not (isinstance(step, Present | Load) and _is_another(step.content, record))
    return False


def tar_fallback(
    seen: RangeSeen, present: Sequence[TarDelivery], causes: Mapping[tuple[str, str], str]
) -> Verdict:
    """The condition TarFallback: never part of Ready.

    `present` are the records that count, `causes` the errors by target and image.
    """
    kind = ConditionType.TAR_FALLBACK
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


def came_by_tar(
    seen: RangeSeen, steps: Mapping[str, Sequence[Step]], records: Iterable[TarDelivery]
) -> tuple[TarDelivery, ...]:
    """The records that count: their image is seen in its target, brought by the load.

    An engine that is not seen keeps its records. Where a pull or load is still to come,
    what stands under that name now is not what the load brings.
    """
    names = {str(wish.reference): wish.reference.tagged for wish in seen.wishes}
    views = {each.target.uid: each.view for each in seen.targets}
    coming = {
        (uid, str(step.wish.reference))
        for uid, each in steps.items()
        for step in each
        if isinstance(step, Pull | Load)
    }
    return tuple(
        record
        for record in records
        if record.uid in views
        and (record.uid, record.image) not in coming
        and ((view := views[record.uid]) is None or names.get(record.image) in view.images)
    )


def _is_another(content: ImageContent, record: TarDelivery) -> bool:
    """Is this known not to be the recorded content? A row without layers cannot tell."""
    return record.layers not in (None, content.layers)


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
