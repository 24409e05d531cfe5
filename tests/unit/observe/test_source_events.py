"""A source engine that tells of a change is looked at soon, not too often, and whatever it does."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import ImageListener
from cyroid_images.model.fault import Fault
from cyroid_images.observe.observer import Observer, Schedule
from cyroid_images.observe.places import EnginePlace
from cyroid_images.observe.source_events import (
    CAP_SECONDS,
    LEAST_SECONDS,
    SETTLE_SECONDS,
    SKEW_SECONDS,
    Listen,
    SourceEvents,
)
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.scheduling.threads import Threads
from tests.unit.reconcile.fakes import FakeClock
from tests.unit.reconcile.virtual_time import Hanging, VirtualClock, comes, run, virtual

BUILDER = EnginePlace("cache/builder", (), "tcp://builder:2375", party="cache default")
OURS = frozenset({"transfer.cyroid.io"})
CUT = TransferError(Reason.TRANSFER_INTERRUPTED, "connection lost")
Act = Callable[[ImageListener], None]


class Engine:
    """Tells what a test puts into its queue, in the thread that listens; None ends an answer."""

    def __init__(self) -> None:
        self.answers = 0
        self.begins: list[ImageListener] = []
        self.refusal: Exception | None = None
        self.tells: queue.Queue[Act | Exception | None] = queue.Queue()
        self.cut: list[CancelScope] = []
        self.hanging = Hanging()
        self._put = self._taken = 0
        self._is_waiting = False

    def party(self, place: EnginePlace, /) -> str:
        return place.party

    async def prepare(self, place: EnginePlace, /) -> Listen:
        del place
        if isinstance(self.refusal, TransferError):
            raise self.refusal
        return self.listen

    def listen(self, listener: ImageListener, scope: CancelScope) -> None:
        self.answers += 1
        if self.refusal is not None:
            raise self.refusal
        self.begins.append(listener)
        listener.began()

        def cut() -> None:
            self.cut.append(scope)
            self.tell(None)

        detach = scope.attach(cut)
        try:
            while True:
                told = self._next()
                if told is None:
                    scope.raise_if_cancelled()
                    return
                if isinstance(told, Exception):
                    raise told
                told(listener)
        finally:
            detach()

    def _next(self) -> Act | Exception | None:
        """A thread that waits here is not waited for by the clock."""
        self.hanging.loop.call_soon_threadsafe(self._waits, self._taken)
        told = self.tells.get(timeout=60)
        self._taken += 1
        return told

    def _waits(self, taken: int) -> None:
        if taken == self._put and not self._is_waiting:
            self._is_waiting = True
            self.hanging.count += 1

    def tell(self, told: Act | Exception | None) -> None:
        """From the event loop."""
        if self._is_waiting:
            self._is_waiting = False
            self.hanging.count -= 1
        self._put += 1
        self.tells.put(told)

    def change(self) -> None:
        self.tell(lambda listener: listener.changed())


@dataclass(slots=True)
class Looks:
    """Looks at the engine, and how long each takes by the clock."""

    moments: list[float] = field(default_factory=list)

    def party(self, place: EnginePlace, /) -> str:
        return place.party

    async def prepare(self, place: EnginePlace, /) -> Callable[[int | None], int]:
        del place
        self.moments.append(virtual().time())
        return lambda last: (last or 0) + 1

    async def renewed(self, place: EnginePlace, fault: Fault, /) -> bool:
        del place, fault
        return False


@dataclass(slots=True)
class Scene:
    engine: Engine
    looks: Looks
    observer: Observer[EnginePlace, int]
    events: SourceEvents
    woken: list[Hashable]

    def follow(self) -> None:
        self.observer.follow("cache", {BUILDER: 600.0})
        self.events.follow("cache", {BUILDER: OURS})

    async def listen(self) -> None:
        """Follow it, until it tells and was looked at once."""
        self.follow()
        await comes(lambda: self.events.is_live(BUILDER) and self.observer.at(BUILDER) is not None)


def tried(scenario: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        threads, listening = Threads("looks", 2), Threads("events", 2, share=2)
        woken: list[Hashable] = []
        clock, engine, looks = VirtualClock(), Engine(), Looks()
        observer: Observer[EnginePlace, int] = Observer(
            looks, threads, woken.append, schedule=Schedule(lambda *_: 1.0), clock=clock
        )
        events = SourceEvents(engine, listening, observer, woken.append, clock)
        engine.hanging.watch([threads, listening])
        try:
            await scenario(Scene(engine, looks, observer, events, woken))
        finally:
            events.close()
            observer.close()
            threads.close()

    run(whole())


def test_a_change_is_looked_at_within_a_second_and_many_at_once_are_one() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        await asyncio.sleep(30)
        began = virtual().time()
        for _ in range(50):
            scene.engine.change()
        await comes(lambda: len(scene.looks.moments) == 2)
        assert SETTLE_SECONDS <= scene.looks.moments[1] - began < 1
        await asyncio.sleep(300)
        assert len(scene.looks.moments) == 2

    tried(scenario)


def test_an_engine_that_tells_without_end_is_looked_at_every_other_second_at_most() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        first = len(scene.looks.moments)
        for _ in range(100):
            scene.engine.change()
            await asyncio.sleep(0.2)
        assert len(scene.looks.moments) - first <= 20 / LEAST_SECONDS + 1

    tried(scenario)


def test_a_look_that_takes_long_is_followed_by_a_longer_rest() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        last = scene.observer._places[BUILDER].last
        assert last is not None
        object.__setattr__(last, "began", last.ended - 6.0)
        scene.engine.change()
        took = await comes(lambda: len(scene.looks.moments) == 2)
        assert 55 < took < 65

    tried(scenario)


def test_nothing_is_looked_at_twice_at_the_start_and_what_happened_since_is_asked_for() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        await asyncio.sleep(60)
        assert len(scene.looks.moments) == 1
        (listener,) = scene.engine.begins
        start = FakeClock().now().timestamp()
        assert start - SKEW_SECONDS - 1 < listener.since < start - SKEW_SECONDS + 1
        assert listener.ours == OURS
        assert "cache" in scene.woken

    tried(scenario)


def test_an_answer_that_ends_is_asked_for_again_and_a_long_gap_costs_a_look() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        await asyncio.sleep(100)
        scene.engine.tell(CUT)
        await comes(lambda: not scene.events.is_live(BUILDER))
        assert await comes(lambda: scene.events.is_live(BUILDER), 30) < 2
        assert len(scene.looks.moments) == 1, "what happened in a second is told again"
        scene.engine.refusal = CUT
        scene.engine.tell(CUT)
        await asyncio.sleep(30)
        scene.engine.refusal = None
        await comes(lambda: scene.events.is_live(BUILDER), 2 * CAP_SECONDS)
        await comes(lambda: len(scene.looks.moments) == 2, 5)

    tried(scenario)


def test_whatever_it_does_it_is_asked_again_with_growing_pauses() -> None:
    async def scenario(scene: Scene) -> None:
        for refusal in (CUT, TransferError(Reason.SECRET_MISSING, "no"), ValueError("a defect")):
            scene.engine.refusal = refusal
            scene.follow()
            await asyncio.sleep(3600)
            assert not scene.events.is_live(BUILDER)
        asked = scene.engine.answers
        assert 3600 / CAP_SECONDS - 5 < asked < 3600 / CAP_SECONDS + 5
        scene.engine.refusal = None
        await comes(lambda: scene.events.is_live(BUILDER), 2 * CAP_SECONDS)

    tried(scenario)


def test_a_task_that_is_cancelled_by_nobody_of_ours_begins_again() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        task = scene.events._followed[BUILDER].task
        assert task is not None
        scene.engine.tell(None)
        task.cancel()
        await comes(lambda: not scene.events.is_live(BUILDER))
        await comes(lambda: scene.events.is_live(BUILDER), 2 * CAP_SECONDS)

    tried(scenario)


def test_who_is_no_longer_followed_is_cut_at_once_and_says_nothing_more() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        listener = scene.engine.begins[-1]
        scene.events.follow("another", {})
        assert scene.events.is_live(BUILDER), "another owner's places are not ours"
        scene.events.follow("cache", {})
        assert not scene.events.is_live(BUILDER)
        await comes(lambda: len(scene.engine.cut) == 1)
        listener.changed()
        await asyncio.sleep(60)
        assert (len(scene.looks.moments), scene.engine.answers) == (1, 1)

    tried(scenario)


def test_other_hosts_of_our_own_are_listened_for_anew() -> None:
    async def scenario(scene: Scene) -> None:
        await scene.listen()
        scene.events.follow("cache", {BUILDER: OURS})
        assert scene.engine.answers == 1
        scene.events.follow("cache", {BUILDER: OURS | {"registry:5001"}})
        await comes(lambda: scene.engine.answers == 2)
        assert scene.engine.begins[-1].ours == OURS | {"registry:5001"}

    tried(scenario)
