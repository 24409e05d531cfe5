"""Places are looked at on a schedule; what changed wakes; what is older than news counts not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.fault import Fault
from cyroid_images.observe.observation import Observation
from cyroid_images.observe.observer import (
    BLIP_SECONDS,
    LATE_SECONDS,
    LONGEST_KEPT_SECONDS,
    Observer,
    Schedule,
)
from cyroid_images.scheduling.threads import Threads
from tests.unit.plan.examples import NOW
from tests.unit.reconcile import clock
from tests.unit.reconcile.clock import BEGIN, pass_time, spun
from tests.unit.reconcile.fakes import FakeClock

PATIENCE = 10.0
AWAY = TransferError(Reason.ENGINE_UNREACHABLE, "refused")
Shown = str | Exception | Callable[[], str]


def doubling(fault: Fault, faults: int, seconds: float) -> float:
    """2, 4, 8 ... seconds after a fault."""
    del fault, seconds
    return 2.0**faults


STRICT, LENIENT = Schedule(doubling), Schedule(doubling, blips=1)


async def at_once() -> None:
    """Nothing to wait for."""


@dataclass(slots=True)
class Outside:
    """What is at each place, and the looks that were taken; nowhere is away."""

    before: Callable[[], Coroutine[Any, Any, None]] = at_once
    """Happens while a look is prepared."""

    shown: dict[str, Shown] = field(default_factory=dict)
    looks: list[str] = field(default_factory=list)
    """As they begin, in the event loop: no thread is behind with it."""
    given: list[str | None] = field(default_factory=list)
    """The last view, as each look was given it."""
    renews: bool = False
    renewals: int = 0
    """How often it was asked whether what was refused has been replaced."""

    def party(self, place: str, /) -> str:
        return place

    async def prepare(self, place: str, /) -> Callable[[str | None], str]:
        self.looks.append(place)
        await self.before()
        return lambda last: self._look(place, last)

    async def renewed(self, place: str, fault: Fault, /) -> bool:
        del place, fault
        self.renewals += 1
        return self.renews

    def _look(self, place: str, last: str | None) -> str:
        self.given.append(last)
        shown = self.shown.get(place, AWAY)
        if isinstance(shown, Exception):
            raise shown
        return shown if isinstance(shown, str) else shown()


@dataclass(slots=True)
class Slow:
    """A view that a look shows when the test lets it."""

    view: str = "slow"
    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        return self.view


@dataclass(slots=True)
class Bench:
    outside: Outside
    observer: Observer[str, str]
    woken: list[Hashable]

    def follow(self, owner: str, **wanted: float) -> None:
        self.observer.follow(owner, wanted)

    async def looked(self, times: int = 1) -> Observation[str]:
        """The last word on place "a" once so many looks at any place have ended, or learned."""
        await spun(lambda: len(self.outside.looks) >= times and self.is_at_rest())
        seen = self.observer.at("a")
        assert seen is not None
        return seen

    def is_at_rest(self) -> bool:
        """Is no look on its way?"""
        held = self.observer._places.values()
        return all(each.look is None for each in held)


def tried(
    scenario: Callable[[Bench], Coroutine[Any, Any, None]],
    schedule: Schedule = STRICT,
) -> None:
    async def whole() -> None:
        threads, outside, woken = Threads("test", 4), Outside(shown={"a": "one"}), list[Hashable]()
        observer = Observer(outside, threads, woken.append, schedule=schedule, clock=FakeClock())
        try:
            await scenario(Bench(outside, observer, woken))
        finally:
            observer.close()
            threads.close()

    clock.run(whole())


async def later(seconds: float) -> None:
    """So long, and whatever is due then has begun."""
    await asyncio.sleep(seconds)
    await asyncio.sleep(0)


def test_a_new_place_is_unknown_and_looked_at_now() -> None:
    async def scenario(bench: Bench) -> None:
        assert bench.observer.at("a") is None
        assert bench.observer.is_pending("a")
        bench.follow("me", a=60)
        assert bench.observer.at("a") is None
        assert bench.observer.is_pending("a")
        assert await bench.looked() == Observation(BEGIN, BEGIN, "one", NOW)
        assert not bench.observer.is_pending("a")
        assert bench.woken == ["me"]

    tried(scenario)


def test_several_owners_share_a_look_and_the_shortest_pause_counts() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        bench.follow("you", a=20)
        await bench.looked()
        assert sorted(map(str, bench.woken)) == ["me", "you"]
        await later(20)
        await bench.looked(2)
        bench.follow("you")
        bench.follow("me", a=60)
        await later(20)  # the moment that was set when both were there
        await bench.looked(3)
        await later(59)
        assert len(bench.outside.looks) == 3

    tried(scenario)


def test_an_equal_view_wakes_nobody_and_another_one_all() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        bench.woken.clear()
        await later(10)
        await bench.looked(2)
        assert bench.woken == []
        bench.outside.shown["a"] = "two"
        await later(10)
        assert (await bench.looked(3)).view == "two"
        assert bench.woken == ["me"]
        assert bench.outside.given == [None, "one", "one"]

    tried(scenario)


def test_b19_what_nobody_follows_any_more_is_forgotten() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10, b=10_000)
        await bench.looked(2)
        bench.woken.clear()
        bench.follow("me")
        assert set(bench.observer.places()) == {"a", "b"}
        await later(10)
        assert bench.observer.places() == ("b",)
        await later(LONGEST_KEPT_SECONDS)
        assert bench.observer.places() == ()
        assert bench.observer.at("a") is None
        assert len(bench.outside.looks) == 2
        assert bench.woken == []

    tried(scenario)


def test_what_somebody_left_is_forgotten_in_time_whatever_they_follow_next() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        bench.follow("me")
        await later(5)
        bench.follow("me", b=10_000)
        await bench.looked(2)
        await later(5)
        assert bench.observer.places() == ("b",)

    tried(scenario)


def test_who_leaves_puts_off_no_look_of_those_who_stay() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=100)
        bench.follow("you", a=60)
        await bench.looked()
        await later(50)
        bench.follow("me")
        await later(10)
        await bench.looked(2)

    tried(scenario)


def test_a_place_that_hangs_is_looked_at_once_whoever_comes_and_goes() -> None:
    """Its look holds a thread: another one for each comer would leave none for other places."""

    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        bench.outside.shown["a"] = slow = Slow()
        await later(10)
        await spun(slow.begun.is_set)
        pass_time(1)
        bench.observer.learn("a", "pushed")
        bench.follow("me")
        await later(10)
        bench.follow("me", a=10)
        await later(0)
        slow.go_on.set()
        assert (await bench.looked(2)).view == "pushed"
        assert bench.outside.looks == ["a", "a"]

    tried(scenario)


def test_a_place_that_hangs_is_not_forgotten_though_its_last_follower_left_before() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        bench.follow("me")
        bench.outside.shown["a"] = slow = Slow()
        pass_time(5)
        bench.observer.refresh("a")
        await spun(slow.begun.is_set)
        await later(5)  # the moment when it would have been forgotten
        bench.follow("me", a=10)
        await later(0)
        slow.go_on.set()
        assert (await bench.looked(2)).view == "slow"
        assert bench.outside.looks == ["a", "a"]

    tried(scenario)


def test_a_look_that_ends_after_its_last_follower_left_is_forgotten_too() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = slow = Slow()
        bench.follow("me", a=10)
        await spun(slow.begun.is_set)
        bench.follow("me")
        slow.go_on.set()
        await bench.looked()
        assert bench.woken == []
        await later(LONGEST_KEPT_SECONDS)
        assert bench.observer.places() == ()

    tried(scenario)


def test_who_goes_and_comes_back_at_once_causes_no_extra_look() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        for _ in range(3):
            bench.follow("me")
            bench.follow("me", a=10)
        await later(9)
        assert len(bench.outside.looks) == 1
        await later(1)
        await bench.looked(2)

    tried(scenario)


def test_following_the_same_again_and_again_moves_no_look() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        for _ in range(10):
            await later(1)
            bench.follow("me", a=10)
        await bench.looked(2)

    tried(scenario)


@pytest.mark.parametrize("shown", ["one", AWAY], ids=["a-view", "a-fault"])
def test_a_place_of_which_no_look_is_wanted_keeps_its_last_word(shown: Shown) -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = shown
        bench.follow("me", a=10, b=float("inf"))
        said = await bench.looked()
        bench.follow("me", a=float("inf"))
        await later(100_000)
        assert await bench.looked() == said
        assert bench.outside.looks == ["a"]
        bench.follow("me", a=10)
        await later(0)
        await bench.looked(2)

    tried(scenario)


def test_a_refresh_looks_now_and_wakes_though_nothing_changed() -> None:
    """Whoever waits for the word on what happened is told that it has come."""

    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.woken.clear()
        pass_time(1)
        bench.observer.refresh("a")
        assert bench.observer.is_pending("a")
        assert bench.observer.at("a") is not None  # the last word stays meanwhile
        await bench.looked(2)
        assert not bench.observer.is_pending("a")
        assert bench.woken == ["me"]
        bench.observer.refresh("nobody follows it")
        assert bench.observer.places() == ("a",)

    tried(scenario)


def test_where_nobody_waits_for_the_look_only_news_wake() -> None:
    """Every pull has the registry asked whether it is there; as a rule it is."""

    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.woken.clear()
        pass_time(1)
        bench.observer.refresh("a", is_awaited=False)
        await bench.looked(2)
        assert bench.woken == []
        bench.outside.shown["a"] = AWAY
        pass_time(1)
        bench.observer.refresh("a", is_awaited=False)
        await bench.looked(3)
        assert bench.woken == ["me"]

    tried(scenario)


def test_a_look_out_of_turn_takes_the_place_of_the_one_that_was_due() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        await later(30)
        bench.observer.refresh("a")
        await bench.looked(2)
        await later(59)
        assert len(bench.outside.looks) == 2
        await later(1)
        await bench.looked(3)

    tried(scenario)


def test_a_first_look_that_came_too_early_is_repeated_and_only_news_wake() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = slow = Slow("one")
        bench.follow("me", a=60)
        await spun(slow.begun.is_set)
        pass_time(1)
        bench.observer.refresh("a", is_awaited=False)
        bench.outside.shown["a"] = "one"
        slow.go_on.set()
        await bench.looked(2)
        assert bench.woken == ["me"]

    tried(scenario)


def test_who_waits_for_a_look_is_woken_by_the_first_one_that_counts_and_once() -> None:
    """Also when others, who do not wait, have asked for the look that is under way."""

    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.woken.clear()
        bench.outside.shown["a"] = slow = Slow("one")
        pass_time(1)
        bench.observer.refresh("a", is_awaited=False)
        await spun(slow.begun.is_set)
        pass_time(1)
        bench.observer.refresh("a")
        bench.outside.shown["a"] = "one"
        slow.go_on.set()
        await bench.looked(3)
        assert bench.woken == ["me"]
        pass_time(1)
        bench.observer.refresh("a", is_awaited=False)
        await bench.looked(4)
        assert bench.woken == ["me"]

    tried(scenario)


def test_who_hears_that_a_look_is_pending_is_woken_when_it_is_over() -> None:
    """A look that nobody waited for when it began, as after every pull."""

    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.woken.clear()
        assert not bench.observer.is_pending("a")
        pass_time(1)
        bench.observer.refresh("a", is_awaited=False)
        assert bench.observer.is_pending("a")
        await bench.looked(2)
        assert bench.woken == ["me"]

    tried(scenario)


def test_a_cancellation_that_nobody_asked_for_costs_one_look() -> None:
    """A client whose time-outs cancel the task may leave one behind; the place is not lost."""

    async def scenario(bench: Bench) -> None:
        async def cut() -> None:
            raise asyncio.CancelledError

        bench.outside.before = cut
        bench.follow("me", a=60)
        await spun(lambda: bench.observer.at("a") is not None)
        seen = bench.observer.at("a")
        assert seen is not None
        assert seen.fault is not None
        assert seen.fault.reason is Reason.INTERNAL_ERROR
        bench.outside.before = at_once
        await later(3)
        assert (await bench.looked()).view == "one"

    tried(scenario)


def test_a_look_that_began_before_what_happened_does_not_count() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = slow = Slow("before")
        bench.follow("me", a=60)
        await spun(slow.begun.is_set)
        pass_time(1)
        for _ in range(3):
            bench.observer.refresh("a")  # one look at a time, and one more
        bench.outside.shown["a"] = "after"
        slow.go_on.set()
        assert (await bench.looked(2)).view == "after"
        assert bench.outside.looks == ["a", "a"]

    tried(scenario)


def test_what_is_known_to_be_newer_needs_no_look() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.observer.refresh("a", not_before=BEGIN - 1)
        assert not bench.observer.is_pending("a")
        await later(1)
        assert len(bench.outside.looks) == 1

    tried(scenario)


def test_what_somebody_proved_is_the_last_word_and_sets_the_next_look() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.woken.clear()
        await later(50)
        bench.observer.learn("a", "pushed")
        seen = bench.observer.at("a")
        assert seen is not None
        assert (seen.view, seen.began) == ("pushed", BEGIN + 50)
        await later(59)
        assert len(bench.outside.looks) == 1
        await later(1)
        await bench.looked(2)
        bench.observer.learn("nobody follows it", "x")
        assert bench.observer.places() == ("a",)

    tried(scenario)


def test_a_look_that_began_before_somebody_proved_something_does_not_undo_it() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = slow = Slow("not there yet")
        bench.follow("me", a=60)
        await spun(slow.begun.is_set)
        pass_time(1)
        bench.observer.learn("a", "pushed")
        slow.go_on.set()
        assert (await bench.looked()).view == "pushed"

    tried(scenario)


def test_what_somebody_saw_of_a_part_is_amended_and_the_next_look_comes_as_planned() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        bench.follow("you", a=60)
        await bench.looked()
        bench.woken.clear()
        await later(50)
        bench.observer.amend("a", BEGIN + 50, "one and two", by="me")
        seen = bench.observer.at("a")
        assert seen is not None
        assert (seen.view, seen.began) == ("one and two", BEGIN)
        assert not bench.observer.is_pending("a")
        assert bench.woken == ["you"]
        bench.observer.amend("a", BEGIN + 50, "one and two")  # nothing new in it
        assert bench.woken == ["you"]
        await later(9)
        assert len(bench.outside.looks) == 1
        await later(1)
        assert (await bench.looked(2)).view == "one"
        bench.observer.amend("nobody follows it", BEGIN, "x")
        assert bench.observer.places() == ("a",)

    tried(scenario)


def test_a_look_that_began_before_a_part_was_seen_is_followed_by_another_one() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        bench.outside.shown["a"] = slow = Slow("as it was before")
        await later(10)
        await spun(slow.begun.is_set)
        pass_time(1)
        bench.observer.amend("a", BEGIN + 11, "one and two")
        assert bench.observer.is_pending("a")
        bench.outside.shown["a"] = "one and two"
        slow.go_on.set()
        assert (await bench.looked(3)).view == "one and two"
        assert not bench.observer.is_pending("a")

    tried(scenario)


def test_a_part_of_what_does_not_answer_is_no_view_but_worth_a_look() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = AWAY
        bench.follow("me", a=60)
        await bench.looked()
        bench.outside.shown["a"] = "one"
        pass_time(0.1)
        bench.observer.amend("a", BEGIN + 0.1, "one and two")
        assert (await bench.looked(2)).view == "one"

    tried(scenario)


def test_b13_a_fault_stays_the_last_word_until_a_newer_look_shows_something() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = AWAY
        bench.follow("me", a=10)
        since = (await bench.looked()).began
        bench.outside.shown["a"] = slow = Slow()
        await later(2)
        await spun(slow.begun.is_set)
        pass_time(100)  # a look that hangs says nothing
        seen = bench.observer.at("a")
        assert seen is not None
        assert (seen.fault, seen.view) == (Fault.of(AWAY), None)
        assert seen.faulty_for(BEGIN + 100) == BEGIN + 100 - since
        bench.woken.clear()
        slow.go_on.set()
        seen = await bench.looked(2)
        assert (seen.view, seen.fault, seen.faults, seen.faulty_for(1e9)) == ("slow", None, 0, 0.0)
        assert bench.woken == ["me"]

    tried(scenario)


def test_an_equal_fault_wakes_nobody_and_the_pauses_grow() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = AWAY
        bench.follow("me", a=1)
        await bench.looked()
        for number, pause in ((2, 2.0), (3, 4.0), (4, 8.0)):
            await later(pause - 0.5)
            assert len(bench.outside.looks) == number - 1
            await later(0.5)
            await bench.looked(number)
        assert bench.woken == ["me"]

    tried(scenario)


def test_a_fault_that_says_how_long_is_taken_at_its_word() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = TransferError(Reason.RATE_LIMITED, "later", retry_after=100)
        bench.follow("me", a=1)
        await bench.looked()
        await later(99)
        assert len(bench.outside.looks) == 1
        await later(1)
        await bench.looked(2)

    tried(scenario)


def test_the_view_before_a_fault_is_kept_with_its_moment() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        bench.outside.shown["a"] = AWAY
        await later(10)
        seen = await bench.looked(2)
        assert (seen.view, seen.seen, seen.fault) == ("one", NOW, Fault.of(AWAY))

    tried(scenario)


def test_one_fault_after_a_view_may_be_a_blip_and_is_asked_again_soon() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.woken.clear()
        bench.outside.shown["a"] = AWAY
        await later(60)
        seen = await bench.looked(2)
        assert (seen.view, seen.fault, seen.faults) == ("one", None, 1)
        assert bench.woken == []
        await later(BLIP_SECONDS)
        assert (await bench.looked(3)).fault == Fault.of(AWAY)
        assert bench.woken == ["me"]

    tried(scenario, LENIENT)


def test_a_blip_that_is_over_was_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.woken.clear()
        bench.outside.shown["a"] = AWAY
        await later(60)
        await bench.looked(2)
        bench.outside.shown["a"] = "one"
        await later(BLIP_SECONDS)
        assert (await bench.looked(3)).faults == 0
        assert bench.woken == []

    tried(scenario, LENIENT)


@pytest.mark.parametrize(
    "error",
    [TransferError(Reason.UNAUTHORIZED, "401"), ZeroDivisionError("odd")],
    ids=["a-refusal", "a-defect"],
)
def test_what_only_a_human_can_mend_is_no_blip(error: Exception) -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=60)
        await bench.looked()
        bench.outside.shown["a"] = error
        await later(60)
        assert (await bench.looked(2)).fault is not None

    tried(scenario, LENIENT)


def test_a_fault_for_which_one_had_to_wait_is_no_blip() -> None:
    async def scenario(bench: Bench) -> None:
        def late() -> str:
            pass_time_in_thread(LATE_SECONDS + 1)
            raise AWAY

        loop = asyncio.get_running_loop()

        def pass_time_in_thread(seconds: float) -> None:
            assert isinstance(loop, clock.JumpingLoop)
            loop.pass_time(seconds)

        bench.follow("me", a=60)
        await bench.looked()
        bench.outside.shown["a"] = late
        await later(60)
        assert (await bench.looked(2)).fault == Fault.of(AWAY)

    tried(scenario, LENIENT)


def test_a_defect_in_a_look_costs_its_place_only(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["b"] = ZeroDivisionError("secret detail")
        bench.follow("me", a=60, b=60)
        assert (await bench.looked(2)).view == "one"
        broken = bench.observer.at("b")
        assert broken is not None
        assert broken.fault is not None
        assert broken.fault.reason is Reason.INTERNAL_ERROR
        assert "secret" not in broken.fault.message
        bench.outside.shown["b"] = "mended"
        await later(2)
        await bench.looked(3)
        mended = bench.observer.at("b")
        assert mended is not None
        assert (mended.view, mended.fault) == ("mended", None)

    tried(scenario)
    assert "a look at b" in caplog.text
    assert "secret detail" in caplog.text


def test_what_was_refused_and_replaced_meanwhile_is_looked_at_twice_and_nobody_is_alarmed() -> None:
    async def scenario(bench: Bench) -> None:
        refusals = [TransferError(Reason.UNAUTHORIZED, "401")]

        def picky() -> str:
            if refusals:
                raise refusals.pop()
            return "in"

        bench.outside.shown["a"], bench.outside.renews = picky, True
        bench.follow("me", a=60)
        seen = await bench.looked(2)
        assert (seen.view, seen.fault) == ("in", None)

    tried(scenario)


@pytest.mark.parametrize("renews", [True, False])
def test_what_stays_refused_is_told_after_two_looks_at_most(*, renews: bool) -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = TransferError(Reason.UNAUTHORIZED, "401")
        bench.outside.renews = renews
        bench.follow("me", a=60)
        seen = await bench.looked(2 if renews else 1)
        assert seen.fault == Fault(Reason.UNAUTHORIZED, "401")
        assert len(bench.outside.looks) == (2 if renews else 1)
        assert bench.outside.renewals == 1

    tried(scenario)


def test_nothing_is_looked_at_after_the_end() -> None:
    async def scenario(bench: Bench) -> None:
        bench.outside.shown["a"] = slow = Slow()
        bench.follow("me", a=1)
        await spun(slow.begun.is_set)
        bench.observer.close()
        slow.go_on.set()
        looks = len(bench.outside.looks)
        await later(100)
        assert len(bench.outside.looks) == looks
        assert bench.observer.places() == ()

    tried(scenario)


def test_what_was_due_after_the_end_is_not_looked_at() -> None:
    async def scenario(bench: Bench) -> None:
        bench.follow("me", a=10)
        await bench.looked()
        bench.observer.close()
        await later(100)
        assert len(bench.outside.looks) == 1

    tried(scenario)


@pytest.mark.parametrize("error", [None, AWAY], ids=["it-obeys", "it-makes-a-fault-of-it"])
def test_a_look_in_preparation_ends_with_the_end_and_is_no_defect(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Each stop of the operator would tell of a defect, if it were one."""

    async def scenario(bench: Bench) -> None:
        waits, go_on, read = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def credentials() -> None:
            waits.set()
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                raise error or asyncio.CancelledError from None
            read.set()

        bench.outside.before = credentials
        bench.follow("me", a=10)
        await waits.wait()
        bench.observer.close()
        await later(0)
        bench.outside.before = at_once
        go_on.set()
        await later(100)
        assert bench.outside.looks == ["a"]
        assert not read.is_set()

    tried(scenario)
    assert caplog.text == ""


def test_nothing_is_looked_at_after_the_close() -> None:
    async def scenario(bench: Bench) -> None:
        bench.observer.close()
        bench.follow("me", a=60)
        await later(120)
        assert bench.outside.looks == []
        assert bench.observer.places() == ()

    tried(scenario)


@pytest.mark.parametrize(("since", "now", "seconds"), [(5, 4, 0), (5, 5, 0), (5, 5.5, 0.5)])
def test_for_how_long_nothing_was_seen_counts_from_the_look_that_first_showed_nothing(
    since: float, now: float, seconds: float
) -> None:
    seen: Observation[str] = Observation(since, since + 1, faults=1, faulty_since=since)
    assert seen.faulty_for(now) == seconds
