"""Do the other parties answer: engines, registry, sources. Each is told as it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import CacheStep, Wait
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType, Verdict, rfc3339
from cyroid_images.model.observed import (
    CacheSeen,
    RangeSeen,
    SourceSeen,
    TargetSeen,
    UpstreamShown,
)

_NOT_YET = frozenset({Reason.POD_NOT_READY, Reason.WAITING_FOR_ENGINE, Reason.PROGRESSING})
"""Faults that say "not seen yet" rather than "not available"."""
_CANNOT_BE_ASKED = frozenset(
    {Reason.SECRET_MISSING, Reason.SECRET_HOST_MISMATCH, Reason.TLS_REJECTED}
)
"""Of the source and not of one image, and only somebody can mend it."""


def target_fault(each: TargetSeen, seen: RangeSeen) -> Fault | None:
    """Why a target cannot be seen, and how it was when it last could."""
    fault = each.fault
    if fault is None or each.since is None or fault.reason in _NOT_YET:
        return fault
    count, moment = last_present(each, seen), _clock(each.since, seen.now)
    held = {None: "", 1: " with 1 image"}.get(count, f" with {count} images")
    return replace(fault, message=f"last seen at {moment}{held}; {fault.message}")


def last_present(each: TargetSeen, seen: RangeSeen) -> int | None:
    """How many images were there when the target was last seen, as status says; None where it
    does not: it lists the worst targets only."""
    rows = seen.item.status.target_statuses
    return next((row.present for row in rows if row.uid == each.target.uid), None)


def targets_available(seen: RangeSeen) -> Verdict:
    """The condition TargetsAvailable."""
    kind = ConditionType.TARGETS_AVAILABLE
    if not seen.targets:
        message = "no pod matches the selector and carries the label cyroid.io/component=dind"
        return Verdict(kind, ConditionStatus.FALSE, Reason.NO_TARGETS, message)
    faults = [
        (each.target.pod, fault) for each in seen.targets if (fault := target_fault(each, seen))
    ]
    if not faults:
        count = len(seen.targets)
        message = "the engine answers" if count == 1 else f"all {count} engines answer"
        return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, message)
    pod, worst = min(faults, key=lambda pair: pair[1].reason in _NOT_YET)
    status = ConditionStatus.UNKNOWN if worst.reason in _NOT_YET else ConditionStatus.FALSE
    return Verdict(kind, status, worst.reason, f"{pod}: {worst.message}{_more(faults)}")


def registry_available(seen: RangeSeen) -> Verdict:
    """The condition RegistryAvailable of a range: what the operator asked for its cache."""
    kind = ConditionType.REGISTRY_AVAILABLE
    if seen.cache is None or not seen.cache.looked:
        unseen = seen.cache_fault or Fault(Reason.PROGRESSING, "not looked at yet")
        return Verdict(kind, ConditionStatus.UNKNOWN, unseen.reason, unseen.message)
    if (fault := seen.cache.registry_fault(seen.wishes)) is not None:
        return _unavailable(kind, fault)
    message = f"the registry of ImageCache {seen.item.cache_name} answers at its push listener"
    return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, message)


def cache_registry_available(seen: CacheSeen) -> Verdict:
    """The condition RegistryAvailable of a cache: its push listener, and what it last refused."""
    kind = ConditionType.REGISTRY_AVAILABLE
    fault = seen.registry or seen.write
    if fault is not None:
        return _unavailable(kind, fault)
    message = f"{seen.item.spec.registry.push_url} answers"
    told = seen.collection
    if told is not None and told.finished is None and not told.is_dry_run:
        message = f"{message}; pushes wait while its disk is freed"
    return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, message)


def source_available(seen: CacheSeen, steps: Sequence[CacheStep]) -> Verdict:
    """The condition SourceAvailable: False as soon as one image waits for a source."""
    kind = ConditionType.SOURCE_AVAILABLE
    faults = [*_source_faults(seen, steps)] if seen.wishes else []
    if faults:
        # One that is still being asked is no news beside one that failed.
        worst = min(faults, key=lambda fault: fault.reason is Reason.PROGRESSING)
        return _unavailable(kind, replace(worst, message=f"{worst.message}{_more(faults)}"))
    return Verdict(kind, ConditionStatus.TRUE, Reason.AVAILABLE, _answering(seen))


def _source_faults(seen: CacheSeen, steps: Sequence[CacheStep]) -> Iterator[Fault]:
    """Of sources as a whole, and what single images were told by one."""
    named = set()
    for each in seen.sources:
        if each.fault is not None:
            silent = each.fault.reason in (Reason.ENGINE_UNREACHABLE, Reason.TIMEOUT)
            reason = Reason.SOURCE_UNREACHABLE if silent else each.fault.reason
            named.add(each.name)
            yield Fault(reason, f"source {each.name}: {each.fault.message}")
    waiting = {step.wish: step.fault for step in steps if isinstance(step, Wait)}
    for each in seen.sources:
        answers = each.shown.answers if isinstance(each.shown, UpstreamShown) else {}
        told = next(
            (a for w in waiting if isinstance(a := answers.get(w), Fault) and _is_away(a)), None
        )
        if told is not None and each.name not in named:
            named.add(each.name)
            yield told  # which names the source already
    if not named:
        unreachable = [f for f in waiting.values() if f.reason is Reason.SOURCE_UNREACHABLE]
        yield from unreachable[:1]


def _is_away(fault: Fault) -> bool:
    """Can the source not be asked, as things are? That it refuses an image is an answer."""
    return fault.reason.mark is Mark.TRANSIENT or fault.reason in _CANNOT_BE_ASKED


def _answering(seen: CacheSeen) -> str:
    if not seen.sources:
        return "the cache names no sources"
    asked = [each for each in seen.sources if _was_asked(each)] if seen.wishes else []
    if not asked:
        return "no source is needed"
    words = "1 source answers" if len(asked) == 1 else f"{len(asked)} sources answer"
    rest = len(seen.sources) - len(asked)
    return f"{words}; {rest} not needed" if rest else words


def _was_asked(each: SourceSeen) -> bool:
    """An upstream is asked only for what no earlier source has."""
    return not isinstance(each.shown, UpstreamShown) or bool(each.shown.answers)


def _unavailable(kind: ConditionType, fault: Fault) -> Verdict:
    unknown = fault.reason is Reason.PROGRESSING
    status = ConditionStatus.UNKNOWN if unknown else ConditionStatus.FALSE
    return Verdict(kind, status, fault.reason, fault.message)


def _more(faults: Sequence[object]) -> str:
    return f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""


def _clock(moment: datetime, now: datetime) -> str:
    """The time of day, with the date where that is not the same day's."""
    text = rfc3339(moment)
    return text.partition("T")[2] if text[:10] == rfc3339(now)[:10] else text
