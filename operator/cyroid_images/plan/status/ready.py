"""Ready, and beside it at most one of Reconciling and Stalled: summarised from all causes.

No step of a pass sets Ready. Of several causes the first rank is told, and the ranks follow
from who can mend what: an integrity alarm comes before everything, work in progress last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType, Verdict

_CACHE = (Reason.CACHE_NOT_FOUND, Reason.CACHE_NOT_READY, Reason.NAMESPACE_NOT_ALLOWED)
_REGISTRY = (
    Reason.REGISTRY_UNREACHABLE,
    Reason.REGISTRY_READ_ONLY,
    Reason.REGISTRY_FULL,
    Reason.UNAUTHORIZED,
    Reason.SERVER_ERROR,
    Reason.RATE_LIMITED,
)
_TARGETS = (
    Reason.NO_TARGETS,
    Reason.POD_NOT_READY,
    Reason.WAITING_FOR_ENGINE,
    Reason.ENGINE_UNREACHABLE,
    Reason.ENGINE_TOO_OLD,
    Reason.ENGINE_TOO_NEW,
    Reason.TLS_REJECTED,
    Reason.TARGET_IDENTITY_MISMATCH,
)
_WORK = (Reason.SOURCE_CHANGED, Reason.NEW_DIGEST, Reason.REFILLING, Reason.PROGRESSING)
"""What is under way, the most telling first."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """What the summary is made from."""

    is_complete: bool
    good: Reason
    """The reason of Ready=True."""
    headline: str
    """What is there of what is wanted, such as `9 of 13 images present`."""
    causes: Sequence[Fault]
    """Why the rest is not there; of work in progress, one with reason Progressing."""
    is_suspended: bool = False
    has_failed: bool = False
    """Something was tried in vain and will be tried again."""
    given_up: frozenset[Reason] = frozenset()
    """Integrity reasons whose one repair was in vain: only the outside world can help."""


def summarise(seen: Readiness) -> tuple[Verdict, ...]:
    """The verdicts on Ready, Reconciling and Stalled."""
    if seen.is_complete:
        return (_ready(ConditionStatus.TRUE, seen.good, seen.headline),)
    if seen.is_suspended:
        return (_ready(ConditionStatus.FALSE, Reason.SUSPENDED, f"{seen.headline}; suspended"),)
    reason, message = _choose(seen)
    ready = _ready(ConditionStatus.FALSE, reason, f"{seen.headline}; {message}")
    if seen.causes and all(_is_final(cause.reason, seen) for cause in seen.causes):
        return ready, Verdict(ConditionType.STALLED, ConditionStatus.TRUE, reason, message)
    return ready, Verdict(
        ConditionType.RECONCILING, ConditionStatus.TRUE, _going_on(seen, reason), message
    )


@cache
def rank(reason: Reason) -> int:
    """How much a reason matters as the reason of Ready; the smallest wins."""
    if reason.mark is Mark.INTEGRITY:
        return 0
    for place, group in enumerate((_CACHE, _REGISTRY, _TARGETS), start=1):
        if reason in group:
            return place
    return _WORK.index(reason) + 6 if reason in _WORK else 5


def _is_final(reason: Reason, seen: Readiness) -> bool:
    return reason.mark is Mark.TERMINAL or reason in seen.given_up


def _choose(seen: Readiness) -> tuple[Reason, str]:
    """The reason and message that Ready shows: of the first rank, if it has just one."""
    if not seen.causes:
        return Reason.PROGRESSING, "work is under way"
    first = min(rank(cause.reason) for cause in seen.causes)
    group = [cause for cause in seen.causes if rank(cause.reason) == first]
    reasons = sorted({cause.reason for cause in group})
    more = f" (and {len(group) - 1} more)" if len(group) > 1 else ""
    if len(reasons) > 1:
        return Reason.IMAGES_MISSING, f"{', '.join(reasons)}: {group[0].message}{more}"
    return group[0].reason, f"{group[0].message}{more}"


def _going_on(seen: Readiness, reason: Reason) -> Reason:
    """Why Reconciling is True: what is waited for, a retry, or plain progress."""
    if reason.mark is Mark.WAITING or reason in _WORK:
        return Reason.PROGRESSING_WITH_RETRY if seen.has_failed and reason in _WORK else reason
    retried = seen.has_failed or any(c.reason.mark is Mark.TRANSIENT for c in seen.causes)
    return Reason.PROGRESSING_WITH_RETRY if retried else Reason.PROGRESSING


def _ready(status: ConditionStatus, reason: Reason, message: str) -> Verdict:
    return Verdict(ConditionType.READY, status, reason, message)
