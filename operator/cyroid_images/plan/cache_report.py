"""What is said of an ImageCache: its whole status, from what a pass saw and decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Cached, CacheStep, Copy, Push, Wait
from cyroid_images.model.conditions import (
    ConditionStatus,
    ConditionType,
    Verdict,
    set_conditions,
)
from cyroid_images.model.fault import Fault
from cyroid_images.model.knowledge import Stored, Wish
from cyroid_images.model.observed import CacheSeen, Running
from cyroid_images.model.status import (
    MOST_FAILURES,
    MOST_IMAGE_STATUSES,
    CacheImageCounts,
    ImageCacheStatus,
    ImageStatus,
    Summary,
    TransferFailure,
    first,
)
from cyroid_images.plan import backoff, story
from cyroid_images.plan.cache import drifted
from cyroid_images.plan.settled import settled_generation
from cyroid_images.plan.sources import Sources, resolve
from cyroid_images.plan.wording import under_way


def report(
    seen: CacheSeen, steps: Sequence[CacheStep], running: tuple[Running, ...]
) -> ImageCacheStatus:
    """The status after this pass."""
    item = seen.item
    cached = [step for step in steps if isinstance(step, Cached)]
    good = {step.wish for step in cached}  # found there meanwhile: the failure is made good
    open_ones = {wish: each for wish, each in seen.failures.items() if wish not in good}
    seen = replace(seen, failures=open_ones)
    verdicts = (
        *story.tell(_ending(seen, steps, running)),
        _registry_available(seen),
        _source_available(seen),
    )
    conditions = set_conditions(
        item.status.conditions, verdicts, generation=item.metadata.generation, now=seen.now
    )
    rows, images_omitted = first(MOST_IMAGE_STATUSES, _rows(seen, steps))
    failures, failures_omitted = first(MOST_FAILURES, _failures(seen))
    return ImageCacheStatus(
        observed_generation=settled_generation(item.status, item.metadata, conditions),
        last_handled_reconcile_at=item.metadata.reconcile_at,
        summary=Summary(images=f"{len(cached)}/{len(steps)}"),
        images=CacheImageCounts(desired=len(steps), cached=len(cached), failed=len(seen.failures)),
        stored_bytes=_bytes([step.stored for step in cached]),
        image_statuses=rows,
        images_omitted=images_omitted,
        failures=failures,
        failures_omitted=failures_omitted,
        conditions=conditions,
    )


def _ending(
    seen: CacheSeen, steps: Sequence[CacheStep], running: tuple[Running, ...]
) -> story.Ending:
    cached = sum(isinstance(step, Cached) for step in steps)
    causes: dict[Fault, None] = {}
    if seen.registry is not None:
        causes[seen.registry] = None
    for step in steps:
        if isinstance(step, Wait):
            causes[step.fault] = None
        elif isinstance(step, Push | Copy):
            causes[_moving(step.wish, seen, running)] = None
    return story.Ending(
        is_complete=cached == len(steps) and seen.registry is None,
        good=Reason.ALL_IMAGES_CACHED,
        headline=f"{cached} of {len(steps)} images in the registry",
        causes=list(causes),
        is_suspended=seen.item.spec.suspend,
        has_failed=bool(seen.failures),
        given_up=frozenset(
            failure.reason for failure in seen.failures.values() if backoff.is_given_up(failure)
        ),
    )


def _moving(wish: Wish, seen: CacheSeen, running: tuple[Running, ...]) -> Fault:
    """What a fill is under way for: new content, lost content, or plain progress."""
    words = under_way(running) or "images are about to be moved into the registry"
    if moved := drifted(wish, seen):
        stored, found = moved
        what = f"{wish} moved in {found.source} from {stored.manifest.digest} to {found.id}"
        return Fault(Reason.NEW_DIGEST, f"{what}; {words}")
    if wish in seen.refilling:
        return Fault(Reason.REFILLING, f"the registry lost images and is filled again; {words}")
    return Fault(Reason.PROGRESSING, words)


def _registry_available(seen: CacheSeen) -> Verdict:
    kind = ConditionType.REGISTRY_AVAILABLE
    fault = seen.registry or seen.write
    if fault is None:
        message = f"{seen.item.spec.registry.push_url} answers"
        return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, message)
    unknown = fault.reason is Reason.PROGRESSING
    status = ConditionStatus.UNKNOWN if unknown else ConditionStatus.FALSE
    return Verdict(kind, status, fault.reason, fault.message)


def _source_available(seen: CacheSeen) -> Verdict:
    kind = ConditionType.SOURCE_AVAILABLE
    faults = [(each.name, each.fault) for each in seen.sources if each.fault]
    if faults and seen.wishes:
        # One that is still being asked is no news beside one that failed.
        name, fault = min(faults, key=lambda each: each[1].reason is Reason.PROGRESSING)
        reason = fault.reason
        if reason is Reason.PROGRESSING:
            message = f"source {name}: {fault.message}"
            return Verdict(kind, ConditionStatus.UNKNOWN, reason, message)
        if reason in (Reason.ENGINE_UNREACHABLE, Reason.TIMEOUT):
            reason = Reason.SOURCE_UNREACHABLE
        return Verdict(kind, ConditionStatus.FALSE, reason, f"source {name}: {fault.message}")
    count = len(seen.sources)
    message = "no source is needed" if not count else f"{count} sources answer"
    return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, message)


def _rows(seen: CacheSeen, steps: Sequence[CacheStep]) -> list[ImageStatus]:
    ordered = sorted(steps, key=lambda step: (isinstance(step, Cached), str(step.wish)))
    return [_row(seen, step) for step in ordered]


def _row(seen: CacheSeen, step: CacheStep) -> ImageStatus:
    found = resolve(step.wish, Sources.of(seen))
    source = None if isinstance(found, Fault) else found.source
    image = str(step.wish.reference)
    if isinstance(step, Cached):
        return ImageStatus(
            image=image,
            platform=step.stored.content.platform,
            repository=step.stored.repository,
            digest=step.stored.manifest.digest,
            size_bytes=step.stored.manifest.size,
            source=source,
        )
    fault = step.fault if isinstance(step, Wait) else Fault(Reason.PROGRESSING, "being pushed")
    return ImageStatus(
        image=image,
        platform=step.wish.platform,
        source=source,
        reason=fault.reason,
        message=fault.message,
    )


def _failures(seen: CacheSeen) -> list[TransferFailure]:
    return [
        TransferFailure(
            image=str(wish.reference),
            reason=failure.reason,
            message=failure.fault.message,
            attempts=failure.attempts,
            next_attempt_time=None
            if failure.reason.mark is Mark.TERMINAL
            else failure.next_attempt,
        )
        for wish, failure in sorted(seen.failures.items(), key=lambda pair: str(pair[0]))
    ]


def _bytes(stored: Sequence[Stored]) -> int:
    """Bytes in the registry, a blob that several images share counted once."""
    blobs = {
        blob.digest: blob.size
        for each in stored
        for blob in (each.manifest.config, *each.manifest.layers)
    }
    return sum(blobs.values())
