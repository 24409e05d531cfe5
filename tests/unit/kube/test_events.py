"""Which notes are the same story, for how long, and what an event may hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cyroid_images.errors import Reason
from cyroid_images.kube import events
from cyroid_images.kube.connection import Site
from cyroid_images.model.event import EventNote, EventType

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
NOTE = EventNote("RangeImages", "ranges", "red", "uid", Reason.IMAGE_DELIVERED, "done", key="a")


def remembered() -> events.Memory:
    memory = events.Memory()
    memory.keep(NOTE, events.Series("ranges", "red.1", 1, NOW))
    return memory


def test_the_same_story_is_found_for_ten_minutes() -> None:
    memory = remembered()
    assert memory.find(replace(NOTE, message="9 MiB/s"), NOW + timedelta(minutes=9)) is not None
    assert memory.find(NOTE, NOW + timedelta(minutes=10)) is None


def test_another_object_type_reason_or_key_is_another_story() -> None:
    memory = remembered()
    for other in (
        replace(NOTE, uid="other"),
        replace(NOTE, type=EventType.WARNING),
        replace(NOTE, reason=Reason.IMAGE_PUSHED),
        replace(NOTE, key="b"),
    ):
        assert memory.find(other, NOW) is None


def test_moments_are_written_with_microseconds_in_utc() -> None:
    body = events.new_event(NOTE, Site("cyroid", "operator-1"), NOW)
    assert body["eventTime"] == "2026-01-02T03:04:05.000678Z"


def test_what_steers_a_terminal_stays_out_of_an_event() -> None:
    body = events.new_event(replace(NOTE, message="\x1b[31mred\x00\nend"), Site("cyroid"), NOW)
    assert body["note"] == "red end"


def test_an_object_of_the_cluster_has_no_namespace_in_its_event() -> None:
    body = events.new_event(replace(NOTE, kind="ImageCache", namespace=""), Site("cyroid"), NOW)
    assert body["metadata"]["namespace"] == "default"
    assert "namespace" not in body["regarding"]
