"""When an object gets a pass without any event (RequeueAfter).

What engines, registries and sources show is looked at by observers, which wake whom a
change concerns; here is only what the passage of time alone changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from cyroid_images.model.fault import Failure
from cyroid_images.model.observed import CacheSeen, RangeSeen
from cyroid_images.report.status_writer import PROGRESS_SECONDS

HEAL_SECONDS = 300.0
"""A pass costs next to nothing and heals a wake that was lost."""
WAITING_SECONDS = 30.0
"""While something does not answer: how long it has been so is a part of what is told."""
HELD_SECONDS = 1.0
"""The removal may be another cache's, whose end wakes only that one."""
LEAST_SECONDS = 0.5
"""No object gets passes more often than this by its own pace."""


def requeue_after(seen: RangeSeen, *, is_running: bool) -> float:
    """Seconds until the next pass of a range."""
    pauses = [HEAL_SECONDS]
    if is_running:
        pauses.append(PROGRESS_SECONDS)
    if any(each.fault is not None for each in seen.targets):
        pauses.append(WAITING_SECONDS)
    return _least(pauses, seen.failures.values(), seen.now)


def requeue_cache_after(seen: CacheSeen, *, is_running: bool, is_held: bool = False) -> float:
    """Seconds until the next pass of a cache; `is_held`: a push waits for a removal."""
    pauses = [HEAL_SECONDS, *([HELD_SECONDS] if is_held else [])]
    if seen.removal.wakes is not None:
        pauses.append((seen.removal.wakes - seen.now).total_seconds())
    if is_running:
        pauses.append(PROGRESS_SECONDS)
    unasked = [each.failure for each in seen.offers.listed if each.failure is not None]
    return _least(pauses, (*seen.failures.values(), *seen.hosts.values(), *unasked), seen.now)


def _least(pauses: Sequence[float], failures: Iterable[Failure], now: datetime) -> float:
    """The earliest; of failures those that hold: what is due runs already or waits for more."""
    due = [(each.next_attempt - now).total_seconds() for each in failures if each.holds(now)]
    return max(LEAST_SECONDS, min((*pauses, *due)))
