"""The first status of an object, before any look has ended: nothing is known, work begins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    Verdict,
    set_conditions,
)
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import (
    CacheImageCounts,
    ImageCacheStatus,
    RangeImageCounts,
    RangeImagesStatus,
    RangeSummary,
    Summary,
)

_RANGE = (ConditionType.TARGETS_AVAILABLE, ConditionType.REGISTRY_AVAILABLE)
_CACHE = (ConditionType.REGISTRY_AVAILABLE, ConditionType.SOURCE_AVAILABLE)
_NOT_YET = "not looked at yet"


def initial_range_status(item: RangeImages, now: datetime) -> RangeImagesStatus:
    """Of a RangeImages."""
    verdicts = (*_beginning(_RANGE), _no_tar())
    wanted = len(item.spec.images)
    return RangeImagesStatus(
        summary=RangeSummary(images=f"0/{wanted}", targets="0/0"),
        images=RangeImageCounts(desired=wanted),
        conditions=set_conditions((), verdicts, generation=item.metadata.generation, now=now),
    )


def initial_cache_status(item: ImageCache, now: datetime) -> ImageCacheStatus:
    """Of an ImageCache."""
    wanted = len(item.spec.images)
    return ImageCacheStatus(
        summary=Summary(images=f"0/{wanted}"),
        images=CacheImageCounts(desired=wanted),
        conditions=set_conditions(
            (), _beginning(_CACHE), generation=item.metadata.generation, now=now
        ),
    )


def stalled(
    previous: Sequence[Condition], generation: int, fault: Fault, now: datetime, *, is_range: bool
) -> tuple[Condition, ...]:
    """The conditions of an object that cannot be worked on at all: only an edit helps."""
    verdicts = (
        Verdict(ConditionType.READY, ConditionStatus.FALSE, fault.reason, fault.message),
        *_unknown(_RANGE if is_range else _CACHE, fault.reason, fault.message),
        *((_no_tar(),) if is_range else ()),
        Verdict(ConditionType.STALLED, ConditionStatus.TRUE, fault.reason, fault.message),
    )
    return set_conditions(previous, verdicts, generation=generation, now=now)


def _beginning(kinds: Sequence[ConditionType]) -> tuple[Verdict, ...]:
    message = "not looked at yet; the first look is under way"
    return (
        Verdict(ConditionType.READY, ConditionStatus.UNKNOWN, Reason.PROGRESSING, message),
        *_unknown(kinds, Reason.PROGRESSING, _NOT_YET),
        Verdict(ConditionType.RECONCILING, ConditionStatus.TRUE, Reason.PROGRESSING, message),
    )


def _unknown(kinds: Sequence[ConditionType], reason: Reason, message: str) -> tuple[Verdict, ...]:
    return tuple(Verdict(kind, ConditionStatus.UNKNOWN, reason, message) for kind in kinds)


def _no_tar() -> Verdict:
    kind = ConditionType.TAR_FALLBACK
    return Verdict(kind, ConditionStatus.FALSE, Reason.NOT_NEEDED, "no wanted image came by tar")
