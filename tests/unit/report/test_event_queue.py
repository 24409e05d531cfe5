"""Events that wait: bounded, in turns, counted when they repeat."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.event import EventNote
from cyroid_images.report.event_queue import EventQueue

NOTE = EventNote("RangeImages", "ranges", "red", "uid", Reason.IMAGE_PUSHED, "done", key="a")


def drained(queue: EventQueue) -> list[EventNote]:
    return list(iter(queue.take, None))


def test_a_repeat_that_waits_still_is_replaced_and_counted() -> None:
    queue = EventQueue()
    for number in range(3):
        assert queue.put(replace(NOTE, message=f"{number} of 2")) is None
    assert drained(queue) == [replace(NOTE, message="2 of 2", count=3)]


def test_objects_take_turns() -> None:
    queue = EventQueue()
    for name, key in (("red", "a"), ("red", "b"), ("red", "c"), ("blue", "a")):
        queue.put(replace(NOTE, name=name, key=key))
    assert [(note.name, note.key) for note in drained(queue)] == [
        ("red", "a"),
        ("blue", "a"),
        ("red", "b"),
        ("red", "c"),
    ]


def test_of_one_object_so_many_wait_and_the_oldest_is_dropped() -> None:
    queue = EventQueue(per_object=2)
    dropped = [queue.put(replace(NOTE, key=key)) for key in "abc"]
    assert [note.key for note in dropped if note] == ["a"]
    assert [note.key for note in drained(queue)] == ["b", "c"]


def test_of_all_so_many_wait_and_whoever_has_most_loses_one() -> None:
    queue = EventQueue(most=3)
    queue.put(replace(NOTE, name="quiet"))
    for key in "abcd":
        queue.put(replace(NOTE, name="loud", key=key))
    assert len(queue) == 3
    assert [(note.name, note.key) for note in drained(queue)] == [
        ("quiet", "a"),
        ("loud", "c"),
        ("loud", "d"),
    ]


def test_what_is_gone_is_told_no_more() -> None:
    queue = EventQueue()
    queue.put(NOTE)
    queue.put(replace(NOTE, uid="another of that name", key="b"))
    queue.put(replace(NOTE, name="blue"))
    queue.forget("RangeImages", "ranges", "red")
    assert len(queue) == 1
    assert [note.name for note in drained(queue)] == ["blue"]
    assert len(queue) == 0
