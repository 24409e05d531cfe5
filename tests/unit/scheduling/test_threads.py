"""Blocking calls in threads: bounded, in fair turns, and a hung one holds up no exit."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from cyroid_images.scheduling.computing import Computing, step_aside
from cyroid_images.scheduling.threads import FRESH_SECONDS, MOST_FRESH, Threads
from tests.unit.reconcile import clock
from tests.unit.reconcile.clock import pass_time, spun

PATIENCE = 10.0


@dataclass(slots=True)
class Call:
    """A blocking call that a test lets end."""

    error: BaseException | None = None
    begun: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    def __call__(self) -> str:
        self.thread = threading.current_thread()
        self.begun.set()
        assert self.go_on.wait(PATIENCE)
        if self.error is not None:
            raise self.error
        return "result"


Scenario = Callable[[Threads], Coroutine[Any, Any, None]]


def tried(scenario: Scenario, size: int = 4, share: int | None = None) -> None:
    async def whole() -> None:
        threads = Threads("test", size, share=share)
        try:
            await scenario(threads)
        finally:
            threads.close()

    clock.run(whole())


def begin(threads: Threads, call: Call, party: str = "") -> asyncio.Task[str]:
    return asyncio.create_task(threads.run(call, party))


def begun(calls: list[Call]) -> int:
    return sum(each.begun.is_set() for each in calls)


def test_the_result_or_the_exception_comes_back() -> None:
    async def scenario(threads: Threads) -> None:
        good, bad = Call(), Call(ZeroDivisionError("odd"))
        good.go_on.set()
        bad.go_on.set()
        assert await threads.run(good) == "result"
        with pytest.raises(ZeroDivisionError, match="odd"):
            await threads.run(bad)

    tried(scenario)


def test_no_more_run_at_a_time_than_there_are_threads() -> None:
    async def scenario(threads: Threads) -> None:
        calls = [Call() for _ in range(5)]
        tasks = [begin(threads, call) for call in calls]
        await spun(lambda: begun(calls) == 2)
        calls[0].go_on.set()
        await spun(lambda: begun(calls) == 3 and tasks[0].done())
        assert not calls[4].begun.is_set()
        for call in calls:
            call.go_on.set()
        assert await asyncio.gather(*tasks) == ["result"] * 5
        assert len({call.thread for call in calls}) == 2  # they are used again

    tried(scenario, size=2, share=2)


def test_s5_one_party_leaves_half_of_the_threads_to_others() -> None:
    async def scenario(threads: Threads) -> None:
        greedy, late = [Call() for _ in range(9)], Call()
        tasks = [begin(threads, call, "greedy") for call in greedy]
        await spun(lambda: begun(greedy) == 2)
        tasks.append(begin(threads, late, "late"))
        await spun(late.begun.is_set)
        assert begun(greedy) == 2
        for call in (*greedy, late):
            call.go_on.set()
        await asyncio.gather(*tasks)

    tried(scenario)


def test_few_calls_begin_at_once_and_those_that_wait_for_others_hold_up_nobody() -> None:
    async def scenario(threads: Threads) -> None:
        calls = [Call() for _ in range(3 * MOST_FRESH)]
        tasks = [begin(threads, call) for call in calls]
        await spun(lambda: begun(calls) == MOST_FRESH)
        pass_time(FRESH_SECONDS / 2)
        await asyncio.sleep(0)
        assert begun(calls) == MOST_FRESH
        calls[0].go_on.set()
        await spun(tasks[0].done)
        await spun(lambda: begun(calls) == MOST_FRESH + 1)
        pass_time(FRESH_SECONDS)
        await spun(lambda: begun(calls) >= 2 * MOST_FRESH)
        pass_time(2 * FRESH_SECONDS)
        await spun(lambda: begun(calls) == len(calls))
        for call in calls:
            call.go_on.set()
        await asyncio.gather(*tasks)

    tried(scenario, size=64, share=64)


def test_calls_compute_in_turns_where_places_are_given() -> None:
    computing, began = (
        Computing(places=1, patience=10 * PATIENCE),
        threading.Event(),
    )

    def aside() -> str:
        step_aside()
        began.set()
        return "aside"

    async def whole() -> None:
        threads = Threads("test", 4, computing=computing)
        first, second = Call(), Call()
        tasks = [begin(threads, first)]
        await spun(first.begun.is_set)
        tasks += [begin(threads, second), asyncio.create_task(threads.run(aside))]
        for _ in range(1000):
            await asyncio.sleep(0)
        assert not second.begun.is_set()
        assert not began.is_set()
        for call in (first, second):
            call.go_on.set()
        assert sorted(await asyncio.gather(*tasks)) == ["aside", "result", "result"]
        threads.close()

    clock.run(whole())


def test_a_waiter_that_is_cancelled_before_its_turn_never_runs() -> None:
    async def scenario(threads: Threads) -> None:
        first, second, third = Call(), Call(), Call()
        tasks = [begin(threads, call) for call in (first, second, third)]
        await spun(first.begun.is_set)
        tasks[1].cancel()
        await spun(tasks[1].done)
        first.go_on.set()
        await spun(third.begun.is_set)
        assert not second.begun.is_set()
        third.go_on.set()
        await asyncio.gather(tasks[0], tasks[2])

    tried(scenario, size=1)


def test_a_call_whose_waiter_is_gone_holds_its_place_until_it_ends() -> None:
    async def scenario(threads: Threads) -> None:
        hung, after = Call(), Call()
        task = begin(threads, hung)
        await spun(hung.begun.is_set)
        task.cancel()
        await spun(task.done)
        again = begin(threads, after)
        await asyncio.sleep(0)
        assert not after.begun.is_set()
        hung.go_on.set()
        after.go_on.set()
        assert await again == "result"

    tried(scenario, size=1)


def test_all_threads_in_the_same_calls_for_too_long_are_stuck() -> None:
    async def scenario(threads: Threads) -> None:
        calls = [Call(), Call()]
        tasks = [begin(threads, calls[0])]
        await spun(calls[0].begun.is_set)
        pass_time(100)
        assert not threads.is_stuck(50)  # the other one is free
        tasks.append(begin(threads, calls[1]))
        await spun(calls[1].begun.is_set)
        assert not threads.is_stuck(50)
        pass_time(100)
        assert threads.is_stuck(50)
        calls[0].go_on.set()
        await spun(tasks[0].done)
        assert not threads.is_stuck(50)
        calls[1].go_on.set()
        await tasks[1]
        assert not threads.is_stuck(0)

    tried(scenario, size=2, share=2)


@pytest.mark.slow
def test_b20_a_hung_call_holds_no_exit() -> None:
    """In a process of its own: its only call never returns."""
    program = """
import asyncio, threading
from cyroid_images.scheduling.threads import Threads

async def main():
    threads, begun = Threads("test", 1), threading.Event()
    asyncio.create_task(threads.run(lambda: (begun.set(), threading.Event().wait())))
    await asyncio.sleep(0)
    begun.wait()
    threads.close()

asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
