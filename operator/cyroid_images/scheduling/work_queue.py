"""The queue of keys: each waits at most once, may be due later, and is worked on by one pass.

A key that is woken while its pass runs is worked on again afterwards. An earlier moment
wins over a later one, so "look again in five minutes" never delays an event. Where a rate
limiter is given, each key has one of its own, also for wakes.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cyroid_images.scheduling.rate_limiter import RateLimiter

MANY_LIMITERS = 1000
"""So many rate limiters are kept before those that have nothing to say are dropped."""

KeyT = TypeVar("KeyT", bound=Hashable)


class WorkQueue(Generic[KeyT]):
    """Used from the event loop only."""

    def __init__(self, limiter: Callable[[KeyT], RateLimiter] | None = None) -> None:
        """`limiter` makes the rate limiter of a key."""
        self._make_limiter = limiter
        self._limiters: dict[KeyT, RateLimiter] = {}
        self._due: dict[KeyT, float] = {}
        self._heap: list[tuple[float, int, KeyT]] = []
        self._order = itertools.count()
        self._running: set[KeyT] = set()
        self._granted: set[KeyT] = set()
        """Keys whose turn is set by their rate limiter."""
        self._prune_at = MANY_LIMITERS
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._due)

    def wake(self, key: KeyT, *, after: float = 0.0) -> None:
        """Have a pass of this key in `after` seconds, or earlier if it is due earlier."""
        if key in self._granted:  # its turn is set, and nothing is earlier
            return
        self._put(key, asyncio.get_running_loop().time() + after)

    def _put(self, key: KeyT, due: float) -> None:
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._heap, (due, next(self._order), key))
            self._changed.set()

    def _turn(self, key: KeyT, now: float) -> float:
        """Seconds until this key may have its pass."""
        if key in self._granted:
            self._granted.discard(key)
            return 0.0
        if self._make_limiter is None:
            return 0.0
        limiter = self._limiters.get(key)
        if limiter is None:
            self._drop_rested(now)
            limiter = self._limiters[key] = self._make_limiter(key)
        return limiter.take(now)

    def _drop_rested(self, now: float) -> None:
        """Keys come and go for months: only those that were busy just now are remembered."""
        if len(self._limiters) < self._prune_at:
            return
        kept = {key: each for key, each in self._limiters.items() if not each.is_rested(now)}
        self._limiters = kept
        self._prune_at = max(MANY_LIMITERS, 2 * len(kept))

    def count_due(self) -> int:
        """Keys that wait for a pass now; those of a later moment do not."""
        now = self.time()
        return sum(due <= now for due in self._due.values())

    def count_running(self) -> int:
        """Passes under way."""
        return len(self._running)

    def time(self) -> float:
        """The clock that `after` is counted by, in seconds."""
        return asyncio.get_running_loop().time()

    def forget(self, key: KeyT) -> None:
        """Drop what is planned for this key: its object is gone."""
        self._due.pop(key, None)
        self._limiters.pop(key, None)
        self._granted.discard(key)

    async def take(self) -> KeyT:
        """Wait for a key that is due and that nobody works on; it is running until `done`."""
        while True:
            key, pause = self._next()
            if key is not None:
                self._running.add(key)
                return key
            self._changed.clear()
            try:
                async with asyncio.timeout(pause):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def done(self, key: KeyT) -> None:
        """The pass of this key has ended."""
        self._running.discard(key)
        self._changed.set()

    def _next(self) -> tuple[KeyT | None, float | None]:
        """A key that may run now, or how many seconds until one may."""
        now = asyncio.get_running_loop().time()
        held: list[tuple[float, int, KeyT]] = []
        found: KeyT | None = None
        pause: float | None = None
        while self._heap and found is None:
            due, _, key = self._heap[0]
            if self._due.get(key) != due:
                heapq.heappop(self._heap)  # superseded by an earlier wake, or forgotten
            elif due > now:
                pause = due - now
                break
            elif key in self._running:
                held.append(heapq.heappop(self._heap))
            else:
                heapq.heappop(self._heap)
                del self._due[key]
                wait = self._turn(key, now)
                if wait > 0:  # it has its turn then, whoever wakes it in between
                    self._put(key, now + wait)
                    self._granted.add(key)
                else:
                    found = key
        for entry in held:
            heapq.heappush(self._heap, entry)
        return found, pause
