"""What is not known yet says nothing against what was proven before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Cached, CacheStep, Present, Step, Wait
from cyroid_images.model.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.fault import Fault
from cyroid_images.model.observed import CacheSeen, RangeSeen, TargetSeen
from cyroid_images.model.status import ImageCacheStatus, RangeImagesStatus, Status


_OF_OTHERS = (
    ConditionType.TARGETS_AVAILABLE,
    ConditionType.REGISTRY_AVAILABLE,
    ConditionType.SOURCE_AVAILABLE,
)
"""What is told of engines, registry and sources."""


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


def keep_known(before: Status, conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """What is not looked at yet stays as it was last known of this generation."""
    known = {each.type: each for each in before.conditions}
    return tuple(
        known[each.type] if _is_not_looked_at(each, known.get(each.type)) else each
        for each in conditions
    )


def _is_not_looked_at(new: Condition, old: Condition | None) -> bool:
    return (
        old is not None
        and new.type in _OF_OTHERS
        and new.status is ConditionStatus.UNKNOWN
        and new.reason is Reason.PROGRESSING
        and old.observed_generation == new.observed_generation
    )


def _joined(before: Status, after: Status) -> tuple[Condition, ...]:
    """Ready as it was, and nothing of work that is going on."""
    ready = before.condition(ConditionType.READY)
    others = [
        each
        for each in keep_known(before, after.conditions)
        if each.type in _OF_OTHERS or each.type is ConditionType.TAR_FALLBACK
    ]
    return (*((ready,) if ready else ()), *others)


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
    known = seen.cache.images.get(step.wish)
    return known is None or (known.content is None and known.is_unknown)


def _was_ready(status: Status, generation: int) -> bool:
    ready = status.condition(ConditionType.READY)
    return (
        ready is not None
        and ready.status is ConditionStatus.TRUE
        and ready.observed_generation == generation
    )


def _is_progress(fault: Fault | None) -> bool:
    return fault is not None and fault.reason is Reason.PROGRESSING
