"""When an object is looked at again without any event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cyroid_images.errors import Mark
from cyroid_images.model.actions import CacheStep, Step, Wait
from cyroid_images.model.observed import CacheSeen, RangeSeen
from cyroid_images.reconcile.cache_memory import CacheMemory
from cyroid_images.reconcile.memory import Memory
from cyroid_images.reconcile.reporter import PROGRESS_SECONDS

WAITING_SECONDS = 30.0
"""What we wait for announces itself by an event, and this only heals a lost one; but sources
send none, and what no source has may be built at any moment."""
RETRY_CAP_SECONDS = 5.0
"""A registry that is down is asked again at least so often: its return ends the tars."""
LEAST_SECONDS = 0.5
"""No object is ever looked at more often than this by its own pace."""


def next_look(
    seen: RangeSeen, steps: Mapping[str, tuple[Step, ...]], *, is_running: bool, memory: Memory
) -> float:
    """Seconds until the next pass of a range: progress, retry, probe, or the drift check."""
    pauses = [seen.item.spec.interval]
    if is_running:
        pauses.append(PROGRESS_SECONDS)
    if any(isinstance(step, Wait) for each in steps.values() for step in each):
        pauses.append(WAITING_SECONDS)
    pauses += [
        (each.next_attempt - seen.now).total_seconds()
        for each in seen.failures.values()
        if each.holds(seen.now)  # what is due runs already, or waits for something else
    ]
    pauses += [
        _probe(memory, each.target.uid, each.fault.reason.mark)
        for each in seen.targets
        if each.fault is not None
    ]
    return max(LEAST_SECONDS, min(pauses))


def _probe(memory: Memory, uid: str, mark: Mark) -> float:
    """An engine that does not answer is asked again at a pace that slows down with time."""
    if mark is Mark.TERMINAL:
        return WAITING_SECONDS
    waited = memory.waited.get(uid)
    if waited is None:  # nobody was asked in vain: an event or a late answer ends the wait
        return WAITING_SECONDS
    return min(max(1.0, waited / 4), WAITING_SECONDS)


def next_look_of_cache(
    seen: CacheSeen, steps: Sequence[CacheStep], memory: CacheMemory, *, is_running: bool
) -> float:
    """Seconds until the next pass of a cache."""
    pauses = [seen.item.spec.refresh.interval]
    if is_running:
        pauses.append(PROGRESS_SECONDS)
    if memory.misses:
        pauses.append(min(2.0 ** (memory.misses - 1), RETRY_CAP_SECONDS))
    if any(isinstance(step, Wait) for step in steps):
        pauses.append(WAITING_SECONDS)
    pauses += [
        (each.next_attempt - seen.now).total_seconds()
        for each in (*seen.failures.values(), *seen.hosts.values())
        if each.holds(seen.now)  # what is due runs already, or waits for something else
    ]
    return max(LEAST_SECONDS, min(pauses))
