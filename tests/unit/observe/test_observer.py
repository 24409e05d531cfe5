"""Looks at engines: shared, not waited for long, and a late answer reaches who asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.reconcile.looks import LATE_SECONDS, NOT_YET, Looks
from cyroid_images.reconcile.pool import Pool
from tests.unit.plan.examples import content, fault, target, view
from tests.unit.reconcile import clock
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.fakes import FakeEngines

ONE, TWO = target(1).endpoint, target(2).endpoint
SHOWN = view({"nginx:1.25": content()})
PATIENCE = 5.0


@dataclass(slots=True)
class Slow:
    """An engine that answers when the test lets it."""

    shown: EngineView = SHOWN
    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> EngineView:
        assert self.go_on.wait(PATIENCE)
        return self.shown


@dataclass(slots=True)
class Bench:
    engines: FakeEngines
    looks: Looks[EngineEndpoint, EngineView]
    woken: list[Hashable]


Scenario = Callable[[Bench], Coroutine[Any, Any, None]]


def tried(scenario: Scenario, run: Callable[..., Any] = asyncio.run) -> None:
    async def whole() -> None:
        pool, engines, woken = Pool("test", 4), FakeEngines(), list[Hashable]()
        try:
            await scenario(Bench(engines, Looks(engines.look, pool, woken.append), woken))
        finally:
            pool.close()

    run(whole())


def test_each_engine_is_asked_once_and_told_apart() -> None:
    async def scenario(bench: Bench) -> None:
        bench.engines.views[ONE.url] = SHOWN
        seen = await bench.looks.at("me", [ONE, TWO, ONE])
        assert seen == {ONE: SHOWN, TWO: fault(Reason.ENGINE_UNREACHABLE, "refused")}
        assert sorted(bench.engines.looks) == [ONE.url, TWO.url]
        assert bench.woken == []

    tried(scenario)


def test_nobody_to_ask_is_no_question() -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.looks.at("me", []) == {}

    tried(scenario)


def test_two_that_ask_at_once_share_a_look() -> None:
    async def scenario(bench: Bench) -> None:
        slow = Slow()
        bench.engines.views[ONE.url] = slow
        both = [asyncio.create_task(bench.looks.at(owner, [ONE])) for owner in "ab"]
        await until(lambda: bench.engines.looks != [])
        slow.go_on.set()
        assert [await each for each in both] == [{ONE: SHOWN}, {ONE: SHOWN}]
        assert bench.engines.looks == [ONE.url]

    tried(scenario)


def test_the_next_pass_asks_anew() -> None:
    async def scenario(bench: Bench) -> None:
        bench.engines.views[ONE.url] = SHOWN
        await bench.looks.at("me", [ONE])
        bench.engines.views[ONE.url] = view()
        assert await bench.looks.at("me", [ONE]) == {ONE: view()}

    tried(scenario)


def test_a_late_answer_wakes_who_asked_and_is_used_by_the_next_pass() -> None:
    async def scenario(bench: Bench) -> None:
        slow = Slow()
        bench.engines.views[ONE.url] = slow
        assert await bench.looks.at("me", [ONE]) == {ONE: NOT_YET}
        assert bench.woken == []
        slow.go_on.set()
        await until(lambda: bench.woken == ["me"])
        assert await bench.looks.at("me", [ONE]) == {ONE: SHOWN}
        assert len(bench.engines.looks) == 1

    tried(scenario, clock.run)


def test_a_late_answer_that_nobody_took_in_time_is_not_used() -> None:
    async def scenario(bench: Bench) -> None:
        slow = Slow()
        bench.engines.views[ONE.url] = slow
        await bench.looks.at("me", [ONE])
        slow.go_on.set()
        await until(lambda: bench.woken == ["me"])
        clock.pass_time(LATE_SECONDS + 1)
        bench.engines.views[ONE.url] = anew = Slow(view())
        asked = asyncio.create_task(bench.looks.at("me", [ONE]))
        anew.go_on.set()
        assert (await asked)[ONE] in (NOT_YET, view())
        await until(lambda: len(bench.engines.looks) == 2)

    tried(scenario, clock.run)


def test_an_engine_that_hangs_is_not_asked_twice_at_a_time() -> None:
    async def scenario(bench: Bench) -> None:
        slow = Slow()
        bench.engines.views[ONE.url] = slow
        for _ in range(3):
            assert await bench.looks.at("me", [ONE]) == {ONE: NOT_YET}
        assert len(bench.engines.looks) == 1
        slow.go_on.set()
        await until(lambda: bench.woken == ["me"])

    tried(scenario, clock.run)


def test_a_pass_that_waited_for_another_engine_leaves_a_newer_look_alone() -> None:
    async def scenario(bench: Bench) -> None:
        first, second, newer = Slow(), Slow(), Slow(view())
        bench.engines.views.update({ONE.url: first, TWO.url: second})
        patient = asyncio.create_task(bench.looks.at("patient", [ONE, TWO]))
        await until(lambda: len(bench.engines.looks) == 2)
        bench.engines.views[ONE.url] = newer
        alone = asyncio.create_task(bench.looks.at("alone", [ONE]))
        await asyncio.sleep(0)
        first.go_on.set()
        assert await alone == {ONE: SHOWN}
        others = [asyncio.create_task(bench.looks.at("b", [ONE]))]
        await until(lambda: len(bench.engines.looks) == 3)
        second.go_on.set()
        assert (await patient)[ONE] == SHOWN
        others.append(asyncio.create_task(bench.looks.at("c", [ONE])))
        await asyncio.sleep(0)
        newer.go_on.set()
        assert [await each for each in others] == [{ONE: view()}] * 2
        assert len(bench.engines.looks) == 3

    tried(scenario)
