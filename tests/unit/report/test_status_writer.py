"""When a status is written, how often, and which turns are told as events."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from cyroid_images.errors import ApiUnavailable, Reason, StatusConflict, StatusRejected
from cyroid_images.model.conditions import Verdict, rfc3339, set_conditions
from cyroid_images.model.status import RangeImagesStatus
from cyroid_images.store.keys import Key, Kind
from cyroid_images.reconcile.reporter import (
    AGAIN_SECONDS,
    PROGRESS_SECONDS,
    REJECTED_SECONDS,
    Reporter,
)
from cyroid_images.reconcile.world import World
from tests.unit.plan.examples import NOW, range_body
from tests.unit.reconcile import clock
from tests.unit.reconcile.fakes import FakeCluster

KEY = Key(Kind.RANGE_IMAGES, "default", "r")


def told(
    kind: str, status: str, reason: Reason, message: str = "a message", at: datetime = NOW
) -> RangeImagesStatus:
    verdict: Any = Verdict(kind, status, reason, message)  # type: ignore[arg-type] # as text
    return RangeImagesStatus(conditions=set_conditions((), [verdict], generation=3, now=at))


NOTHING = RangeImagesStatus()
READY = told("Ready", "True", Reason.ALL_IMAGES_PRESENT)


def moving(amount: str) -> RangeImagesStatus:
    return told("Ready", "False", Reason.PROGRESSING, amount)


@dataclass(slots=True)
class Desk:
    """A reporter of one range."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    world: World = field(default_factory=World)
    reporter: Reporter = field(init=False)

    def __post_init__(self) -> None:
        self.reporter = Reporter(self.cluster, self.world)
        self.world.changed(Kind.RANGE_IMAGES, None, range_body())

    async def report(self, before: RangeImagesStatus, after: RangeImagesStatus) -> float | None:
        metadata = self.world.ranges[KEY].metadata
        return await self.reporter.report(KEY, metadata, before, after)


def test_an_equal_status_is_never_written() -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.report(READY, READY.model_copy()) is None
        assert desk.cluster.statuses == []

    clock.run(scenario(Desk()))


def test_a_status_is_written_with_the_version_that_was_read_and_is_known_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.report(NOTHING, READY) is None
        assert desk.cluster.statuses == [(KEY, "10", READY.to_document())]
        held = desk.world.ranges[KEY]
        assert (held.metadata.resource_version, held.status) == ("11", READY)

    clock.run(scenario(Desk()))


def test_progress_is_written_every_five_seconds_at_most() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.report(NOTHING, moving("1 MiB"))
        clock.pass_time(2)
        assert await desk.report(moving("1 MiB"), moving("2 MiB")) == PROGRESS_SECONDS - 2
        assert len(desk.cluster.statuses) == 1
        clock.pass_time(3)
        assert await desk.report(moving("1 MiB"), moving("3 MiB")) is None
        assert len(desk.cluster.statuses) == 2

    clock.run(scenario(Desk()))


def test_a_turn_is_written_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.report(NOTHING, moving("1 MiB"))
        assert await desk.report(moving("1 MiB"), READY) is None
        assert len(desk.cluster.statuses) == 2

    clock.run(scenario(Desk()))


@pytest.mark.parametrize("error", [StatusConflict("edited"), ApiUnavailable("away")])
def test_what_could_not_be_written_is_tried_again_soon(error: Exception) -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(error)
        assert await desk.report(NOTHING, READY) == AGAIN_SECONDS
        assert desk.world.ranges[KEY].status == NOTHING
        assert desk.cluster.notes == []
        assert await desk.report(NOTHING, READY) is None

    clock.run(scenario(Desk()))


@pytest.mark.row("K1")
def test_what_turned_while_the_api_was_away_is_told_with_the_time_at_which_it_turned() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors += [ApiUnavailable("away")] * 2
        later = NOW + timedelta(minutes=5)
        for status in (READY, told("Ready", "True", Reason.ALL_IMAGES_PRESENT, "words", later)):
            assert await desk.report(NOTHING, status) == AGAIN_SECONDS
        await desk.report(NOTHING, told("Ready", "True", Reason.ALL_IMAGES_PRESENT, "all", later))
        ((_, _, written),) = desk.cluster.statuses
        (condition,) = written["conditions"]
        assert condition["message"] == "all"
        assert condition["lastTransitionTime"] == rfc3339(NOW)
        assert len(desk.cluster.notes) == 1

    clock.run(scenario(Desk()))


def test_what_an_object_before_it_was_about_to_say_is_nothing_of_the_new_one() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(ApiUnavailable("away"))
        await desk.report(NOTHING, READY)
        body = range_body()
        body["metadata"]["uid"] = "another"
        desk.world.changed(Kind.RANGE_IMAGES, "ADDED", body)
        later = NOW + timedelta(minutes=5)
        await desk.report(NOTHING, told("Ready", "True", Reason.ALL_IMAGES_PRESENT, at=later))
        ((_, _, written),) = desk.cluster.statuses
        assert written["conditions"][0]["lastTransitionTime"] == rfc3339(later)

    clock.run(scenario(Desk()))


def test_a_refused_status_is_a_warning_and_left_alone() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(StatusRejected("spec: no"))
        assert await desk.report(NOTHING, READY) == REJECTED_SECONDS
        (note,) = desk.cluster.notes
        assert (note.reason, note.type) == (Reason.STATUS_REJECTED, "Warning")

    clock.run(scenario(Desk()))


def test_a_gone_object_is_no_news() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.gone = True
        assert await desk.report(NOTHING, READY) is None
        assert desk.cluster.notes == []
        assert desk.world.ranges[KEY].metadata.resource_version == "10"

    clock.run(scenario(Desk()))


def test_what_is_forgotten_may_be_written_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.report(NOTHING, moving("1 MiB"))
        desk.reporter.forget(KEY)
        assert await desk.report(moving("1 MiB"), moving("2 MiB")) is None

    clock.run(scenario(Desk()))


DOWN = told("RegistryAvailable", "False", Reason.REGISTRY_UNREACHABLE)
UP = told("RegistryAvailable", "True", Reason.AVAILABLE)
UNASKED = told("RegistryAvailable", "Unknown", Reason.PROGRESSING)
TURNS: dict[str, tuple[RangeImagesStatus, RangeImagesStatus, list[tuple[str, str]]]] = {
    "ready": (moving("1 MiB"), READY, [("AllImagesPresent", "Normal")]),
    "not-ready-any-more": (READY, moving("1 MiB"), []),
    "the-first-look": (NOTHING, moving("first look"), []),
    "the-registry-went": (UP, DOWN, [("RegistryUnreachable", "Warning")]),
    "the-registry-is-back": (DOWN, UP, [("RegistryRecovered", "Normal")]),
    "the-registry-answers-the-first-time": (UNASKED, UP, []),
    "only-the-words-changed": (
        DOWN, told("RegistryAvailable", "False", Reason.REGISTRY_UNREACHABLE, "other words"), [],
    ),
    "another-reason": (
        DOWN,
        told("RegistryAvailable", "False", Reason.SERVER_ERROR),
        [("ServerError", "Warning")],
    ),
    "stalled": (
        NOTHING, told("Stalled", "True", Reason.UNAUTHORIZED), [("Unauthorized", "Warning")],
    ),
    "a-tar-helped": (
        told("TarFallback", "False", Reason.NOT_NEEDED),
        told("TarFallback", "True", Reason.PULL_FAILED),
        [("PullFailed", "Warning")],
    ),
    "no-tar-any-more": (
        told("TarFallback", "True", Reason.PULL_FAILED),
        told("TarFallback", "False", Reason.NOT_NEEDED),
        [],
    ),
    "waiting-for-targets": (
        NOTHING, told("TargetsAvailable", "False", Reason.NO_TARGETS), [("NoTargets", "Normal")],
    ),
    "work-goes-on": (NOTHING, told("Reconciling", "True", Reason.PROGRESSING), []),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "notes"), TURNS.values(), ids=TURNS)
def test_only_turns_are_told_as_events(
    before: RangeImagesStatus, after: RangeImagesStatus, notes: list[tuple[str, str]]
) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.report(before, after)
        assert [(str(note.reason), str(note.type)) for note in desk.cluster.notes] == notes

    clock.run(scenario(Desk()))
