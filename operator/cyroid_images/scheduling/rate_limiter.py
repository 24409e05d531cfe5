"""How often something may happen: so many a second, and some at once after a rest.

Pure: the moments are arguments, and the caller does the waiting.
"""

from __future__ import annotations

from math import inf

_ROUNDING = 1e-6
"""Seconds: less is no wait, but what sums of moments leave."""


class RateLimiter:
    """A token bucket that hands out turns in order; moments are of one monotonic clock."""

    def __init__(self, per_second: float, burst: int) -> None:
        """`per_second` in the long run; `burst` is how many go at once after a rest."""
        self._interval = 1 / per_second
        self._credit = (burst - 1) * self._interval
        self._next = -inf
        self._held_until = -inf

    def take(self, now: float) -> float:
        """Take the next turn; returns the seconds to wait for it."""
        turn = self._turn(now)
        self._next = turn + self._interval
        return max(turn, self._held_until, now) - now

    def due(self, now: float) -> float:
        """Seconds that the next turn would have to wait; takes none."""
        return max(self._turn(now), self._held_until, now) - now

    def take_spare(self, now: float, *, left: int) -> float:
        """Take a turn only if this many could be taken at once after it, and return 0.

        Else nothing is taken; returns the seconds after which to ask again.
        """
        wait = max(self._turn(now) + left * self._interval, self._held_until) - now
        if wait > _ROUNDING:
            return wait
        self.take(now)
        return 0.0

    def hold(self, now: float, seconds: float) -> None:
        """No turn before that: a pause was asked for. What waited comes one by one."""
        self._held_until = max(self._held_until, now + seconds)
        self._next = max(self._next, self._held_until)

    def is_rested(self, now: float) -> bool:
        """Is it as good as a new one?"""
        return max(self._next, self._held_until) <= now - self._credit

    def _turn(self, now: float) -> float:
        """The moment of the next turn, which is over where some are left."""
        return max(self._next, now - self._credit)
