"""One range as people are shown it: how far, by which route, what is missing and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import yaml

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.kinds.lifecycle import TransferStatus
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.resources import GROUP, VERSION
from cyroid_images.model.kinds.status import MissingImage, TargetStatus
from cyroid_images.overview.answer import Answer

EVENT_LABEL = "cyroid.io/event"
"""Label of a RangeImages: the event (class, exercise) that the range belongs to."""


class TransferRow(Answer):
    """A transfer that is under way."""

    image: str
    pod: str | None = None
    """Absent: into the registry."""
    route: str
    done_bytes: int
    total_bytes: int | None = None
    bytes_per_second: int
    is_waiting: bool = False
    """It waits for its turn."""

    @classmethod
    def of(cls, row: TransferStatus) -> TransferRow:
        return cls(
            image=row.image,
            pod=row.pod,
            route=str(row.route),
            done_bytes=row.done_bytes,
            total_bytes=row.total_bytes,
            bytes_per_second=row.bytes_per_second,
            is_waiting=row.is_waiting,
        )


class MissingRow(Answer):
    """A wanted image that is not in every target."""

    image: str
    reason: str
    message: str
    pods: int
    """Targets that lack it."""
    first_pod: str

    @classmethod
    def of(cls, row: MissingImage) -> MissingRow:
        return cls(
            image=row.image,
            reason=str(row.reason),
            message=row.message,
            pods=row.pods,
            first_pod=row.first_pod,
        )


class TargetRow(Answer):
    """One engine of a range."""

    pod: str
    engine: str | None = None
    """Version, image store and platform."""
    present: int
    failed: int
    via_tar: int
    reason: str | None = None
    message: str | None = None

    @classmethod
    def of(cls, row: TargetStatus) -> TargetRow:
        return cls(
            pod=row.pod,
            engine=row.engine,
            present=row.present,
            failed=row.failed,
            via_tar=row.via_tar,
            reason=None if row.reason is None else str(row.reason),
            message=row.message,
        )


class RangeRow(Answer):
    """One range in a list."""

    namespace: str
    name: str
    event: str | None = None
    cache: str
    ready: bool | None = None
    """Null: not known, since no pass has looked at this version of it, or none could."""
    reason: str | None = None
    message: str | None = None
    since: datetime | None = None
    """Since when `ready` is what it is."""
    suspended: bool = False
    stalled: bool = False
    """Nothing more comes by itself: only somebody can bring what is missing."""
    images_present: int
    images_desired: int
    images_failed: int
    images_via_tar: int
    targets_ready: int
    targets_matched: int
    route: str | None = None
    """`registry`, `tar`, or `registry+tar`; null while nothing is there."""
    fallback: bool = False
    """An image came by tar because the registry did not serve."""
    fallback_reason: str | None = None
    fallback_message: str | None = None
    transfers: tuple[TransferRow, ...] = ()
    transfers_omitted: int = 0
    created: datetime


class RangeDetail(RangeRow):
    """One range with what is missing and its engines."""

    images: tuple[str, ...]
    """As the spec names them."""
    missing: tuple[MissingRow, ...] = ()
    missing_omitted: int = 0
    targets: tuple[TargetRow, ...] = ()
    targets_omitted: int = 0
    yaml: str | None = None
    """The object as `kubectl apply` takes it: without status and what the API server adds."""


def range_row(item: RangeImages) -> RangeRow:
    """The line of a list."""
    return RangeRow(**_row(item))


def range_detail(item: RangeImages) -> RangeDetail:
    """Everything of one range."""
    status = item.status
    return RangeDetail(
        **_row(item),
        images=tuple(each.image for each in item.spec.images),
        missing=tuple(MissingRow.of(row) for row in status.missing),
        missing_omitted=status.missing_omitted,
        targets=tuple(TargetRow.of(row) for row in status.target_statuses),
        targets_omitted=status.targets_omitted,
        yaml=as_yaml(item),
    )


def as_yaml(item: RangeImages) -> str:
    """What makes this range anew, or another like it."""
    labels = dict(item.metadata.labels)
    document = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "RangeImages",
        "metadata": {
            "name": item.metadata.name,
            "namespace": item.metadata.namespace,
            **({"labels": labels} if labels else {}),
        },
        "spec": item.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))


def is_true(condition: Condition) -> bool | None:
    """What a condition answers; None: it does not know."""
    if condition.status is ConditionStatus.UNKNOWN:
        return None
    return condition.status is ConditionStatus.TRUE


def _row(item: RangeImages) -> dict[str, Any]:
    status = item.status
    ready = status.condition(ConditionType.READY)
    fallback = status.condition(ConditionType.TAR_FALLBACK)
    is_current = ready is not None and ready.observed_generation == item.metadata.generation
    known = ready if is_current else None
    fell = fallback if fallback is not None and fallback.status == "True" else None
    return {
        "namespace": item.metadata.namespace or "",
        "name": item.metadata.name,
        "event": item.metadata.labels.get(EVENT_LABEL),
        "cache": item.cache_name,
        "ready": None if known is None else is_true(known),
        "reason": None if known is None else str(known.reason),
        "message": None if known is None else known.message,
        "since": None if known is None else known.last_transition_time,
        "suspended": item.spec.suspend,
        "stalled": known is not None and status.condition(ConditionType.STALLED) is not None,
        "images_present": status.images.present,
        "images_desired": status.images.desired or len(item.spec.images),
        "images_failed": status.images.failed,
        "images_via_tar": status.images.via_tar,
        "targets_ready": status.targets.ready,
        "targets_matched": status.targets.matched,
        "route": _route(status.images.present, status.images.via_tar),
        "fallback": fell is not None and fell.reason is not Reason.FORCED_BY_SPEC,
        "fallback_reason": None if fell is None else str(fell.reason),
        "fallback_message": None if fell is None else fell.message,
        "transfers": tuple(TransferRow.of(row) for row in status.transfers),
        "transfers_omitted": status.transfers_omitted,
        "created": item.metadata.creation_timestamp,
    }


def _route(present: int, via_tar: int) -> str | None:
    if not present and not via_tar:
        return None
    if not via_tar:
        return "registry"
    return "registry+tar" if present > via_tar else "tar"
