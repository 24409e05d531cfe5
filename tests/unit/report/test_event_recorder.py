"""Events go out behind everything, few, bounded, and their failure stops nobody (B21)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from cyroid_images.errors import AccessDenied, ApiUnavailable, Reason
from cyroid_images.model.event import EventNote, EventType
from cyroid_images.model.fault import Route
from cyroid_images.report.event_queue import MOST, MOST_PER_OBJECT
from cyroid_images.report.event_recorder import PAUSES, SUMMARY_SECONDS, EventRecorder
from cyroid_images.store.keys import Key, Kind
from tests.unit.reconcile.clock import run, settled

RED = Key(Kind.RANGE_IMAGES, "ranges", "red")
BLUE = Key(Kind.RANGE_IMAGES, "ranges", "blue")


@dataclass(slots=True)
class Sink:
    """What was written, and when; `errors` are raised one after the other instead."""

    notes: list[EventNote] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    tries: int = 0
    is_open: asyncio.Event | None = None

    async def __call__(self, note: EventNote) -> None:
        self.tries += 1
        if self.is_open is not None:
            await self.is_open.wait()
        if self.errors:
            raise self.errors.pop(0)
        self.notes.append(note)
        self.moments.append(asyncio.get_running_loop().time())


def recorded(scenario: Callable[[EventRecorder, Sink], Awaitable[None]]) -> Sink:
    """The sink after a scenario with a recorder that runs, on a clock that jumps."""
    sink = Sink()

    async def main() -> None:
        recorder = EventRecorder(sink)
        running = asyncio.create_task(recorder.run())
        await scenario(recorder, sink)
        assert not running.done()
        running.cancel()

    run(main())
    return sink


def deliver(recorder: EventRecorder, *images: str, key: Key = RED) -> None:
    for image in images:
        recorder.delivered(key, "uid", image=image, pod="dind-r1", route=Route.REGISTRY)


def test_an_event_says_of_which_object_what_and_how_bad(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(recorder: EventRecorder, sink: Sink) -> None:
        recorder.record(RED, "uid", Reason.TARGET_REPLACED, "a new pod", about="pod")
        recorder.record(RED, "uid", Reason.REGISTRY_UNREACHABLE, "refused", about="cache")
        await settled(lambda: len(sink.notes) == 2)

    with caplog.at_level("INFO"):
        notes = recorded(scenario).notes
    assert notes[0] == EventNote(
        "RangeImages", "ranges", "red", "uid", Reason.TARGET_REPLACED, "a new pod", key="pod"
    )
    assert notes[1].type is EventType.WARNING
    assert [(line.levelname, line.getMessage()) for line in caplog.records] == [
        ("INFO", "RangeImages ranges/red: TargetReplaced: a new pod"),
        ("WARNING", "RangeImages ranges/red: RegistryUnreachable: refused"),
    ]


def test_deliveries_of_five_seconds_are_one_event_and_a_line_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begin = 0.0

    async def scenario(recorder: EventRecorder, sink: Sink) -> None:
        nonlocal begin
        begin = asyncio.get_running_loop().time()
        deliver(recorder, "a:1", "b:1")
        await asyncio.sleep(3)
        deliver(recorder, "c:1", "d:1")
        deliver(recorder, "a:1", key=BLUE)
        await asyncio.sleep(1)
        assert sink.notes == []
        await asyncio.sleep(10)

    with caplog.at_level("INFO"):
        sink = recorded(scenario)
    assert [(note.name, note.message) for note in sink.notes] == [
        ("red", "4 images delivered into dind-r1: 4 by the registry"),
        ("blue", "a:1 delivered into dind-r1 by the registry"),
    ]
    assert sink.moments == pytest.approx([begin + SUMMARY_SECONDS, begin + 3 + SUMMARY_SECONDS])
    assert len(caplog.records) == 5
    assert "RangeImages ranges/red: ImageDelivered: d:1 delivered into dind-r1" in caplog.text


def test_later_deliveries_are_an_event_of_their_own() -> None:
    async def scenario(recorder: EventRecorder, _: Sink) -> None:
        deliver(recorder, "a:1")
        await asyncio.sleep(2 * SUMMARY_SECONDS)
        deliver(recorder, "b:1")
        await asyncio.sleep(2 * SUMMARY_SECONDS)

    first, second = recorded(scenario).notes
    assert first.key != second.key


def test_b21_an_api_server_that_hangs_keeps_nobody_who_records_waiting() -> None:
    async def scenario(recorder: EventRecorder, sink: Sink) -> None:
        sink.is_open = asyncio.Event()
        recorder.record(RED, "uid", Reason.IMAGE_PUSHED, "0 of 4", about="x")
        await settled(lambda: sink.tries == 1)
        began = asyncio.get_running_loop().time()
        for number in range(1, 5):
            recorder.record(RED, "uid", Reason.IMAGE_PUSHED, f"{number} of 4", about="x")
        assert asyncio.get_running_loop().time() == began
        sink.is_open.set()
        await settled(lambda: len(sink.notes) == 2)

    first, second = recorded(scenario).notes
    assert (first.message, second.message, second.count) == ("0 of 4", "4 of 4", 4)


def test_an_event_is_tried_again_while_the_api_server_is_away() -> None:
    async def scenario(recorder: EventRecorder, sink: Sink) -> None:
        sink.errors = [ApiUnavailable("away"), ApiUnavailable("429", retry_after=9.0)]
        recorder.record(RED, "uid", Reason.IMAGE_PUSHED, "done", about="x")
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(60)
        assert sink.moments == pytest.approx([began + PAUSES[0] + 9.0])
        assert recorder.dropped == 0

    assert len(recorded(scenario).notes) == 1


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (ApiUnavailable("422 note: too long"), len(PAUSES)),
        (AccessDenied("403 events"), 1),
        (KeyError("metadata"), 1),
    ],
)
def test_an_event_that_cannot_be_written_is_lost_and_the_next_one_goes(
    error: Exception, tries: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(recorder: EventRecorder, sink: Sink) -> None:
        sink.errors = [error] * tries
        recorder.record(RED, "uid", Reason.IMAGE_PUSHED, "lost", about="x")
        recorder.record(BLUE, "uid", Reason.IMAGE_PUSHED, "told", about="x")
        await asyncio.sleep(60)
        assert (sink.tries, recorder.dropped) == (tries + 1, 1)

    assert [note.message for note in recorded(scenario).notes] == ["told"]
    assert "cannot write event ImagePushed on RangeImages ranges/red: " in caplog.text


def test_what_is_too_much_is_dropped_counted_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(recorder: EventRecorder, sink: Sink) -> None:
        for number in range(MOST_PER_OBJECT + 5):
            recorder.record(RED, "uid", Reason.IMAGE_PUSHED, "done", about=str(number))
        assert recorder.dropped == 5
        await settled(lambda: len(sink.notes) == MOST_PER_OBJECT, turns=10 * MOST)

    recorded(scenario)
    assert [line.getMessage() for line in caplog.records if "dropped" in line.getMessage()] == [
        "events dropped: more than 1000 queued, or 64 for one object; see the log"
    ]


def test_of_an_object_that_is_gone_nothing_is_told() -> None:
    async def scenario(recorder: EventRecorder, _: Sink) -> None:
        deliver(recorder, "a:1")
        recorder.record(RED, "uid", Reason.IMAGE_PUSHED, "done", about="x")
        recorder.forget(RED)
        recorder.record(BLUE, "uid", Reason.IMAGE_PUSHED, "done", about="x")
        await asyncio.sleep(2 * SUMMARY_SECONDS)

    assert [note.name for note in recorded(scenario).notes] == ["blue"]
