"""What is said of an ImageCache: its whole status, from what a pass saw and decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Cached, CacheStep, Copy, Push, Wait
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.kinds.conditions import set_conditions
from cyroid_images.model.kinds.recorded_digests import digests_to_record
from cyroid_images.model.kinds.status import (
    MOST_FAILURES,
    MOST_IMAGE_STATUSES,
    CacheImageCounts,
    ImageCacheStatus,
    ImageStatus,
    OnDemandCounts,
    Summary,
    TransferFailure,
)
from cyroid_images.model.kinds.status_fields import first
from cyroid_images.model.knowledge import Stored, Wish
from cyroid_images.model.observed import CacheSeen, Running
from cyroid_images.plan import backoff
from cyroid_images.plan.cache import drifted
from cyroid_images.plan.sources import resolution
from cyroid_images.plan.status.availability import cache_registry_available, source_available
from cyroid_images.plan.status.keep_ready import keep_known, keeps_cache_ready, still_ready
from cyroid_images.plan.status.observed_generation import generation_observed
from cyroid_images.plan.status.progress_text import under_way
from cyroid_images.plan.status.ready import Readiness, summarise
from cyroid_images.plan.status.source_images import source_images, unasked_failures
from cyroid_images.plan.status.transfer_rows import transfer_rows

_KNOWN_ANEW = (
    "digests",
    "digests_omitted",
    "source_images",
    "source_images_omitted",
    "removed_images",
    "unused_images",
    "collection",
)
"""Fields that say nothing of what is Ready: told anew also while the rest is kept."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """The steps, parted by who asks for the image: the spec, or only ranges."""

    wishes: frozenset[Wish]
    """Those of the spec."""
    listed: Sequence[CacheStep]
    on_demand: Sequence[CacheStep]

    @classmethod
    def of(cls, seen: CacheSeen, steps: Sequence[CacheStep]) -> _Asked:
        wishes = frozenset(Wish(each.reference, each.platform) for each in seen.item.spec.images)
        listed = [step for step in steps if step.wish in wishes]
        return cls(wishes, listed, [step for step in steps if step.wish not in wishes])


def report(
    seen: CacheSeen, steps: Sequence[CacheStep], running: tuple[Running, ...]
) -> ImageCacheStatus:
    """The status after this pass."""
    asked = _Asked.of(seen, steps)
    good = {step.wish for step in steps if isinstance(step, Cached)}  # made good meanwhile
    open_ones = {wish: each for wish, each in seen.failures.items() if wish not in good}
    status = _report(replace(seen, failures=open_ones), asked, running)
    if keeps_cache_ready(seen, asked.listed):
        fresh = {name: getattr(status, name) for name in _KNOWN_ANEW}
        return still_ready(seen.item.status, status).model_copy(update=fresh)
    return status


def _report(seen: CacheSeen, asked: _Asked, running: tuple[Running, ...]) -> ImageCacheStatus:
    item, steps = seen.item, [*asked.listed, *asked.on_demand]
    verdicts = (
        *summarise(_readiness(seen, asked, running)),
        cache_registry_available(seen),
        source_available(seen, steps),
    )
    conditions = set_conditions(
        item.status.conditions, verdicts, generation=item.metadata.generation, now=seen.now
    )
    conditions = keep_known(item.status, conditions)
    cached, wanted = _cached(asked.listed), len(asked.listed)
    rows, images_omitted = first(MOST_IMAGE_STATUSES, _rows(seen, asked))
    failures, failures_omitted = first(MOST_FAILURES, _failures(seen, asked))
    digests, digests_omitted = digests_to_record(seen.anchors, asked.wishes)
    transfers, transfers_omitted = transfer_rows(running)
    offered, offered_omitted = source_images(seen)
    return ImageCacheStatus(
        observed_generation=generation_observed(item.status, item.metadata, conditions),
        last_handled_reconcile_at=_handled(seen),
        summary=Summary(images=f"{cached}/{wanted}"),
        images=CacheImageCounts(
            desired=wanted,
            cached=cached,
            failed=sum(_needs_somebody(step, seen) for step in asked.listed),
        ),
        on_demand=_on_demand(asked),
        stored_bytes=_bytes([step.stored for step in steps if isinstance(step, Cached)]),
        image_statuses=rows,
        images_omitted=images_omitted,
        digests=digests,
        digests_omitted=digests_omitted,
        source_images=offered,
        source_images_omitted=offered_omitted,
        failures=failures,
        failures_omitted=failures_omitted,
        removed_images=seen.removal.removed,
        unused_images=seen.removal.unused,
        transfers=transfers,
        transfers_omitted=transfers_omitted,
        collection=seen.collection,
        conditions=conditions,
    )


def _handled(seen: CacheSeen) -> str | None:
    """The token of the last manual pass; a new one when the looks that it asks for are over."""
    item = seen.item
    return item.status.last_handled_reconcile_at if seen.is_looking else item.metadata.reconcile_at


def _readiness(seen: CacheSeen, asked: _Asked, running: tuple[Running, ...]) -> Readiness:
    """Of the listed images and the registry alone: no range can make the cache not Ready."""
    causes: dict[Fault, None] = {}
    if seen.registry is not None:
        causes[seen.registry] = None
    moving = tuple(each for each in running if each.wish in asked.wishes)
    for step in asked.listed:
        if isinstance(step, Wait):
            causes[_up_to_date(step, seen)] = None
        elif isinstance(step, Push | Copy):
            causes[_moving(step.wish, seen, moving)] = None
    failures = [each for wish, each in seen.failures.items() if wish in asked.wishes]
    return Readiness(
        is_complete=_cached(asked.listed) == len(asked.listed) and seen.registry is None,
        good=Reason.ALL_IMAGES_CACHED,
        headline=_headline(seen, asked),
        causes=list(causes),
        is_suspended=seen.item.spec.suspend,
        has_failed=bool(failures),
        given_up=frozenset(each.reason for each in failures if backoff.is_given_up(each)),
    )


def _headline(seen: CacheSeen, asked: _Asked) -> str:
    counts, wanted = _on_demand(asked), len(asked.listed)
    if wanted:
        words = f"{_cached(asked.listed)} of {wanted} images in the registry"
    else:
        answers = "" if seen.registry or seen.write else "the registry answers; "
        words = f"{answers}no images are listed"
    if not counts.wanted:
        return words
    return f"{words}; {counts.cached} of {counts.wanted} that only ranges ask for"


def _up_to_date(step: Wait, seen: CacheSeen) -> Fault:
    """A push failed because the registry was away: no news of one that answers by now."""
    if step.fault.reason is not Reason.REGISTRY_UNREACHABLE or seen.registry is not None:
        return step.fault
    message = f"the last attempt failed ({step.fault.message}); trying again"
    return Fault(Reason.PUSH_FAILED, message)


def _needs_somebody(step: CacheStep, seen: CacheSeen) -> bool:
    if isinstance(step, Cached):
        return False
    is_hopeless = isinstance(step, Wait) and step.fault.reason.mark is Mark.TERMINAL
    return is_hopeless or step.wish in seen.failures


def _cached(steps: Sequence[CacheStep]) -> int:
    return sum(isinstance(step, Cached) for step in steps)


def _on_demand(asked: _Asked) -> OnDemandCounts:
    wanted, cached = len(asked.on_demand), _cached(asked.on_demand)
    return OnDemandCounts(wanted=wanted, cached=cached, missing=wanted - cached)


def _moving(wish: Wish, seen: CacheSeen, running: tuple[Running, ...]) -> Fault:
    """What a fill is under way for: new content, lost content, or plain progress."""
    words = under_way(running) or "images are about to be moved into the registry"
    if moved := drifted(wish, seen):
        stored, found = moved
        what = (
            f"{wish} moved in {found.source}: it is {found.id} there now, and the registry has"
            f" {stored.manifest.digest}"
        )
        return Fault(Reason.NEW_DIGEST, f"{what}; {words}")
    if wish in seen.refilling:
        return Fault(Reason.REFILLING, f"the registry lost images and is filled again; {words}")
    return Fault(Reason.PROGRESSING, words)


def _rows(seen: CacheSeen, asked: _Asked) -> list[ImageStatus]:
    """What is not cached first, and of that what is listed."""
    keyed = [
        (isinstance(step, Cached), is_on_demand, str(step.wish), step)
        for is_on_demand, steps in ((False, asked.listed), (True, asked.on_demand))
        for step in steps
    ]
    keyed.sort(key=lambda each: each[:3])
    return [_row(seen, step, is_on_demand=which) for _, which, _, step in keyed]


def _row(seen: CacheSeen, step: CacheStep, *, is_on_demand: bool) -> ImageStatus:
    found = resolution(step.wish, seen)
    source = None if isinstance(found, Fault) else found.source
    image = str(step.wish.reference)
    if isinstance(step, Cached):
        return ImageStatus(
            image=image,
            on_demand=is_on_demand,
            platform=step.stored.content.platform,
            repository=step.stored.repository,
            digest=step.stored.manifest.digest,
            size_bytes=step.stored.manifest.size,
            source=source,
        )
    moving = Fault(Reason.PROGRESSING, "on its way into the registry")
    fault = _up_to_date(step, seen) if isinstance(step, Wait) else moving
    return ImageStatus(
        image=image,
        on_demand=is_on_demand,
        platform=step.wish.platform,
        source=source,
        reason=fault.reason,
        message=fault.message,
    )


def _failures(seen: CacheSeen, asked: _Asked) -> list[TransferFailure]:
    """Those of listed images first, those of pushes that nobody asked for last."""
    order = sorted(
        seen.failures.items(), key=lambda pair: (pair[0] not in asked.wishes, str(pair[0]))
    )
    wanted = [(str(wish.reference), failure) for wish, failure in order]
    return [_failure(*each) for each in (*wanted, *unasked_failures(seen))]


def _failure(image: str, failure: Failure) -> TransferFailure:
    is_final = failure.reason.mark is Mark.TERMINAL
    return TransferFailure(
        image=image,
        reason=failure.reason,
        message=failure.fault.message,
        attempts=failure.attempts,
        next_attempt_time=None if is_final else failure.next_attempt,
    )


def _bytes(stored: Sequence[Stored]) -> int:
    """Bytes in the registry, a blob that several images share counted once."""
    blobs = {
        blob.digest: blob.size
        for each in stored
        for blob in (each.manifest.config, *each.manifest.layers)
    }
    return sum(blobs.values())
