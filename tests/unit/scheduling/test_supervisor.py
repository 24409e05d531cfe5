"""No task that must run for ever ends unseen (B6)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from cyroid_images.scheduling.supervisor import Supervisor
from tests.unit.reconcile.clock import run, settled


async def raises() -> None:
    raise KeyError("spec")


async def returns() -> None:
    return


async def cancels_itself() -> None:
    raise asyncio.CancelledError


async def runs() -> None:
    await asyncio.Event().wait()


async def outlives_one_cancellation() -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await asyncio.Event().wait()


def supervised(scenario: Callable[[Supervisor, list[str]], Awaitable[None]]) -> list[str]:
    """What `failed` was told."""
    told: list[str] = []

    async def main() -> None:
        await scenario(Supervisor(told.append), told)

    run(main())
    return told


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        (raises, "KeyError: 'spec'"),
        (returns, "it returned"),
        (cancels_itself, "it was cancelled"),
    ],
)
def test_b6_a_task_that_ends_is_told_whatever_the_way(
    work: Callable[[], Coroutine[Any, Any, None]], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(supervisor: Supervisor, told: list[str]) -> None:
        supervisor.start("keeper", work())
        await settled(lambda: bool(told))

    assert supervised(scenario) == [f"keeper: {reason}"]
    (line,) = caplog.records
    assert (line.levelname, line.getMessage()) == ("ERROR", f"task keeper ended: {reason}")
    assert (line.exc_info is not None) == (work is raises)


def test_the_first_death_is_told_and_each_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(supervisor: Supervisor, told: list[str]) -> None:
        supervisor.start("one", returns())
        supervisor.start("two", raises())
        await settled(lambda: len(caplog.records) == 2 and bool(told))

    assert supervised(scenario) == ["one: it returned"]


def test_our_own_stop_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(supervisor: Supervisor, _: list[str]) -> None:
        task = supervisor.start("worker", runs())
        await asyncio.sleep(0)
        await supervisor.stop(5)
        assert task.cancelled()

    assert supervised(scenario) == []
    assert caplog.records == []


def test_nothing_begins_after_the_stop() -> None:
    async def scenario(supervisor: Supervisor, _: list[str]) -> None:
        await supervisor.stop(5)
        late = supervisor.start("late", runs())
        await asyncio.wait({late})
        assert late.cancelled()

    assert supervised(scenario) == []


def test_a_task_that_does_not_stop_holds_nobody(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(supervisor: Supervisor, _: list[str]) -> None:
        task = supervisor.start("deaf", outlives_one_cancellation())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await supervisor.stop(5)
        assert loop.time() - began == pytest.approx(5)
        assert not task.done()

    assert supervised(scenario) == []
    assert "task deaf has not ended 5 s after its stop" in caplog.text
