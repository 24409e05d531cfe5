"""Who makes no real progress loses its turn while others wait, and holds up nobody (B5, S4)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.execute.executor import (
    CHECK_SECONDS,
    LEAST_BYTES,
    TURN_SECONDS,
    UNPACK_SECONDS,
    Executor,
)
from cyroid_images.execute.transfer import Job, Transfer
from cyroid_images.model.telemetry.progress import Progress, ProgressObserver
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.scheduling.fair_turns import Limit
from cyroid_images.scheduling.threads import Threads
from tests.unit.reconcile import clock
from tests.unit.reconcile.clock import pass_time, spun

PATIENCE = 10.0
LIMITS = {"pulls": Limit.halved(4), "bytes": Limit.halved(4), "engine": Limit.whole(2)}
SIZE = 100 * LEAST_BYTES


@dataclass(slots=True)
class Engine:
    """Takes an image and tells what a test has it tell, until the test or a cut lets it end."""

    observer: ProgressObserver | None = None
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, scope: CancelScope, observer: ProgressObserver) -> None:
        self.observer = observer
        scope.attach(self.go_on.set)
        assert self.go_on.wait(PATIENCE)
        scope.raise_if_cancelled()

    @property
    def has_begun(self) -> bool:
        return self.observer is not None

    def tell(self, done: int, total: int | None = None) -> None:
        assert self.observer is not None
        self.observer(Progress(done, total))


@dataclass(slots=True)
class Bench:
    executor: Executor
    woken: list[Hashable] = field(default_factory=list)

    def want(
        self, engine: Engine, name: str, *, party: str = "a", kind: str = "pulls", size: int = SIZE
    ) -> Job:
        """One transfer into an engine of its own, for an owner of this name."""
        limits = (f"engine:{name}", kind)
        wanted = Transfer(("deliver", name), name, 1, party, limits, engine, 1e9, size)
        self.executor.sync(name, [wanted])
        (job,) = self.executor.running(name)
        return job

    def fault_of(self, name: str) -> str | None:
        """Why the transfer of this owner ended, if it has."""
        ended = self.executor.take_ended(name)
        return ended[0].fault.message if ended and ended[0].fault else None


def tried(scenario: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        woken = list[Hashable]()
        threads = Threads("test", 8, share=8)
        executor = Executor(threads, LIMITS, woken.append)
        try:
            await scenario(Bench(executor, woken))
        finally:
            await executor.close()
            threads.close()

    clock.run(whole())


async def two_hung(bench: Bench) -> tuple[Engine, Engine]:
    """Two engines that take an image and tell nothing: all that one namespace may have."""
    hung = Engine(), Engine()
    for engine, name in zip(hung, ("h1", "h2"), strict=True):
        bench.want(engine, name)
    await spun(lambda: all(each.has_begun for each in hung))
    return hung


def test_b5_two_hung_engines_hold_up_no_other_namespace_and_no_push() -> None:
    async def scenario(bench: Bench) -> None:
        await two_hung(bench)
        other, push = Engine(), Engine()
        bench.want(other, "other", party="b")
        bench.want(push, "push", kind="bytes")
        await spun(lambda: other.has_begun and push.has_begun)

    tried(scenario)


def test_b5_two_hung_engines_hold_up_their_own_namespace_for_one_turn_only() -> None:
    async def scenario(bench: Bench) -> None:
        await two_hung(bench)
        third = Engine()
        bench.want(third, "third")
        pass_time(TURN_SECONDS - 1)
        bench.executor.check_turns()
        assert not third.has_begun
        pass_time(1)
        bench.executor.check_turns()
        await spun(lambda: third.has_begun and len(bench.woken) == 2)
        for name in ("h1", "h2"):
            assert bench.fault_of(name) == "no progress for 30 s while others wait; will retry"

    tried(scenario)


def test_who_keeps_nobody_waiting_may_take_its_time() -> None:
    async def scenario(bench: Bench) -> None:
        hung = await two_hung(bench)
        pass_time(100 * TURN_SECONDS)
        bench.executor.check_turns()
        await asyncio.sleep(0)
        assert not any(each.go_on.is_set() for each in hung)

    tried(scenario)


def test_s4_a_line_now_and_then_is_no_progress() -> None:
    async def scenario(bench: Bench) -> None:
        hung = await two_hung(bench)
        third = Engine()
        bench.want(third, "third")
        for second in range(int(TURN_SECONDS)):
            for each in hung:
                each.tell(second)
            pass_time(1)
            bench.executor.check_turns()
        await spun(lambda: third.has_begun)

    tried(scenario)


def test_real_progress_keeps_its_place() -> None:
    async def scenario(bench: Bench) -> None:
        hung, third = await two_hung(bench), Engine()
        bench.want(third, "third")
        for turn in range(1, 6):
            for each in hung:
                each.tell(turn * LEAST_BYTES, SIZE)
            pass_time(TURN_SECONDS - 1)
            bench.executor.check_turns()
        await asyncio.sleep(0)
        assert not third.has_begun

    tried(scenario)


def test_s4_what_an_engine_claims_beyond_the_size_is_no_progress() -> None:
    async def scenario(bench: Bench) -> None:
        liars, third = (Engine(), Engine()), Engine()
        for engine, name in zip(liars, ("l1", "l2"), strict=True):
            bench.want(engine, name, size=LEAST_BYTES)
        await spun(lambda: all(each.has_begun for each in liars))
        bench.want(third, "third")
        for check in range(int(UNPACK_SECONDS / CHECK_SECONDS) + 2):
            for each in liars:
                each.tell((check + 2) * LEAST_BYTES, 10**15)
            bench.executor.check_turns()
            pass_time(CHECK_SECONDS)
        await spun(lambda: third.has_begun)

    tried(scenario)


def test_an_engine_is_given_time_to_unpack_once_every_byte_is_there() -> None:
    async def scenario(bench: Bench) -> None:
        hung, third = await two_hung(bench), Engine()
        bench.want(third, "third")
        for each in hung:
            each.tell(SIZE, SIZE)
        bench.executor.check_turns()
        pass_time(UNPACK_SECONDS - 1)
        bench.executor.check_turns()
        await asyncio.sleep(0)
        assert not third.has_begun
        pass_time(1)
        bench.executor.check_turns()
        await spun(lambda: third.has_begun)

    tried(scenario)


def test_the_turns_are_kept_without_anybody_asking() -> None:
    async def scenario(bench: Bench) -> None:
        await two_hung(bench)
        third = Engine()
        bench.want(third, "third")
        keeping = asyncio.create_task(bench.executor.keep_turns())
        await asyncio.sleep(TURN_SECONDS + CHECK_SECONDS)
        await spun(lambda: third.has_begun)
        keeping.cancel()

    tried(scenario)


def test_s4_what_lost_its_turn_is_told_as_a_timeout_and_may_be_tried_again() -> None:
    async def scenario(bench: Bench) -> None:
        await two_hung(bench)
        bench.want(Engine(), "third")
        pass_time(TURN_SECONDS)
        bench.executor.check_turns()
        await spun(lambda: len(bench.woken) == 2)
        (ended,) = bench.executor.take_ended("h1")
        assert ended.fault is not None
        assert ended.fault.reason is Reason.TIMEOUT
        again = Engine()
        bench.want(again, "h1")
        await spun(lambda: again.has_begun)

    tried(scenario)
