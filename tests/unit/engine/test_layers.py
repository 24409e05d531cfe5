"""Progress is the sum of what each layer reached; it never goes back and believes no lies."""

from __future__ import annotations

import pytest

from cyroid_images.engine.events import Event
from cyroid_images.engine.layers import MOST_LAYERS, LayerProgress
from cyroid_images.model.telemetry.progress import Progress


def told(sizes: dict[str, int] | None, *events: Event) -> list[Progress]:
    layers = LayerProgress(sizes)
    return [progress for event in events if (progress := layers.take(event))]


def downloading(layer: str, current: int, total: int) -> Event:
    return Event(status="Downloading", id=layer, current=current, total=total)


def test_layers_add_up() -> None:
    events = (downloading("a", 5, 10), downloading("b", 7, 20), downloading("a", 10, 10))
    assert told({"a": 10, "b": 20}, *events) == [
        Progress(5, 30), Progress(12, 30), Progress(17, 30)
    ]  # fmt: skip


def test_a_layer_that_starts_anew_does_not_take_progress_back() -> None:
    events = (downloading("a", 8, 10), downloading("a", 2, 10), downloading("a", 9, 10))
    assert told({"a": 10}, *events) == [Progress(8, 10), Progress(9, 10)]


def test_a_resumed_layer_counts_what_was_there_before() -> None:
    """A classic engine calls the rest its total."""
    assert told({"a": 10}, downloading("a", 1, 4)) == [Progress(7, 10)]


def test_a_finished_layer_counts_whole_and_once() -> None:
    events = tuple(
        Event(status=status, id="a")
        for status in ("Already exists", "Verifying Checksum", "Download complete", "Pull complete")
    )
    assert told({"a": 10}, *events) == [Progress(10, 10)]


def test_without_sizes_the_total_is_unknown_and_the_stream_counts() -> None:
    events = (downloading("a", 5, 10), Event(status="Download complete", id="a"))
    assert told(None, *events) == [Progress(5, None), Progress(10, None)]


def test_extraction_is_no_progress() -> None:
    """The containerd store counts it in seconds, the classic one in bytes again."""
    seconds = Event(status="Extracting", id="a", current=9, units="s")
    of_bytes = Event(status="Extracting", id="a", current=9, total=10)
    assert told({"a": 10}, seconds, of_bytes) == []


def test_lies_are_bounded() -> None:
    assert told({"a": 10}, downloading("a", 10**18, 5)) == [Progress(10, 10)]
    assert told({"a": 10}, downloading("other", 5, 5)) == []
    strangers = [downloading(str(number), 1, 1) for number in range(MOST_LAYERS + 5)]
    assert told(None, *strangers)[-1] == Progress(MOST_LAYERS, None)


@pytest.mark.parametrize("sizes", [{"a": 10, "b": 20}, None], ids=["with-sizes", "without"])
def test_layers_are_whole_when_each_that_was_told_of_has_come(sizes: dict[str, int] | None) -> None:
    layers = LayerProgress(sizes)
    steps = [
        (Event(status="Pulling from x", id="x@sha256:0"), False),
        (Event(status="Pulling fs layer", id="a"), False),
        (Event(status="Already exists", id="b"), False),
        (downloading("a", 5, 10), False),
        (Event(status="Download complete", id="a"), True),
        (Event(status="Extracting", id="a", current=1, total=10), True),
        (downloading("a", 1, 10), False),
    ]
    for event, are_whole in steps:
        layers.take(event)
        assert layers.are_whole is are_whole, event
