"""The moves that run, in real threads: shared, cancelled, limited, bounded in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.progress import Observer, Progress
from cyroid_images.reconcile.job import Move
from cyroid_images.reconcile.jobs import Jobs
from cyroid_images.reconcile.pool import Pool
from cyroid_images.scheduling.cancel_scope import CancelScope as Cancellation
from tests.unit.reconcile import clock
from tests.unit.reconcile.clock import until

PATIENCE = 5.0
"""Seconds after which a thread of a test gives up: the test has failed then."""


@dataclass(slots=True)
class Work:
    """Blocking work that a test lets end, and that its cancellation cuts."""

    error: Exception | None = None
    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    runs: int = 0
    was_cut: bool = False

    def __call__(self, cancellation: Cancellation, observer: Observer) -> str:
        detach = cancellation.attach(self.cut)
        self.runs += 1
        observer(Progress(7, 10))
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        detach()
        cancellation.raise_if_cancelled()
        if self.error is not None:
            raise self.error
        return "result"

    def cut(self) -> None:
        self.was_cut = True
        self.go_on.set()


@dataclass(slots=True)
class Bench:
    """Jobs with two threads, and who was woken."""

    jobs: Jobs
    woken: list[Hashable]


def move(work: Work, key: str = "k", *, version: int = 1, lane: str = "engine:a") -> Move:
    return Move(key, f"action {key}", version, (lane, "all"), work, 3600.0)


Runner = Callable[[Coroutine[Any, Any, None]], None]


def tried(
    scenario: Callable[[Bench], Coroutine[Any, Any, None]], run: Runner = asyncio.run
) -> None:
    """Run the scenario; afterwards nothing runs any more."""

    async def whole() -> None:
        pool, woken = Pool("test", 4), list[Hashable]()
        bench = Bench(Jobs(pool, {"all": 2, "engine": 1}, woken.append), woken)
        try:
            await scenario(bench)
        finally:
            await bench.jobs.close()
            pool.close()

    run(whole())


def test_a_move_runs_and_its_owner_gets_the_outcome() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.jobs.settle("me", [move(work)])
        await until(work.begun.is_set)
        (job,) = bench.jobs.running("me")
        assert job.progress == Progress(7, 10)
        work.go_on.set()
        await until(lambda: bench.woken == ["me"])
        assert bench.jobs.has_just_ended("me", "k")
        (ended,) = bench.jobs.take_ended("me")
        assert (ended.result, ended.fault, ended.move.action) == ("result", None, "action k")
        assert bench.jobs.take_ended("me") == ()
        assert bench.jobs.running("me") == ()
        assert not bench.jobs.has_just_ended("me", "k")

    tried(scenario)


def test_progress_never_goes_back_where_a_move_begins_anew() -> None:
    async def scenario(bench: Bench) -> None:
        again = threading.Event()

        def work(cancellation: Cancellation, observer: Observer) -> str:
            observer(Progress(7, 10))
            observer(Progress(2, 4))
            again.set()
            cancellation.raise_if_cancelled()
            return "result"

        bench.jobs.settle("owner", [Move("k", "action", 1, ("all",), work, 60.0)])
        (job,) = bench.jobs.running("owner")
        await until(again.is_set)
        assert job.progress == Progress(7, 7)

    tried(scenario)


def test_two_owners_share_one_move_and_both_get_its_outcome() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.jobs.settle("a", [move(work)])
        bench.jobs.settle("b", [move(Work())])
        await until(work.begun.is_set)
        work.go_on.set()
        await until(lambda: len(bench.woken) == 2)
        assert work.runs == 1
        assert [len(bench.jobs.take_ended(owner)) for owner in "ab"] == [1, 1]

    tried(scenario)


def test_only_the_last_owner_that_leaves_cancels() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.jobs.settle("a", [move(work)])
        bench.jobs.settle("b", [move(work)])
        await until(work.begun.is_set)
        bench.jobs.settle("a", [])
        assert not work.was_cut
        bench.jobs.settle("b", [])
        assert work.was_cut
        await until(lambda: not bench.jobs.busy_with("k") and not bench.jobs.running("b"))
        assert bench.jobs.take_ended("a") == bench.jobs.take_ended("b") == ()

    tried(scenario)


def test_an_equal_plan_keeps_what_runs() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        for _ in range(3):
            bench.jobs.settle("me", [move(work)])
        await until(work.begun.is_set)
        assert not work.was_cut
        assert work.runs == 1

    tried(scenario)


def test_another_version_waits_until_the_old_one_has_let_go() -> None:
    async def scenario(bench: Bench) -> None:
        old, new = Work(), Work()
        bench.jobs.settle("me", [move(old)])
        await until(old.begun.is_set)
        bench.jobs.settle("me", [move(new, version=2)])
        assert old.was_cut
        await until(lambda: "me" in bench.woken)
        assert new.runs == 0
        bench.jobs.settle("me", [move(new, version=2)])
        await until(new.begun.is_set)

    tried(scenario)


def test_another_version_does_not_cut_the_one_that_somebody_else_wants() -> None:
    async def scenario(bench: Bench) -> None:
        old, new = Work(), Work()
        bench.jobs.settle("a", [move(old)])
        await until(old.begun.is_set)
        bench.jobs.settle("b", [move(new, version=2)])
        assert not old.was_cut
        old.go_on.set()
        await until(lambda: sorted(map(str, bench.woken)) == ["a", "b"])
        assert new.runs == 0

    tried(scenario)


@pytest.mark.row("D14")
def test_a_lane_lets_through_as_many_as_it_may() -> None:
    async def scenario(bench: Bench) -> None:
        works = {name: Work() for name in ("a1", "a2", "b1", "c1")}
        bench.jobs.settle(
            "me", [move(work, name, lane=f"engine:{name[0]}") for name, work in works.items()]
        )
        await until(lambda: works["a1"].begun.is_set() and works["b1"].begun.is_set())
        waiting = {job.move.key for job in bench.jobs.running("me") if job.progress is None}
        assert waiting == {"a2", "c1"}  # one per engine, two in all
        works["a1"].go_on.set()
        await until(works["c1"].begun.is_set)
        assert works["a2"].runs == 0  # c1 stood in the common lane before it
        works["b1"].go_on.set()
        await until(works["a2"].begun.is_set)

    tried(scenario)


def test_a_move_that_waits_for_its_lane_is_cancelled_without_a_run() -> None:
    async def scenario(bench: Bench) -> None:
        first, second = Work(), Work()
        bench.jobs.settle("me", [move(first, "1"), move(second, "2")])
        await until(first.begun.is_set)
        bench.jobs.settle("me", [move(first, "1")])
        await until(lambda: len(bench.jobs.running("me")) == 1)
        first.go_on.set()
        await until(lambda: "me" in bench.woken)
        assert second.runs == 0

    tried(scenario)


def test_a_move_that_is_unwanted_before_it_began_leaves_nothing_behind() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        unwanted = Move(("deliver", "uid-1"), "action", 1, ("all",), work, 60.0)
        bench.jobs.settle("me", [unwanted])
        bench.jobs.settle("me", [])
        await until(lambda: not bench.jobs.busy_with("uid-1"))
        bench.jobs.settle("me", [unwanted])
        await until(work.begun.is_set)

    tried(scenario)


ENDS: dict[str, tuple[Exception, Reason, str]] = {
    "a-fault": (TransferError(Reason.PULL_FAILED, "it says no"), Reason.PULL_FAILED, "it says no"),
    "an-odd-name": (InvalidReference("bad"), Reason.INVALID_REFERENCE, "bad"),
    "a-defect": (
        ZeroDivisionError("secret"),
        Reason.INTERNAL_ERROR,
        "a defect of the operator: ZeroDivisionError",
    ),
}


@pytest.mark.parametrize(("error", "reason", "message"), ENDS.values(), ids=ENDS)
def test_what_a_move_raises_is_its_fault(error: Exception, reason: Reason, message: str) -> None:
    async def scenario(bench: Bench) -> None:
        work = Work(error)
        work.go_on.set()
        bench.jobs.settle("me", [move(work)])
        await until(lambda: bench.woken == ["me"])
        (ended,) = bench.jobs.take_ended("me")
        assert ended.fault is not None
        assert (ended.fault.reason, ended.fault.message) == (reason, message)

    tried(scenario)


def test_a_move_that_takes_too_long_is_cut_and_says_so() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.jobs.settle("me", [move(work)])
        while not bench.woken:
            await asyncio.sleep(1)  # an hour passes at once
        assert work.was_cut
        (ended,) = bench.jobs.take_ended("me")
        assert ended.fault is not None
        assert ended.fault.reason is Reason.TIMEOUT
        assert "3600 s" in ended.fault.message

    tried(scenario, clock.run)


def test_a_dropped_owner_is_told_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        done, going = Work(), Work()
        done.go_on.set()
        bench.jobs.settle("me", [move(done, "1"), move(going, "2", lane="engine:b")])
        await until(lambda: going.begun.is_set() and bench.woken == ["me"])
        bench.jobs.drop("me")
        assert going.was_cut
        assert bench.jobs.take_ended("me") == ()

    tried(scenario)


def test_closing_cuts_everything_and_waits_for_the_threads() -> None:
    async def scenario(bench: Bench) -> None:
        running, waiting = Work(), Work()
        bench.jobs.settle("me", [move(running, "1"), move(waiting, "2")])
        await until(running.begun.is_set)
        await bench.jobs.close()
        assert running.was_cut
        assert waiting.runs == 0
        assert bench.jobs.running("me") == ()
        assert bench.woken == []

    tried(scenario)


def test_a_target_is_busy_while_a_move_names_it() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        named = Move(("deliver", "uid-1", "nginx"), "action", 1, ("all",), work, 60.0)
        bench.jobs.settle("me", [named])
        assert bench.jobs.busy_with("uid-1")
        assert not bench.jobs.busy_with("uid-2")

    tried(scenario)
