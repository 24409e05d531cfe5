"""Looks at the places of one purpose: on a schedule, one at a time per place, in own threads.

Owners say which places they follow, and how often each is to be looked at. A change wakes
the owners; equal views wake nobody. What happened meanwhile (a transfer ended, a password
was refused) makes a place due at once, and what was seen before it is told as stale.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

from cyroid_images.defects import defect_in
from cyroid_images.errors import Mark, TransferError
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Fault
from cyroid_images.observe.observation import Observation
from cyroid_images.scheduling.threads import Threads

BLIP_SECONDS = 1.0
"""After a fault that may be a blip: the last view stays until it is confirmed."""
LATE_SECONDS = 4.0
"""Who let us wait for so long has not just missed one question."""

LONGEST_KEPT_SECONDS = 600.0
"""Of what nobody follows: at most so long it is remembered for whoever comes back."""

P_contra = TypeVar("P_contra", contravariant=True)
P = TypeVar("P", bound=Hashable)
V = TypeVar("V")


class Looker(Protocol[P_contra, V]):
    """How places of one purpose are looked at."""

    def party(self, place: P_contra, /) -> str:
        """Whose share of the threads a look takes: a namespace, a cache."""
        ...

    async def prepare(self, place: P_contra, /) -> Callable[[V | None], V]:
        """The look itself, to run in a thread: it is given the last view, and raises
        TransferError where nothing can be seen."""
        ...

    async def renewed(self, place: P_contra, fault: Fault, /) -> bool:
        """Was something refused that has been replaced since, so that a second look is worth it?"""
        ...


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a place is looked at again after a fault."""

    pause: Callable[[Fault, int, float], float]
    """Seconds, by the fault, the faults in a row, and the seconds since the first of them."""
    blips: int = 0
    """Faults in a row that may be blips: the last view stays the result."""


@dataclass(slots=True)
class _Place(Generic[V]):
    followers: dict[Hashable, float] = field(default_factory=dict)
    """By owner: the longest time between two looks, in seconds; infinite: no look is wanted."""
    last: Observation[V] | None = None
    not_before: float = float("-inf")
    """What was seen before this moment does not count any more."""
    is_awaited: bool = False
    """Does somebody wait for a look that counts, also where it shows nothing new?"""
    look: asyncio.Task[None] | None = None
    began: float = float("inf")
    timer: asyncio.TimerHandle | None = None

    @property
    def every(self) -> float:
        return min(self.followers.values(), default=float("inf"))

    @property
    def is_stale(self) -> bool:
        return self.last is None or not self.last.is_fresh(self.not_before)


class Observer(Generic[P, V]):
    """Used from the event loop; the looks run in threads."""

    def __init__(
        self,
        looker: Looker[P, V],
        threads: Threads,
        wake: Callable[[Hashable], None],
        *,
        schedule: Schedule,
        clock: Clock,
    ) -> None:
        self._looker = looker
        self._threads = threads
        self._wake = wake
        self._schedule = schedule
        self._clock = clock
        self._places: dict[P, _Place[V]] = {}
        self._of: dict[Hashable, frozenset[P]] = {}
        self._is_closed = False

    def follow(self, owner: Hashable, wanted: Mapping[P, float]) -> None:
        """Have exactly these places looked at for this owner, each at least so often (seconds).

        A place that is new is looked at now. What nobody follows any more is forgotten when
        its next look would have been due: who comes and goes at once causes no extra looks.
        """
        if self._is_closed:  # a pass that was under way goes on for a moment
            return
        for place in self._of.get(owner, frozenset()) - wanted.keys():
            self._unfollow(owner, place)
        for place, every in wanted.items():
            held = self._places.setdefault(place, _Place())
            if held.followers.get(owner) != every:
                held.followers[owner] = every
                self._plan(place, held)
        if wanted:
            self._of[owner] = frozenset(wanted)
        else:
            self._of.pop(owner, None)

    def at(self, place: P) -> Observation[V] | None:
        """The last result for this place; None: not looked at yet."""
        held = self._places.get(place)
        return held.last if held else None

    def is_pending(self, place: P) -> bool:
        """Has something happened there that no look has seen yet? Whoever hears so is woken
        when one has, whatever it shows."""
        held = self._places.get(place)
        if held is None:
            return True
        held.is_awaited |= held.is_stale
        return held.is_stale

    def refresh(
        self, place: P, not_before: float | None = None, *, is_awaited: bool = True
    ) -> None:
        """Look now; what was seen before this moment (absent: now) does not count any more.

        `is_awaited`: the followers are woken when such a look has ended, whatever it shows.
        """
        held = self._places.get(place)
        if held is None:
            return
        moment = asyncio.get_running_loop().time() if not_before is None else not_before
        held.not_before = max(held.not_before, moment)
        if held.is_stale:
            held.is_awaited |= is_awaited
            self._begin(place, held)

    def learn(self, place: P, view: V) -> None:
        """Somebody else saw and proved this just now, such as a push that read it back."""
        held = self._places.get(place)
        if held is None:
            return
        now = asyncio.get_running_loop().time()
        held.last = Observation(began=now, ended=now, view=view, seen=self._clock.now())
        self._plan(place, held)

    def amend(self, place: P, moment: float, view: V, *, by: Hashable = None) -> None:
        """Somebody saw a part of it at this moment, such as a transfer its own image.

        The rest is as old as it was, and its next look is due as before. Where a look is under
        way its end is waited for instead: it shows that part, or how it was before, and does
        not count then. Followers other than `by` are woken.
        """
        held = self._places.get(place)
        if held is None:
            return
        last = held.last
        if last is None or last.view is None or last.fault is not None or held.look is not None:
            self.refresh(place, moment)
            return
        held.last = replace(last, view=view, seen=self._clock.now())
        if _is_news(last, held.last):
            for owner in held.followers.keys() - {by}:
                self._wake(owner)

    def close(self) -> None:
        """Look no more."""
        self._is_closed = True
        for held in self._places.values():
            if held.timer is not None:
                held.timer.cancel()
            if held.look is not None:
                held.look.cancel()
        self._places.clear()
        self._of.clear()

    def followed_by(self, owner: Hashable) -> frozenset[P]:
        """The places that are looked at for this owner."""
        return self._of.get(owner, frozenset())

    def places(self) -> tuple[P, ...]:
        """Every place that is known."""
        return tuple(self._places)

    def _unfollow(self, owner: Hashable, place: P) -> None:
        held = self._places.get(place)
        if held is None:
            return
        kept = min(held.followers.pop(owner, LONGEST_KEPT_SECONDS), LONGEST_KEPT_SECONDS)
        if not held.followers and held.look is None:
            self._leave(place, held, kept)

    def _leave(self, place: P, held: _Place[V], seconds: float) -> None:
        """Nobody follows it: forget it after so long, unless somebody comes back."""
        if held.timer is not None:
            held.timer.cancel()
        loop = asyncio.get_running_loop()
        held.timer = loop.call_later(seconds, self._on_time, place, held)

    def _plan(self, place: P, held: _Place[V]) -> None:
        """Set the moment of the next look; now where there was none yet."""
        if held.look is not None:
            return  # its end plans the next one
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
        if held.last is None or held.is_stale:
            if held.every < float("inf"):
                self._begin(place, held)
            return
        due = self._due(held, held.last)
        if due < float("inf"):
            loop = asyncio.get_running_loop()
            held.timer = loop.call_at(due, self._on_time, place, held)

    def _due(self, held: _Place[V], last: Observation[V]) -> float:
        if last.fault is None:
            return last.ended + (BLIP_SECONDS if last.faults else held.every)
        if held.every == float("inf"):
            return float("inf")
        now = asyncio.get_running_loop().time()
        pause = last.fault.retry_after
        if pause is None:
            pause = self._schedule.pause(last.fault, last.faults, last.faulty_for(now))
        return last.ended + pause

    def _on_time(self, place: P, held: _Place[V]) -> None:
        held.timer = None
        if held.followers:
            self._begin(place, held)
        elif self._places.get(place) is held:
            del self._places[place]

    def _begin(self, place: P, held: _Place[V]) -> None:
        if held.look is not None:  # one at a time: its end sees that it is stale
            return
        if held.timer is not None:
            held.timer.cancel()
            held.timer = None
        held.look = asyncio.create_task(self._look(place, held))

    async def _look(self, place: P, held: _Place[V]) -> None:
        before = held.last
        try:
            after = await self._seen(place, held)
        except (Exception, asyncio.CancelledError) as exc:
            if self._is_closed:
                raise
            # A defect costs its place one look only. A client whose time-outs cancel its task
            # may leave a cancellation behind that nobody asked for.
            after = self._faulty(
                held, defect_in(f"a look at {place}", exc), asyncio.get_running_loop().time()
            )
        held.look = None
        if self._places.get(place) is not held:
            return
        if held.last is not None and held.last.began > after.began:
            after = held.last  # learned meanwhile: this look began before that
        held.last = after
        if held.followers:
            self._plan(place, held)
        else:
            self._leave(place, held, LONGEST_KEPT_SECONDS)
        is_owed = held.is_awaited and not held.is_stale
        held.is_awaited &= not is_owed
        if is_owed or _is_news(before, after):
            for owner in tuple(held.followers):
                self._wake(owner)

    async def _seen(self, place: P, held: _Place[V]) -> Observation[V]:
        """The result of one look, or of two where refused credentials were renewed."""
        loop = asyncio.get_running_loop()
        for is_second in (False, True):
            held.began, now = loop.time(), self._clock.now()
            try:
                look = await self._looker.prepare(place)
                party = self._looker.party(place)
                view = await self._threads.run(partial(_run, loop, held, look), party)
                return Observation(held.began, loop.time(), view, now)
            except TransferError as exc:
                fault = Fault.of(exc)
            if is_second or not await self._looker.renewed(place, fault):
                break
        return self._faulty(held, fault, loop.time())

    def _faulty(self, held: _Place[V], fault: Fault, now: float) -> Observation[V]:
        """The result after a fault; one that may be a blip leaves the view as it was."""
        last: Observation[V] = held.last or Observation(held.began, now)
        faults = last.faults + 1
        since = held.began if last.faulty_since is None else last.faulty_since
        is_blip = (
            last.view is not None
            and last.fault is None
            and faults <= self._schedule.blips
            and fault.reason.mark is not Mark.TERMINAL
            and now - held.began <= LATE_SECONDS
        )
        told = None if is_blip else fault
        return replace(
            last, began=held.began, ended=now, fault=told, faults=faults, faulty_since=since
        )


def _run(loop: asyncio.AbstractEventLoop, held: _Place[V], look: Callable[[V | None], V]) -> V:
    """In the thread: a look begins here, not when it stood in line."""
    held.began = loop.time()
    return look(held.last.view if held.last else None)


def _is_news(before: Observation[V] | None, after: Observation[V]) -> bool:
    if before is None:
        return True
    return (before.fault, before.view) != (after.fault, after.view)
