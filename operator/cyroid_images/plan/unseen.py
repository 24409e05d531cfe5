"""What is not known yet says nothing against what was proven before."""

from __future__ import annotations

from collections.abc import Mapping

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Cached, CacheStep, Present, Step, Wait
from cyroid_images.model.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.fault import Fault
from cyroid_images.model.observed import CacheSeen, RangeSeen, TargetSeen
from cyroid_images.model.status import ImageCacheStatus, RangeImagesStatus, Status
from cyroid_images.plan.delivery import knowledge_for


def keeps_ready(seen: RangeSeen, steps: Mapping[str, tuple[Step, ...]]) -> bool:
    """Was this generation ready, and is all that speaks against it not known yet?

    So it is after a start of the operator, while an engine takes its time, and while those
    who could tell what an image should be are away. One image that is known to be missing,
    or one engine that is known not to answer, is enough against it.
    """
    gaps = [gap for each in seen.targets for gap in _gaps(seen, each, steps)]
    gaps += [] if seen.cache_fault is None else [_is_progress(seen.cache_fault)]
    return _was_ready(seen.item.status, seen.item.metadata.generation) and bool(gaps) and all(gaps)


def keep_ready(before: RangeImagesStatus, after: RangeImagesStatus) -> RangeImagesStatus:
    """What was said of the images stays; what was seen of engines and registry is told."""
    kept = {
        "observed_generation": before.observed_generation,
        "last_handled_reconcile_at": after.last_handled_reconcile_at,
        "conditions": _joined(before, after),
    }
    return before.model_copy(update=kept)


def keeps_cached(seen: CacheSeen, steps: list[CacheStep]) -> bool:
    """The same of a cache, whose registry or sources are not looked at yet."""
    gaps = [_is_progress(step.fault) for step in steps if isinstance(step, Wait)]
    gaps += [_is_progress(seen.registry)] if seen.registry is not None else []
    others = all(isinstance(step, Wait | Cached) for step in steps)
    was_ready = _was_ready(seen.item.status, seen.item.metadata.generation)
    return was_ready and others and bool(gaps) and all(gaps)


def keep_cached(before: ImageCacheStatus, after: ImageCacheStatus) -> ImageCacheStatus:
    """What was said of the images stays; what was seen of registry and sources is told."""
    kept = {
        "last_handled_reconcile_at": after.last_handled_reconcile_at,
        "conditions": _joined(before, after),
    }
    return before.model_copy(update=kept)


def _joined(before: Status, after: Status) -> tuple[Condition, ...]:
    """Ready as it was; of the others what is known now, and else what was known."""
    told = {each.type: each for each in after.conditions}
    kept = {each.type: each for each in before.conditions}
    chosen = []
    for kind in ConditionType:
        if kind in (ConditionType.RECONCILING, ConditionType.STALLED):
            continue
        new, old = told.get(kind), kept.get(kind)
        is_old = old is not None and (
            kind is ConditionType.READY or new is None or new.status is ConditionStatus.UNKNOWN
        )
        condition = old if is_old else new
        if condition is not None:
            chosen.append(condition)
    return tuple(chosen)


def _gaps(seen: RangeSeen, each: TargetSeen, steps: Mapping[str, tuple[Step, ...]]) -> list[bool]:
    """What is not proven present in this target: True where it is only not known."""
    if each.view is None:
        return [_is_progress(each.fault)]
    if each.is_stale:
        return [True]
    return [
        _is_unknown(seen, each, step)
        for step in steps.get(each.target.uid, ())
        if not isinstance(step, Present)
    ]


def _is_unknown(seen: RangeSeen, each: TargetSeen, step: Step) -> bool:
    """Is the name there, and can nobody tell now which content it should have?"""
    if not isinstance(step, Wait) or each.view is None:
        return False
    if step.wish.reference.tagged not in each.view.images:
        return False
    if seen.cache is None:
        return _is_progress(step.fault)
    known = knowledge_for(step.wish, seen.cache, each.view.info.platform)
    return known.content is None and known.is_unknown


def _was_ready(status: Status, generation: int) -> bool:
    ready = status.condition(ConditionType.READY)
    return (
        ready is not None
        and ready.status is ConditionStatus.TRUE
        and ready.observed_generation == generation
    )


def _is_progress(fault: Fault | None) -> bool:
    return fault is not None and fault.reason is Reason.PROGRESSING
