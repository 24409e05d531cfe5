"""The transfers that run, in real threads: shared, cancelled, limited, bounded in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

import pytest

from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.execute.executor import Executor
from cyroid_images.execute.transfer import Ended, Job, Transfer
from cyroid_images.model.telemetry.log_context import about, fields
from cyroid_images.model.telemetry.progress import Progress, ProgressObserver
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.scheduling.fair_turns import Limit
from cyroid_images.scheduling.threads import Threads
from tests.unit.reconcile import clock
from tests.unit.reconcile.clock import until

PATIENCE = 5.0
"""Seconds after which a thread of a test gives up: the test has failed then."""


LIMITS = {"all": Limit.whole(2), "engine": Limit.whole(1)}


@dataclass(slots=True)
class Work:
    """Blocking work that a test lets end, and that its scope cuts."""

    error: Exception | None = None
    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    runs: int = 0
    was_cut: bool = False

    def __call__(self, scope: CancelScope, observer: ProgressObserver) -> str:
        detach = scope.attach(self.cut)
        self.runs += 1
        observer(Progress(7, 10))
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        detach()
        scope.raise_if_cancelled()
        if self.error is not None:
            raise self.error
        return "result"

    def cut(self) -> None:
        self.was_cut = True
        self.go_on.set()


@dataclass(slots=True)
class Bench:
    """An executor with two places, one for each engine; who was woken, and what was told."""

    executor: Executor
    woken: list[Hashable]
    told: list[tuple[Hashable, bool]]
    """The key of each transfer that had begun and is over, and whether it came to an end."""


def transfer(
    work: Callable[[CancelScope, ProgressObserver], Any],
    key: Hashable = "k",
    *,
    version: int = 1,
    limits: tuple[str, ...] = ("engine:a", "all"),
    party: str = "default",
) -> Transfer:
    return Transfer(key, f"action {key}", version, party, limits, work, 3600.0)


Runner = Callable[[Coroutine[Any, Any, None]], None]


def tried(
    scenario: Callable[[Bench], Coroutine[Any, Any, None]], run: Runner = asyncio.run
) -> None:
    """Run the scenario; afterwards nothing runs any more."""

    async def whole() -> None:
        threads, woken, told = Threads("test", 4, share=4), list[Hashable](), []

        def tell(job: Job, ended: Ended | None) -> None:
            told.append((job.transfer.key, ended is not None))

        executor = Executor(threads, LIMITS, woken.append, told=tell)
        try:
            await scenario(Bench(executor, woken, told))
        finally:
            await executor.close()
            threads.close()

    run(whole())


def test_a_transfer_runs_and_its_owner_gets_the_outcome() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.executor.sync("me", [transfer(work)])
        await until(work.begun.is_set)
        (job,) = bench.executor.running("me")
        assert job.progress == Progress(7, 10)
        work.go_on.set()
        await until(lambda: bench.woken == ["me"])
        (ended,) = bench.executor.take_ended("me")
        assert (ended.result, ended.fault, ended.transfer.action) == ("result", None, "action k")
        assert bench.executor.take_ended("me") == ()
        assert bench.executor.running("me") == ()
        assert bench.told == [("k", True)]

    tried(scenario)


def test_the_lines_of_a_transfer_name_who_wanted_it_and_not_whose_end_let_it_begin() -> None:
    """The second waits for the place of the first, which belongs to another object."""

    async def scenario(bench: Bench) -> None:
        first, seen = Work(), list[object]()

        def second(scope: CancelScope, observer: ProgressObserver) -> None:
            del scope, observer
            seen.append(fields()["object"])

        with about(object="of the first"):
            bench.executor.sync("one", [transfer(first, "first")])
        await until(first.begun.is_set)
        with about(object="of the second"):
            bench.executor.sync("two", [transfer(second, "second")])
        first.go_on.set()
        await until(lambda: "two" in bench.woken)
        assert seen == ["of the second"]

    tried(scenario)


def test_progress_never_goes_back_where_a_transfer_begins_anew() -> None:
    async def scenario(bench: Bench) -> None:
        again = threading.Event()

        def work(scope: CancelScope, observer: ProgressObserver) -> str:
            observer(Progress(7, 10))
            observer(Progress(2, 4))
            again.set()
            scope.raise_if_cancelled()
            return "result"

        bench.executor.sync("owner", [transfer(work)])
        (job,) = bench.executor.running("owner")
        await until(again.is_set)
        assert job.progress == Progress(7, 7)

    tried(scenario)


def test_two_owners_share_one_transfer_and_both_get_its_outcome() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.executor.sync("a", [transfer(work)])
        bench.executor.sync("b", [transfer(Work())])
        await until(work.begun.is_set)
        work.go_on.set()
        await until(lambda: len(bench.woken) == 2)
        assert work.runs == 1
        assert [len(bench.executor.take_ended(owner)) for owner in "ab"] == [1, 1]

    tried(scenario)


def test_only_the_last_owner_that_leaves_cancels() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.executor.sync("a", [transfer(work)])
        bench.executor.sync("b", [transfer(work)])
        await until(work.begun.is_set)
        bench.executor.sync("a", [])
        assert not work.was_cut
        bench.executor.sync("b", [])
        assert work.was_cut
        await until(
            lambda: not bench.executor.is_busy_with("k") and not bench.executor.running("b")
        )
        assert bench.executor.take_ended("a") == bench.executor.take_ended("b") == ()

    tried(scenario)


def test_an_equal_plan_keeps_what_runs() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        for _ in range(3):
            bench.executor.sync("me", [transfer(work)])
        await until(work.begun.is_set)
        assert not work.was_cut
        assert work.runs == 1

    tried(scenario)


def test_another_version_waits_until_the_old_one_has_let_go() -> None:
    async def scenario(bench: Bench) -> None:
        old, new = Work(), Work()
        bench.executor.sync("me", [transfer(old)])
        await until(old.begun.is_set)
        bench.executor.sync("me", [transfer(new, version=2)])
        assert old.was_cut
        await until(lambda: "me" in bench.woken)
        assert new.runs == 0
        bench.executor.sync("me", [transfer(new, version=2)])
        await until(new.begun.is_set)

    tried(scenario)


def test_another_version_does_not_cut_the_one_that_somebody_else_wants() -> None:
    async def scenario(bench: Bench) -> None:
        old, new = Work(), Work()
        bench.executor.sync("a", [transfer(old)])
        await until(old.begun.is_set)
        bench.executor.sync("b", [transfer(new, version=2)])
        assert not old.was_cut
        old.go_on.set()
        await until(lambda: sorted(map(str, bench.woken)) == ["a", "b"])
        assert new.runs == 0

    tried(scenario)


@pytest.mark.row("D14")
def test_a_limit_lets_through_as_many_as_it_may() -> None:
    async def scenario(bench: Bench) -> None:
        works = {name: Work() for name in ("a1", "a2", "b1", "c1")}
        bench.executor.sync(
            "me",
            [
                transfer(work, name, limits=(f"engine:{name[0]}", "all"))
                for name, work in works.items()
            ],
        )
        await until(lambda: works["a1"].begun.is_set() and works["b1"].begun.is_set())
        waiting = {job.transfer.key for job in bench.executor.running("me") if job.progress is None}
        assert waiting == {"a2", "c1"}  # one per engine, two in all
        works["a1"].go_on.set()
        await until(works["c1"].begun.is_set)
        assert works["a2"].runs == 0  # it is the turn of another engine
        works["b1"].go_on.set()
        await until(works["a2"].begun.is_set)

    tried(scenario)


def test_a_transfer_that_waits_for_its_turn_is_cancelled_without_a_run() -> None:
    async def scenario(bench: Bench) -> None:
        first, second = Work(), Work()
        bench.executor.sync("me", [transfer(first, "1"), transfer(second, "2")])
        await until(first.begun.is_set)
        bench.executor.sync("me", [transfer(first, "1")])
        await until(lambda: len(bench.executor.running("me")) == 1)
        first.go_on.set()
        await until(lambda: "me" in bench.woken)
        assert second.runs == 0

    tried(scenario)


def test_a_transfer_that_is_unwanted_before_it_began_leaves_nothing_behind() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        unwanted = transfer(work, ("deliver", "uid-1"))
        bench.executor.sync("me", [unwanted])
        bench.executor.sync("me", [])
        await until(lambda: not bench.executor.is_busy_with("uid-1"))
        bench.executor.sync("me", [unwanted])
        await until(work.begun.is_set)

    tried(scenario)


ENDS: dict[str, tuple[Exception, Reason, str]] = {
    "a-fault": (TransferError(Reason.PULL_FAILED, "it says no"), Reason.PULL_FAILED, "it says no"),
    "an-odd-name": (InvalidReference("bad"), Reason.INVALID_REFERENCE, "bad"),
    "a-defect": (
        ZeroDivisionError("secret"),
        Reason.INTERNAL_ERROR,
        "a defect of the operator; see its log for ",
    ),
}


@pytest.mark.parametrize(("error", "reason", "message"), ENDS.values(), ids=ENDS)
def test_what_a_transfer_raises_is_its_fault(
    error: Exception, reason: Reason, message: str
) -> None:
    async def scenario(bench: Bench) -> None:
        work = Work(error)
        work.go_on.set()
        bench.executor.sync("me", [transfer(work)])
        await until(lambda: bench.woken == ["me"])
        (ended,) = bench.executor.take_ended("me")
        assert ended.fault is not None
        assert ended.fault.reason is reason
        assert ended.fault.message.startswith(message)
        assert "secret" not in ended.fault.message

    tried(scenario)


def test_a_transfer_that_takes_too_long_is_cut_and_says_so() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        bench.executor.sync("me", [transfer(work)])
        while not bench.woken:
            await asyncio.sleep(1)  # an hour passes at once
        assert work.was_cut
        (ended,) = bench.executor.take_ended("me")
        assert ended.fault is not None
        assert ended.fault.reason is Reason.TIMEOUT
        assert "3600 s" in ended.fault.message

    tried(scenario, clock.run)


def test_a_dropped_owner_is_told_nothing() -> None:
    async def scenario(bench: Bench) -> None:
        done, going = Work(), Work()
        done.go_on.set()
        bench.executor.sync(
            "me", [transfer(done, "1"), transfer(going, "2", limits=("engine:b", "all"))]
        )
        await until(lambda: going.begun.is_set() and bench.woken == ["me"])
        bench.executor.drop("me")
        assert going.was_cut
        assert bench.executor.take_ended("me") == ()

    tried(scenario)


def test_closing_cuts_everything_and_waits_for_the_threads() -> None:
    async def scenario(bench: Bench) -> None:
        running, waiting = Work(), Work()
        bench.executor.sync("me", [transfer(running, "1"), transfer(waiting, "2")])
        await until(running.begun.is_set)
        await bench.executor.close()
        assert running.was_cut
        assert waiting.runs == 0
        assert bench.executor.running("me") == ()
        assert bench.woken == []
        assert bench.told == [("1", False)]

    tried(scenario)


def test_a_pass_that_ends_late_begins_nothing_after_the_close() -> None:
    async def scenario(bench: Bench) -> None:
        late = Work()
        await bench.executor.close()
        bench.executor.sync("me", [transfer(late)])
        await asyncio.sleep(0.01)
        assert bench.executor.running("me") == ()
        assert late.runs == 0

    tried(scenario)


def test_a_target_is_busy_while_a_transfer_names_it() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        named = transfer(work, ("deliver", "uid-1", "nginx"))
        bench.executor.sync("me", [named])
        assert bench.executor.is_busy_with("uid-1")
        assert not bench.executor.is_busy_with("uid-2")

    tried(scenario)


def test_what_the_owner_wants_again_after_a_cut_is_begun_anew() -> None:
    async def scenario(bench: Bench) -> None:
        first, second = Work(), Work()
        bench.executor.sync("me", [transfer(first)])
        await until(first.begun.is_set)
        bench.executor.sync("me", [])
        bench.executor.sync("me", [transfer(second)])  # the first has not let go yet
        await until(lambda: bench.woken == ["me"])
        assert bench.executor.take_ended("me") == ()
        bench.executor.sync("me", [transfer(second)])
        await until(second.begun.is_set)

    tried(scenario)


def test_nothing_is_kept_of_what_is_over() -> None:
    async def scenario(bench: Bench) -> None:
        work = Work()
        work.go_on.set()
        bench.executor.sync("me", [transfer(work, ("deliver", "uid-1"))])
        await until(lambda: bench.woken == ["me"])
        assert bench.executor.under_way() == ()
        assert not bench.executor.is_busy_with("uid-1")
        assert not bench.executor.uses("engine:a")
        bench.executor.drop("me")
        assert bench.executor.take_ended("me") == ()

    tried(scenario)
