"""What was not looked at yet says nothing against what was proven before."""

from __future__ import annotations

from collections.abc import Mapping

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Step, Wait
from cyroid_images.model.conditions import ConditionStatus, ConditionType
from cyroid_images.model.fault import Fault
from cyroid_images.model.observed import RangeSeen
from cyroid_images.model.range_images import RangeImages


def keeps_its_word(seen: RangeSeen, steps: Mapping[str, tuple[Step, ...]]) -> bool:
    """Was this generation ready, and has a part of it just not been seen in this pass?

    So it is after a start of the operator, and while an engine takes its time: Ready then
    stays until it is seen how things are. Each look ends, with a view or with a fault.
    """
    return _was_ready(seen.item) and (
        _is_progress(seen.cache_fault)
        or any(_is_progress(each.fault) for each in seen.targets)
        or any(_is_unknown(seen, step) for each in steps.values() for step in each)
    )


def _was_ready(item: RangeImages) -> bool:
    ready = item.status.condition(ConditionType.READY)
    return (
        ready is not None
        and ready.status is ConditionStatus.TRUE
        and ready.observed_generation == item.metadata.generation
    )


def _is_unknown(seen: RangeSeen, step: Step) -> bool:
    """Is it not known yet which content this image should have?"""
    if not isinstance(step, Wait) or not _is_progress(step.fault):
        return False
    known = seen.cache.images.get(step.wish) if seen.cache else None
    return known is None or known.content is None


def _is_progress(fault: Fault | None) -> bool:
    return fault is not None and fault.reason is Reason.PROGRESSING
