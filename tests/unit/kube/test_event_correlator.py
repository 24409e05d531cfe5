"""Which notes are the same story, for how long, and how many are remembered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cyroid_images.errors import Reason
from cyroid_images.kube.event_correlator import EventCorrelator, Series
from cyroid_images.model.event import EventNote, EventType

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
NOTE = EventNote("RangeImages", "ranges", "red", "uid", Reason.IMAGE_DELIVERED, "done", key="a")
SERIES = Series("ranges", "red.1", 1, NOW)


def remembered() -> EventCorrelator:
    correlator = EventCorrelator()
    correlator.keep(NOTE, SERIES)
    return correlator


def test_the_same_story_is_found_for_ten_minutes() -> None:
    correlator = remembered()
    assert correlator.find(replace(NOTE, message="9 MiB/s"), NOW + timedelta(minutes=9)) == SERIES
    assert correlator.find(NOTE, NOW + timedelta(minutes=10)) is None


def test_each_repeat_makes_the_story_ten_minutes_longer() -> None:
    correlator = remembered()
    other, later = replace(NOTE, key="b"), NOW + timedelta(minutes=9)
    correlator.keep(other, replace(SERIES, last=NOW + timedelta(minutes=1)))
    again = replace(SERIES, count=2, last=later)
    correlator.keep(NOTE, again)
    assert correlator.find(NOTE, NOW + timedelta(minutes=18)) == again
    assert correlator.find(other, NOW + timedelta(minutes=18)) is None


def test_another_object_type_reason_or_key_is_another_story() -> None:
    correlator = remembered()
    for other in (
        replace(NOTE, uid="other"),
        replace(NOTE, type=EventType.WARNING),
        replace(NOTE, reason=Reason.IMAGE_PUSHED),
        replace(NOTE, key="b"),
    ):
        assert correlator.find(other, NOW) is None


def test_a_story_that_is_forgotten_begins_anew() -> None:
    correlator = remembered()
    correlator.forget(NOTE)
    assert correlator.find(NOTE, NOW) is None


def test_no_more_than_so_many_stories_are_remembered_and_the_oldest_go() -> None:
    correlator = EventCorrelator(most=2)
    notes = [replace(NOTE, key=key) for key in "abc"]
    for note in notes:
        correlator.keep(note, SERIES)
    assert [correlator.find(note, NOW) for note in notes] == [None, SERIES, SERIES]
