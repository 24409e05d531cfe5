"""Who of those that wait may begin: in order within a lane, in turns between lanes and parties.

A limit has a size, and most limits a share: the most of it that one party (a namespace, a
cache) holds. With a share of half, whatever one party does, others find the other half free.
Pure: no clock, no task, no thread.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many at a time, and how many of them for one party."""

    size: int
    share: int

    @classmethod
    def halved(cls, size: int) -> Limit:
        """One party has half of it at most."""
        return cls(size, max(1, size // 2))

    @classmethod
    def whole(cls, size: int) -> Limit:
        """One party may have all of it."""
        return cls(size, size)


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a ticket counts against."""

    party: str
    limits: tuple[str, ...]


class FairTurns(Generic[T]):
    """Tickets that wait or hold their places; `limit_of` tells the limit of a name."""

    def __init__(self, limit_of: Callable[[str], Limit]) -> None:
        self._limit_of = limit_of
        self._places: dict[T, _Standing] = {}
        self._waiting: dict[str, dict[tuple[str, ...], dict[T, None]]] = {}
        """By party and by limits: one lane that is full holds up no other."""
        self._round: deque[str] = deque()
        self._held: Counter[str] = Counter()
        self._held_by: Counter[tuple[str, str]] = Counter()

    def wait(self, ticket: T, party: str, limits: tuple[str, ...]) -> None:
        """Stand in line."""
        self._places[ticket] = _Standing(party, limits)
        if party not in self._waiting:
            self._waiting[party] = {}
            self._round.append(party)
        self._waiting[party].setdefault(limits, {})[ticket] = None

    def leave(self, ticket: T) -> None:
        """It has ended, or waits no more; one that is not known is fine."""
        place = self._places.pop(ticket, None)
        if place is None or self._drop_waiting(ticket, place):
            return
        for name in place.limits:
            _less(self._held, name)
            _less(self._held_by, (place.party, name))

    def give(self, most: float = inf) -> list[T]:
        """Those that may begin now, at most so many; each holds its place until it leaves."""
        given: list[T] = []
        passed = 0
        while passed < len(self._round) and len(given) < most:
            party = self._round[0]
            self._round.rotate(-1)
            ticket = self._next_of(party)
            if ticket is None:
                passed += 1
                continue
            passed = 0
            given.append(ticket)
        return given

    def is_waiting(self, ticket: T) -> bool:
        """Has it not begun yet?"""
        place = self._places.get(ticket)
        return place is not None and ticket in self._lane(place)

    def held(self, name: str) -> int:
        """How many hold a place of this limit."""
        return self._held[name]

    def is_in_the_way(self, ticket: T) -> bool:
        """Does somebody else wait for a place that this one holds?"""
        mine = self._places[ticket]
        full = {name for name in mine.limits if self._held[name] >= self._limit_of(name).size}
        spent = {name for name in mine.limits if not self._has_room(mine.party, name)}
        return any(
            not (spent if party == mine.party else full).isdisjoint(limits)
            for party, lanes in self._waiting.items()
            for limits, lane in lanes.items()
            if lane and (party != mine.party or limits != mine.limits)
        )

    def _next_of(self, party: str) -> T | None:
        """The first of this party whose limits all have room; it takes its places."""
        lanes = self._waiting[party]
        spent: set[str] = set()
        for limits, lane in lanes.items():
            if not spent.isdisjoint(limits):  # asked once, however many lanes it holds up
                continue
            spent.update(name for name in limits if not self._has_room(party, name))
            if spent.isdisjoint(limits):
                ticket = next(iter(lane))
                lanes[limits] = lanes.pop(limits)  # the other lanes come first then
                self._drop_waiting(ticket, self._places[ticket])
                for name in limits:
                    self._held[name] += 1
                    self._held_by[party, name] += 1
                return ticket
        return None

    def _has_room(self, party: str, name: str) -> bool:
        limit = self._limit_of(name)
        return self._held[name] < limit.size and self._held_by[party, name] < limit.share

    def _lane(self, place: _Standing) -> dict[T, None]:
        return self._waiting.get(place.party, {}).get(place.limits, {})

    def _drop_waiting(self, ticket: T, place: _Standing) -> bool:
        """Take it out of its line; False where it was in none."""
        lane = self._lane(place)
        if ticket not in lane:
            return False
        del lane[ticket]
        if not lane:
            lanes = self._waiting[place.party]
            del lanes[place.limits]
            if not lanes:
                del self._waiting[place.party]
                self._round.remove(place.party)
        return True


def _less(counted: Counter[T], name: T) -> None:
    counted[name] -= 1
    if not counted[name]:
        del counted[name]
