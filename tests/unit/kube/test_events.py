"""What an event may hold, and how one that repeats is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from cyroid_images.errors import Reason
from cyroid_images.kube import events
from cyroid_images.kube.connection import Identity
from cyroid_images.kube.event_correlator import Series
from cyroid_images.model.event import EventNote

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
NOTE = EventNote("RangeImages", "ranges", "red", "uid", Reason.IMAGE_DELIVERED, "done", key="a")


def test_moments_are_written_with_microseconds_in_utc() -> None:
    body = events.new_event(NOTE, Identity("cyroid", "operator-1"), NOW)
    assert body["eventTime"] == "2026-01-02T03:04:05.000678Z"


def test_what_steers_a_terminal_stays_out_of_an_event() -> None:
    body = events.new_event(
        replace(NOTE, message="\x1b[31mred\x00\nend"), Identity("cyroid", "operator-1"), NOW
    )
    assert body["note"] == "red end"


def test_an_object_of_the_cluster_has_no_namespace_in_its_event() -> None:
    body = events.new_event(
        replace(NOTE, kind="ImageCache", namespace=""), Identity("cyroid", "operator-1"), NOW
    )
    assert body["metadata"]["namespace"] == "default"
    assert "namespace" not in body["regarding"]


def test_what_was_said_often_before_it_was_written_is_a_series_at_once() -> None:
    body = events.new_event(replace(NOTE, count=3), Identity("cyroid", "operator-1"), NOW)
    assert body["series"]["count"] == 3
    assert "series" not in events.new_event(NOTE, Identity("cyroid", "operator-1"), NOW)


def test_b21_a_repeat_brings_its_own_message() -> None:
    again = events.repeat(Series("ranges", "red.1", 4, NOW), replace(NOTE, message="9 of 9"), NOW)
    assert again == {
        "message": "9 of 9",
        "series": {"count": 4, "lastObservedTime": "2026-01-02T03:04:05.000678Z"},
    }
