"""All ranges of an event: counted as they are, and the worst first."""

from __future__ import annotations

from typing import Any

from cyroid_images.overview.events import event_view
from cyroid_images.overview.ranges import RangeRow, range_row
from tests.unit.overview.examples import a_range, condition

READY = condition("Ready", "True", "AllImagesPresent")
WAITING = condition("Ready", "False", "ProgressingWithRetry")
UNKNOWN = condition("Ready", "Unknown", "Progressing")
FELL = condition("TarFallback", "True", "RegistryUnreachable")


def row(
    name: str, *conditions: dict[str, Any], event: str | None = "spring", **counts: int
) -> RangeRow:
    images = {"desired": 13, "present": 13, **counts}
    return range_row(
        a_range(name, event=event, status={"conditions": list(conditions), "images": images})
    )


ROWS = [
    row("a-ready", READY),
    row("b-by-tar", READY, FELL, viaTar=13),
    row("c-pulling", WAITING, present=9),
    row("d-not-known", UNKNOWN, present=0),
    row("e-needs-somebody", WAITING, present=12, failed=1),
    row("f-ready-too", READY),
    row("of-another-event", READY, event="autumn"),
    row("of-no-event", READY, event=None),
]


def test_the_worst_come_first() -> None:
    names = [each.name for each in event_view("spring", reversed(ROWS)).ranges]
    assert names == [
        "e-needs-somebody",
        "c-pulling",
        "d-not-known",
        "b-by-tar",
        "a-ready",
        "f-ready-too",
    ]


def test_everything_of_the_event_is_counted_and_nothing_else() -> None:
    view = event_view("spring", ROWS)
    assert (view.ready, view.total) == (3, 6)
    assert (view.images_present, view.images_desired) == (13 + 13 + 9 + 0 + 12 + 13, 6 * 13)
    assert (view.by_tar, view.needs_somebody) == (1, 1)


def test_an_event_that_no_range_carries_is_empty() -> None:
    view = event_view("winter", ROWS)
    assert (view.event, view.ready, view.total, view.ranges) == ("winter", 0, 0, ())
