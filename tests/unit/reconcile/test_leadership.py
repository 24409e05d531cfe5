"""The Lease kept, lost, doubted and given back, by a clock that stands still until it is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from cyroid_images.errors import ApiUnavailable
from cyroid_images.model.lease import Lease
from cyroid_images.reconcile.leadership import RELEASE_SECONDS, Leadership
from tests.unit.reconcile.clock import run, until

SECONDS = 0.035
"""Of the Lease, so that a renewal is due each 5 ms; the clock itself is ours."""


@dataclass(slots=True)
class FakeLeases:
    """One Lease with versions, as the API server keeps it; `is_away` and nobody answers.

    `errors` are raised one after the other instead; `hangs` and no call ever returns.
    """

    stored: Lease | None = None
    is_away: bool = False
    hangs: bool = False
    errors: list[Exception] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)

    async def lease(self) -> Lease | None:
        await self._fault()
        return self.stored

    async def put_lease(self, lease: Lease) -> Lease | None:
        await self._fault()
        if (self.stored.version if self.stored else "") != lease.version:
            return None
        self.writes.append(lease.holder)
        self.stored = replace(lease, version=f"{len(self.writes)}", renewed=f"{len(self.writes)}")
        return self.stored

    async def _fault(self) -> None:
        if self.is_away:
            raise ApiUnavailable("away")
        if self.hangs:
            await asyncio.Event().wait()
        if self.errors:
            raise self.errors.pop(0)


@dataclass(slots=True)
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def another(leases: FakeLeases, holder: str = "other") -> None:
    """Somebody else writes it."""
    version = leases.stored.version if leases.stored else ""
    leases.stored = Lease(holder, 1, "theirs", 1, f"{version}x", "uid")


async def kept(
    leadership: Leadership, condition: Callable[[], bool], lost: list[str] | None = None
) -> None:
    """Renew until it is so."""
    told = lost if lost is not None else []
    keeping = asyncio.create_task(leadership.keep(told.append))
    try:
        await until(condition)
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping


def test_a_free_lease_is_taken_and_renewed() -> None:
    async def scenario() -> None:
        leases, clock = FakeLeases(), Clock()
        leadership = Leadership(leases, "me", SECONDS, clock)
        assert not leadership.may_act()
        await leadership.take()
        assert leadership.may_act()
        await kept(leadership, lambda: len(leases.writes) > 3)
        await leadership.release()
        assert not leadership.may_act()
        assert leases.stored is not None
        assert leases.stored.holder == ""

    asyncio.run(scenario())


def test_who_comes_second_waits_until_the_record_stands_still() -> None:
    async def scenario() -> None:
        leases, clock = FakeLeases(), Clock()
        another(leases)
        leadership = Leadership(leases, "me", SECONDS, clock)
        taking = asyncio.create_task(leadership.take())
        await until(lambda: leadership.has_tried)
        clock.now = 0.9
        another(leases)  # a sign of life
        await asyncio.sleep(3 * SECONDS)
        clock.now = 1.8
        await asyncio.sleep(3 * SECONDS)
        assert not taking.done()
        assert not leadership.may_act()
        clock.now = 3.0
        await taking
        assert leases.stored is not None
        assert (leases.stored.holder, leases.stored.transitions) == ("me", 2)

    asyncio.run(scenario())


def test_a_lease_in_doubt_lets_nothing_be_written_until_it_is_read_again() -> None:
    async def scenario() -> None:
        leases, clock = FakeLeases(), Clock()
        leadership = Leadership(leases, "me", SECONDS, clock)
        await leadership.take()
        leases.is_away = True
        clock.now = SECONDS
        assert not leadership.may_act()
        leases.is_away = False
        lost: list[str] = []
        await kept(leadership, leadership.may_act, lost)
        assert lost == []

    asyncio.run(scenario())


def test_a_lease_is_given_back_though_a_renewal_that_was_cut_had_arrived() -> None:
    async def scenario() -> None:
        leases = FakeLeases()
        leadership = Leadership(leases, "me", SECONDS, Clock())
        await leadership.take()
        assert leases.stored is not None
        leases.stored = replace(leases.stored, version="renewed, and nobody heard the answer")
        await leadership.release()
        assert leases.stored.holder == ""

    asyncio.run(scenario())


@pytest.mark.parametrize("age", [0.0, 99.0])
def test_who_sees_another_holder_ends_and_writes_nothing(age: float) -> None:
    async def scenario() -> None:
        leases, clock = FakeLeases(), Clock()
        leadership = Leadership(leases, "me", SECONDS, clock)
        await leadership.take()
        another(leases)
        clock.now = age
        lost: list[str] = []
        await kept(leadership, lambda: lost == ["other"], lost)
        assert not leadership.may_act()
        assert leases.writes == ["me"]
        await leadership.release()
        assert leases.stored is not None
        assert leases.stored.holder == "other"

    asyncio.run(scenario())


def test_a_lease_that_somebody_deletes_is_made_again() -> None:
    async def scenario() -> None:
        leases = FakeLeases()
        leadership = Leadership(leases, "me", SECONDS, Clock())
        await leadership.take()
        leases.stored = None
        lost: list[str] = []
        await kept(leadership, lambda: leases.stored is not None, lost)
        assert lost == []

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "error",
    [RuntimeError("exec plugin"), KeyError("metadata"), TypeError(), ApiUnavailable("429")],
    ids=lambda error: type(error).__name__,
)
def test_b6_whatever_a_renewal_raises_the_next_one_is_tried(error: Exception) -> None:
    async def scenario() -> None:
        leases = FakeLeases()
        leadership = Leadership(leases, "me", SECONDS, Clock())
        await leadership.take()
        leases.errors = [error, error]
        lost: list[str] = []
        await kept(leadership, lambda: not leases.errors and len(leases.writes) > 2, lost)
        assert lost == []

    asyncio.run(scenario())


def test_the_age_is_that_of_the_last_renewal_while_it_is_ours() -> None:
    async def scenario() -> None:
        leases, clock = FakeLeases(), Clock()
        leadership = Leadership(leases, "me", SECONDS, clock)
        clock.now = 5.0
        assert leadership.age() == 0.0
        await leadership.take()
        clock.now = 12.0
        assert leadership.age() == 7.0
        await leadership.release()
        assert leadership.age() == 0.0

    asyncio.run(scenario())


def test_b20_an_api_server_that_hangs_does_not_hold_who_gives_it_back() -> None:
    async def scenario() -> None:
        leases = FakeLeases()
        leadership = Leadership(leases, "me", 35.0)
        await leadership.take()
        leases.hangs = True
        loop = asyncio.get_running_loop()
        began = loop.time()
        await leadership.release()
        assert loop.time() - began == pytest.approx(RELEASE_SECONDS)
        assert not leadership.may_act()

    run(scenario())
