"""The queue of keys: once each, the earliest moment wins, one pass at a time."""

from __future__ import annotations

import asyncio
import weakref

from cyroid_images.scheduling.rate_limiter import RateLimiter
from cyroid_images.scheduling.work_queue import MANY_LIMITERS, WorkQueue
from tests.unit.reconcile.clock import BEGIN, run, settled


def test_a_key_that_is_woken_often_waits_once() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        for _ in range(3):
            queue.wake("a")
        assert len(queue) == 1
        assert await queue.take() == "a"
        assert len(queue) == 0

    run(scenario())


def test_keys_come_in_the_order_of_their_moments() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.wake("late", after=20)
        queue.wake("soon", after=10)
        queue.wake("now")
        assert [await queue.take() for _ in range(3)] == ["now", "soon", "late"]
        assert queue.time() >= BEGIN + 20

    run(scenario())


def test_the_earlier_of_two_moments_wins_whichever_came_first() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.wake("a", after=300)
        queue.wake("a")
        queue.wake("b")
        queue.wake("b", after=300)
        assert {await queue.take(), await queue.take()} == {"a", "b"}
        assert queue.time() == BEGIN
        assert len(queue) == 0

    run(scenario())


def test_a_superseded_moment_gives_no_second_pass() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.wake("a", after=10)
        queue.wake("a")
        assert await queue.take() == "a"
        queue.done("a")
        queue.wake("b", after=20)
        assert await queue.take() == "b"

    run(scenario())


def test_a_key_that_is_woken_while_it_runs_is_worked_on_afterwards() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.wake("a")
        assert await queue.take() == "a"
        queue.wake("a")
        again = asyncio.create_task(queue.take())
        queue.wake("b")
        assert await again == "b"  # nobody waits behind a key that runs
        again = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        assert not again.done()
        queue.done("a")
        assert await again == "a"

    run(scenario())


def test_a_worker_that_waits_for_a_late_key_takes_an_earlier_one() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.wake("late", after=60)
        worker = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        queue.wake("now")
        assert await worker == "now"

    run(scenario())


def test_several_workers_share_the_keys() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        workers = [asyncio.create_task(queue.take()) for _ in range(3)]
        await asyncio.sleep(0)
        for key in "abc":
            queue.wake(key)
        await settled(lambda: all(worker.done() for worker in workers))
        assert sorted(worker.result() for worker in workers) == ["a", "b", "c"]

    run(scenario())


def test_what_is_forgotten_does_not_come() -> None:
    async def scenario() -> None:
        queue = WorkQueue[str]()
        queue.wake("gone", after=1)
        queue.forget("gone")
        queue.forget("never there")
        queue.wake("a", after=2)
        assert await queue.take() == "a"

    run(scenario())


def limited() -> WorkQueue[str]:
    """Of each key two passes at once, then one a second."""
    return WorkQueue[str](lambda _: RateLimiter(1.0, 2))


async def passed(queue: WorkQueue[str], times: int) -> list[tuple[str, float]]:
    """The next passes, each over at once: of which key, and how long after the start."""
    found = []
    for _ in range(times):
        key = await queue.take()
        queue.done(key)
        found.append((key, queue.time() - BEGIN))
    return found


def test_s2_a_key_that_is_woken_by_each_of_its_passes_is_slowed_down() -> None:
    async def scenario() -> None:
        queue, moments = limited(), []
        for _ in range(4):
            queue.wake("busy")
            moments += await passed(queue, 1)
        assert [round(moment) for _, moment in moments] == [0, 0, 1, 2]

    run(scenario())


def test_a_key_that_is_slowed_down_slows_no_other() -> None:
    async def scenario() -> None:
        queue = limited()
        for _ in range(2):
            queue.wake("busy")
            await passed(queue, 1)
        queue.wake("busy")
        queue.wake("calm")
        assert [(key, round(at)) for key, at in await passed(queue, 2)] == [
            ("calm", 0),
            ("busy", 1),
        ]

    run(scenario())


def test_wakes_while_a_key_waits_for_its_turn_take_no_further_turns() -> None:
    async def scenario() -> None:
        queue = limited()
        for _ in range(2):
            queue.wake("busy")
            await passed(queue, 1)
        queue.wake("busy")
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        for _ in range(5):
            queue.wake("busy")
        assert await waiting == "busy"
        assert round(queue.time() - BEGIN) == 1
        assert len(queue) == 0

    run(scenario())


def test_a_key_that_waits_for_its_turn_can_be_forgotten() -> None:
    async def scenario() -> None:
        queue = limited()
        for _ in range(2):
            queue.wake("gone")
            await passed(queue, 1)
        queue.wake("gone")
        waiting = asyncio.create_task(queue.take())
        await asyncio.sleep(0)
        queue.forget("gone")
        queue.wake("gone")  # made anew: its own first pass
        assert await waiting == "gone"
        assert queue.time() == BEGIN

    run(scenario())


def test_keys_that_come_and_go_are_not_remembered_for_ever() -> None:
    """Each rate limiter is made once; those that have rested are made anew."""

    async def scenario() -> None:
        made: list[RateLimiter] = []

        def make(_: str) -> RateLimiter:
            made.append(RateLimiter(1.0, 2))
            return made[-1]

        queue = WorkQueue[str](make)
        alive = weakref.WeakSet[RateLimiter]()
        for number in range(5 * MANY_LIMITERS):
            queue.wake(f"key {number}", after=0.01)
            await passed(queue, 1)
            alive.add(made.pop())
        assert len(alive) <= MANY_LIMITERS + 200

    run(scenario())
