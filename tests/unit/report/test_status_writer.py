"""When a status is written, how often, and which turns are told as events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from cyroid_images.errors import ApiUnavailable, Reason, StatusConflict, StatusRejected
from cyroid_images.model.kinds.conditions import Verdict, set_conditions
from cyroid_images.model.kinds.status import (
    RangeImageCounts,
    RangeImagesStatus,
    TarDelivery,
    TransferFailure,
)
from cyroid_images.model.telemetry.log_context import fields
from cyroid_images.report.status_writer import (
    AGAIN_SECONDS,
    DEFECT_SECONDS,
    PROGRESS_SECONDS,
    REJECTED_SECONDS,
    StatusWriter,
)
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.store import Store
from tests.unit.plan.examples import NOW, digest, range_body
from tests.unit.reconcile import clock
from tests.unit.reconcile.fakes import FakeCluster, FakeRecorder
from tests.unit.reconcile.watched import with_metadata

KEY = Key(Kind.RANGE_IMAGES, "default", "r")


def told(kind: str, status: str, reason: Reason, message: str = "a message") -> RangeImagesStatus:
    verdict: Any = Verdict(kind, status, reason, message)  # type: ignore[arg-type] # as text
    return RangeImagesStatus(conditions=set_conditions((), [verdict], generation=3, now=NOW))


NOTHING = RangeImagesStatus()
FAILED = TransferFailure(image="nginx:1.25", reason=Reason.PULL_FAILED, message="no", attempts=1)
LOADED = TarDelivery(
    image="nginx:1.25",
    uid="u",
    digest=digest("one"),
    reason=Reason.REGISTRY_UNREACHABLE,
    time=NOW,
)
READY = told("Ready", "True", Reason.ALL_IMAGES_PRESENT)


def moving(amount: str) -> RangeImagesStatus:
    return told("Ready", "False", Reason.PROGRESSING, amount)


@dataclass(slots=True)
class Desk:
    """A writer of one range, which says `before`; what each try to write came to."""

    before: RangeImagesStatus = NOTHING
    cluster: FakeCluster = field(default_factory=FakeCluster)
    store: Store = field(default_factory=Store)
    tries: list[tuple[Hashable, bool]] = field(default_factory=list)
    writer: StatusWriter = field(init=False)

    def __post_init__(self) -> None:
        recorder = FakeRecorder(self.cluster.notes)
        self.writer = StatusWriter(self.cluster, self.store, recorder, self.tried)
        body = range_body(status=self.before.to_document())
        self.store.changed(Kind.RANGE_IMAGES, None, body)

    def tried(self, key: Key, token: Hashable, is_written: bool) -> None:
        assert key == KEY
        self.tries.append((token, is_written))

    async def put(self, status: RangeImagesStatus, token: Hashable = None) -> int:
        """Have this written; how many writes there were once all that may be is."""
        self.writer.put(KEY, self.store.ranges[KEY].metadata, status, token)
        return await self.count()

    async def count(self, after: float = 0.0) -> int:
        await asyncio.sleep(after)
        for _ in range(10):
            await asyncio.sleep(0)
        return len(self.cluster.statuses)


def tried(
    scenario: Callable[[Desk], Coroutine[Any, Any, None]], before: RangeImagesStatus = NOTHING
) -> None:
    async def whole() -> None:
        desk = Desk(before)
        running = asyncio.create_task(desk.writer.run())
        await scenario(desk)
        assert not running.done()
        running.cancel()

    clock.run(whole())


def test_an_equal_status_is_never_written_and_counts_as_written() -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.put(READY.model_copy(), token=("t",)) == 0
        assert desk.tries == [(("t",), True)]

    tried(scenario, READY)


def test_a_status_is_written_with_the_version_that_was_read_and_is_known_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.put(READY, token=("t",)) == 1
        assert desk.cluster.statuses == [(KEY, "10", READY.to_document())]
        held = desk.store.ranges[KEY]
        assert (held.metadata.resource_version, held.status) == ("11", READY)
        assert desk.tries == [(("t",), True)]

    tried(scenario)


def test_progress_is_written_every_five_seconds_at_most_and_the_newest_words_only() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.put(moving("1 MiB"))
        await asyncio.sleep(2)
        assert await desk.put(moving("2 MiB")) == 1
        assert await desk.put(moving("3 MiB")) == 1
        assert await desk.count(PROGRESS_SECONDS - 2.1) == 1
        assert await desk.count(0.2) == 2
        assert desk.store.ranges[KEY].status == moving("3 MiB")

    tried(scenario)


def test_what_only_counts_is_progress_and_comes_with_the_next_turn() -> None:
    """An image that came is no turn: 500 ranges would cost a write for each of theirs."""
    waits = moving("no image yet")
    one = waits.model_copy(update={"images": RangeImageCounts(desired=2, present=1)})

    async def scenario(desk: Desk) -> None:
        assert await desk.put(waits) == 1
        assert await desk.put(one) == 1
        assert await desk.count(after=PROGRESS_SECONDS + 0.1) == 2
        both = RangeImageCounts(desired=2, present=2)
        assert await desk.put(READY.model_copy(update={"images": both})) == 3
        assert desk.cluster.last(KEY)["images"]["present"] == 2

    tried(scenario)


@pytest.mark.parametrize(
    "update",
    [
        {"failures": (FAILED,)},
        {"tar_deliveries": (LOADED,)},
        {"last_handled_reconcile_at": "token"},
        {"observed_generation": 3},
    ],
    ids=["a failure", "the record of a load", "a manual pass", "a settled generation"],
)
def test_what_somebody_waits_for_is_written_at_once(update: Mapping[str, Any]) -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.put(moving("waits")) == 1
        assert await desk.put(moving("waits").model_copy(update=update)) == 2

    tried(scenario)


def test_every_line_of_a_write_names_its_object(caplog: pytest.LogCaptureFixture) -> None:
    """Of readiness and of refusals: they are told outside of the pass that found them."""
    said: list[Any] = []

    def note(record: logging.LogRecord) -> bool:
        del record
        said.append(fields().get("object", {}))
        return True

    async def scenario(desk: Desk) -> None:
        await desk.put(READY)
        await desk.put(told("Stalled", "True", Reason.NAMESPACE_NOT_ALLOWED))

    caplog.set_level(logging.INFO, "cyroid_images")
    caplog.handler.addFilter(note)
    try:
        tried(scenario)
    finally:
        caplog.handler.removeFilter(note)
    assert [record.name.rpartition(".")[2] for record in caplog.records] == [
        "status_writer",
        "audit",
    ]
    assert {(each["kind"], each["namespace"], each["name"]) for each in said} == {
        ("RangeImages", "default", "r")
    }


def test_a_turn_is_written_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.put(moving("1 MiB"))
        assert await desk.put(READY) == 2

    tried(scenario)


def test_what_waits_is_what_is_said_of_this_generation_and_of_no_other() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(ApiUnavailable("away"))
        metadata = desk.store.ranges[KEY].metadata
        assert desk.writer.latest(KEY, metadata, NOTHING) == NOTHING
        await desk.put(READY)
        assert desk.writer.latest(KEY, metadata, NOTHING) == READY
        edited = metadata.model_copy(update={"generation": 4})
        assert desk.writer.latest(KEY, edited, NOTHING) == NOTHING

    tried(scenario)


@pytest.mark.parametrize("error", [StatusConflict("edited"), ApiUnavailable("away")])
def test_what_could_not_be_written_is_tried_again_soon(error: Exception) -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(error)
        assert await desk.put(READY) == 0
        assert desk.tries == [(None, False)]
        assert desk.store.ranges[KEY].status == NOTHING
        assert desk.cluster.notes == []
        assert await desk.count(AGAIN_SECONDS) == 1

    tried(scenario)


def test_a_version_that_conflicted_is_not_tried_again_with_every_word() -> None:
    """A write whose answer was lost has made another version, which the watch brings."""

    async def scenario(desk: Desk) -> None:
        desk.cluster.errors += [StatusConflict("another version")] * 2
        assert await desk.put(moving("one")) == 0
        assert await desk.put(READY) == 0
        assert len(desk.cluster.errors) == 1
        body = with_metadata(range_body(), resourceVersion="12")
        desk.store.changed(Kind.RANGE_IMAGES, "MODIFIED", body)
        desk.cluster.errors.clear()
        assert await desk.put(moving("another")) == 1

    tried(scenario)


def test_a_defect_in_a_write_ends_nothing_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(ZeroDivisionError("odd"))
        assert await desk.put(READY) == 0
        assert await desk.count(DEFECT_SECONDS) == 1

    tried(scenario)
    assert "defect in writing the status of RangeImages default/r" in caplog.text


@pytest.mark.row("K1")
def test_what_turned_while_the_api_was_away_is_told_once_with_its_newest_words() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors += [ApiUnavailable("away")] * 2
        for words in ("one", "all"):
            await desk.put(told("Ready", "True", Reason.ALL_IMAGES_PRESENT, words))
        assert await desk.count(AGAIN_SECONDS) == 1
        ((_, _, written),) = desk.cluster.statuses
        assert written["conditions"][0]["message"] == "all"
        assert len(desk.cluster.notes) == 1

    tried(scenario)


def test_b16_what_an_object_before_it_was_about_to_say_is_nothing_of_the_new_one() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(ApiUnavailable("away"))
        await desk.put(READY)
        body = with_metadata(range_body(), uid="another", resourceVersion="20")
        desk.store.changed(Kind.RANGE_IMAGES, "ADDED", body)
        assert await desk.count(AGAIN_SECONDS) == 0
        assert desk.store.ranges[KEY].status == NOTHING

    tried(scenario)


def test_a_refused_status_is_a_warning_and_left_alone() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(StatusRejected("spec: no"))
        await desk.put(READY)
        (note,) = desk.cluster.notes
        assert (note.reason, note.type) == (Reason.STATUS_REJECTED, "Warning")
        assert desk.tries == [(None, False)]
        assert await desk.put(READY) == 0
        assert await desk.count(REJECTED_SECONDS - 1) == 0
        assert await desk.count(1) == 1

    tried(scenario)


def test_another_status_than_the_refused_one_is_written_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.errors.append(StatusRejected("spec: no"))
        await desk.put(READY)
        assert await desk.put(moving("1 MiB")) == 1

    tried(scenario)


def test_a_gone_object_is_no_news() -> None:
    async def scenario(desk: Desk) -> None:
        desk.cluster.gone = True
        await desk.put(READY)
        assert desk.cluster.notes == []
        assert desk.store.ranges[KEY].metadata.resource_version == "10"

    tried(scenario)


def test_what_is_forgotten_may_be_written_at_once() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.put(moving("1 MiB"))
        desk.writer.forget(KEY)
        assert await desk.put(moving("2 MiB")) == 2

    tried(scenario)


def test_an_object_that_is_forgotten_while_it_is_written_says_nothing_more() -> None:
    async def scenario(desk: Desk) -> None:
        def forget() -> None:
            desk.writer.forget(KEY)

        desk.cluster.meanwhile = forget
        await desk.put(READY)
        assert desk.cluster.notes == []
        desk.cluster.meanwhile = None
        assert await desk.put(moving("1 MiB")) == 2

    tried(scenario)


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
        await desk.put(after)
        assert [(str(note.reason), str(note.type)) for note in desk.cluster.notes] == notes

    tried(scenario, before)


def test_an_answer_that_comes_after_the_watch_puts_nothing_back() -> None:
    """Somebody edits the object right after our write; the watch is faster than the answer."""

    async def scenario(desk: Desk) -> None:
        newer = with_metadata(range_body(), generation=4, resourceVersion="9")

        def edit() -> None:
            desk.store.changed(Kind.RANGE_IMAGES, "MODIFIED", newer)

        desk.cluster.meanwhile = edit
        await desk.put(READY)
        assert desk.store.ranges[KEY].metadata.resource_version == "9"

    tried(scenario)
