"""Ready stays True while something cannot be observed and nothing is seen to be missing.

After a start of the operator, and while a party takes its time, is away or is silent, what
was Ready stays Ready until it is *seen* that something is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Cached, CacheStep, Present, Step, Wait
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import Status
from cyroid_images.model.observed import CacheSeen, RangeSeen, TargetSeen
from cyroid_images.plan.delivery import knowledge_for

S = TypeVar("S", bound=Status)


def keeps_ready(seen: RangeSeen, steps: Mapping[str, tuple[Step, ...]]) -> bool:
    """Was this generation ready, and is nothing seen to be missing, though not all is seen?"""
    if not _was_ready(seen.item) or not seen.targets or _has_new_pod(seen):
        return False
    doubts = [_doubt(each, seen, steps.get(each.target.uid, ())) for each in seen.targets]
    return None not in doubts and any(doubts)


def keeps_cache_ready(seen: CacheSeen, listed: Collection[CacheStep]) -> bool:
    """The same of a cache, whose registry or images were not looked at yet."""
    if not _was_ready(seen.item):
        return False
    if seen.registry is not None:
        return _is_progress(seen.registry) and all(isinstance(s, Wait | Cached) for s in listed)
    open_ones = [step for step in listed if not isinstance(step, Cached)]
    return bool(open_ones) and all(_is_unseen(step) for step in open_ones)


def still_ready(before: S, fresh: S) -> S:
    """The last status with what is known anew: which parties answer, what moves, and which pass
    was asked."""
    told = {each.type: each for each in fresh.conditions}
    kept = tuple(_newer(old, told.get(old.type)) for old in before.conditions)
    for old in before.conditions:
        told.pop(old.type, None)
    # Another version of the operator may have said less, or in words that we cannot read.
    more = (each for each in told.values() if each.type not in _ONLY_WHILE_TRUE)
    return before.model_copy(
        update={
            "last_handled_reconcile_at": fresh.last_handled_reconcile_at,
            "conditions": (*kept, *more),
            "transfers": fresh.transfers,
            "transfers_omitted": fresh.transfers_omitted,
        }
    )


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
        and new.type in (*_PARTIES, ConditionType.TARGETS_AVAILABLE)
        and new.status is ConditionStatus.UNKNOWN
        and new.reason is Reason.PROGRESSING
        and old.observed_generation == new.observed_generation
    )


_ONLY_WHILE_TRUE = frozenset({ConditionType.RECONCILING, ConditionType.STALLED})
_PARTIES = frozenset({ConditionType.REGISTRY_AVAILABLE, ConditionType.SOURCE_AVAILABLE})


def _newer(old: Condition, new: Condition | None) -> Condition:
    """The condition of a party that was not asked yet stays as it was."""
    if new is None or old.type not in _PARTIES or new.status is ConditionStatus.UNKNOWN:
        return old
    return new


def _was_ready(item: RangeImages | ImageCache) -> bool:
    ready = item.status.condition(ConditionType.READY)
    return (
        ready is not None
        and ready.status is ConditionStatus.TRUE
        and ready.observed_generation == item.metadata.generation
    )


def _has_new_pod(seen: RangeSeen) -> bool:
    """Is there a pod of which nothing was ever said? It can be told while every pod has a row."""
    status = seen.item.status
    known = {row.uid for row in status.target_statuses}
    are_all = bool(known) and len(known) >= status.targets.matched
    return are_all and any(each.target.uid not in known for each in seen.targets)


def _doubt(each: TargetSeen, seen: RangeSeen, steps: Sequence[Step]) -> bool | None:
    """False: all is seen to be there; True: not all is seen; None: something is missing."""
    if each.fault is not None:
        return True if _is_progress(each.fault) else None
    if each.is_stale:  # something happened there, and a look is on its way
        return True
    if each.view is None or len(steps) != len(seen.wishes):
        return True if seen.cache_fault is None or _is_progress(seen.cache_fault) else None
    open_ones = [step for step in steps if not isinstance(step, Present)]
    if any(not _may_be_there(step, each, seen) for step in open_ones):
        return None
    return bool(open_ones)


def _may_be_there(step: Step, each: TargetSeen, seen: RangeSeen) -> bool:
    """Has the engine that name, while nobody can say what its content should be?"""
    if not isinstance(step, Wait) or each.view is None:
        return False
    if step.wish.reference.tagged not in each.view.images:
        return False
    if seen.cache is None:
        return _is_progress(step.fault)
    known = knowledge_for(step.wish, seen.cache, each.view.info.platform)
    return known.content is None and known.is_unknown


def _is_unseen(step: CacheStep) -> bool:
    return isinstance(step, Wait) and _is_progress(step.fault)


def _is_progress(fault: Fault | None) -> bool:
    return fault is not None and fault.reason is Reason.PROGRESSING
