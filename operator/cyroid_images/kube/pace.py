"""How fast we may call: 19 a second, 40 at once after a rest. Pure; the caller sleeps."""

from __future__ import annotations

PER_SECOND = 19.0
"""With the burst and twelve renewals of the Lease, which wait for no turn, the busiest minute
stays below 20 a second: client-go's order of magnitude. 500 first statuses take 25 s."""
BURST = 40
"""The start of the operator (rights, lists) fits in and is not slowed down."""


class Pace:
    """A token bucket that hands out turns in order; times are of one monotonic clock."""

    def __init__(self, per_second: float = PER_SECOND, burst: int = BURST) -> None:
        self._interval = 1 / per_second
        self._credit = (burst - 1) * self._interval
        self._next = float("-inf")
        self._held_until = float("-inf")

    def take(self, now: float) -> float:
        """Take the next turn; returns the seconds to wait for it."""
        turn = max(self._next, now - self._credit)
        self._next = turn + self._interval
        return max(turn, self._held_until, now) - now

    def hold(self, now: float, seconds: float) -> None:
        """No turn before that: the API server asked for a pause. What waited comes one by one."""
        self._held_until = max(self._held_until, now + seconds)
        self._next = max(self._next, self._held_until)
