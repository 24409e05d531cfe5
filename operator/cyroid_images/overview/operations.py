"""A push as CYROID's clients follow it: no operation of its own, but an entry of an ImageCache.

So it survives restarts, and two people who push one image follow the same one. It is completed
only when the image is proven to be in the registry.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from enum import StrEnum

from cyroid_images.errors import InvalidReference, Mark, Reason
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import TransferStatus
from cyroid_images.model.kinds.status import ImageStatus, TransferFailure
from cyroid_images.overview.answer import Answer


class PushPhase(StrEnum):
    """How far a push is, in the words of CYROID's clients."""

    STARTING = "starting"
    PUSHING = "pushing"
    VERIFYING = "verifying"
    COMPLETED = "completed"
    FAILED = "failed"
    """It needs somebody, or is tried again after a pause: see `error_message`."""


class PushStatus(Answer):
    """One push."""

    operation_id: str
    image_tag: str
    status: PushPhase
    progress_percent: int
    """100 only where the image is proven to be in the registry."""
    current_layer: int | None = None
    total_layers: int | None = None
    error_message: str | None = None
    reason: str | None = None
    digest: str | None = None
    """Digest in the registry, once it is there."""
    done_bytes: int | None = None
    total_bytes: int | None = None
    bytes_per_second: int | None = None

    @property
    def is_over(self) -> bool:
        return self.status in (PushPhase.COMPLETED, PushPhase.FAILED)


def operation_id(cache: str, image: Reference) -> str:
    """The same for everybody who pushes this image into this cache, 16 hex digits."""
    return hashlib.sha256(f"{cache}\n{image}".encode()).hexdigest()[:16]


def push_status(cache: ImageCache, image: Reference) -> PushStatus | None:
    """How far the push of this image is; None: nobody asked for one."""
    name = str(image)
    row = next((each for each in cache.status.image_statuses if each.image == name), None)
    is_listed = any(each.reference == image for each in cache.spec.images)
    if row is None and not is_listed:
        return None
    failure = next((each for each in cache.status.failures if each.image == name), None)
    moving = next((each for each in cache.status.transfers if each.image == name), None)
    return _status(operation_id(cache.metadata.name, image), name, row, failure, moving)


def following(cache: ImageCache, image: Reference) -> PushStatus | None:
    """The same for who follows a push that was just asked for: what was over before the operator
    has seen that counts as starting."""
    found = push_status(cache, image)
    ready, asked = cache.status.condition(ConditionType.READY), cache.metadata.reconcile_at
    is_seen = ready is not None and ready.observed_generation == cache.metadata.generation
    is_handled = asked is None or cache.status.last_handled_reconcile_at == asked
    if found is None or not found.is_over or (is_seen and is_handled):
        return found
    return PushStatus(
        operation_id=found.operation_id,
        image_tag=found.image_tag,
        status=PushPhase.STARTING,
        progress_percent=0,
    )


def pushes(cache: ImageCache) -> tuple[PushStatus, ...]:
    """All that are known of, in the order of their names."""
    asked = {str(each.reference): each.reference for each in cache.spec.images}
    for row in cache.status.image_statuses:
        with suppress(InvalidReference):  # what only a newer version can name
            asked.setdefault(row.image, Reference.parse(row.image))
    found = (push_status(cache, asked[name]) for name in sorted(asked))
    return tuple(each for each in found if each is not None)


def active_pushes(cache: ImageCache) -> tuple[PushStatus, ...]:
    """Those that are not over."""
    return tuple(each for each in pushes(cache) if not each.is_over)


def _status(
    id_: str,
    name: str,
    row: ImageStatus | None,
    failure: TransferFailure | None,
    moving: TransferStatus | None,
) -> PushStatus:
    if row is not None and row.digest is not None:
        return PushStatus(
            operation_id=id_,
            image_tag=name,
            status=PushPhase.COMPLETED,
            progress_percent=100,
            digest=str(row.digest),
            total_bytes=row.size_bytes,
            done_bytes=row.size_bytes,
        )
    if moving is not None:
        return _moving(id_, name, moving)
    reason = failure.reason if failure is not None else row.reason if row is not None else None
    message = failure.message if failure is not None else row.message if row is not None else None
    has_failed = reason is not None and (failure is not None or _is_over_for_now(reason))
    return PushStatus(
        operation_id=id_,
        image_tag=name,
        status=PushPhase.FAILED if has_failed else PushPhase.STARTING,
        progress_percent=0,
        reason=None if reason is None else str(reason),
        error_message=message if has_failed else None,
    )


def _moving(id_: str, name: str, row: TransferStatus) -> PushStatus:
    total = row.total_bytes
    is_whole = bool(total) and row.done_bytes >= (total or 0)
    phase = PushPhase.VERIFYING if is_whole else PushPhase.PUSHING
    return PushStatus(
        operation_id=id_,
        image_tag=name,
        status=PushPhase.STARTING if row.is_waiting else phase,
        progress_percent=min(99, 100 * row.done_bytes // total) if total else 0,
        done_bytes=row.done_bytes,
        total_bytes=total,
        bytes_per_second=row.bytes_per_second,
    )


def _is_over_for_now(reason: Reason) -> bool:
    """Does time alone not bring it? What waits for something to appear counts, too."""
    return reason.mark in (Mark.TERMINAL, Mark.WAITING, Mark.INTEGRITY)
