"""The events that wait to be written: bounded, in fair turns, and what repeats counts."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from cyroid_images.model.event import EventNote

MOST = 1000
"""In all: with 19 calls a second and nothing else to do it takes a minute to write them."""
MOST_PER_OBJECT = 64
"""More than a person reads of one object."""

_Object = tuple[str, str, str, str]
_About = tuple[str, str, str]


class EventQueue:
    """Objects take turns; of one object the oldest event goes first."""

    def __init__(self, most: int = MOST, per_object: int = MOST_PER_OBJECT) -> None:
        self._most = most
        self._per_object = per_object
        self._waiting: OrderedDict[_Object, dict[_About, EventNote]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, note: EventNote) -> EventNote | None:
        """Let it wait; returns the event that was dropped to make room for it.

        One that says the same of the same object, and waits still, is replaced and counted.
        """
        of_object = self._waiting.setdefault(_object(note), {})
        about = (note.type, note.reason, note.key)
        if about in of_object:
            of_object[about] = replace(note, count=of_object[about].count + note.count)
            return None
        of_object[about] = note
        self._count += 1
        if len(of_object) > self._per_object:
            return self._drop(_object(note))
        if self._count > self._most:
            return self._drop(max(self._waiting, key=lambda each: len(self._waiting[each])))
        return None

    def take(self) -> EventNote | None:
        """The next one; None while nothing waits."""
        if not self._waiting:
            return None
        whose = next(iter(self._waiting))
        note = self._drop(whose)
        if whose in self._waiting:
            self._waiting.move_to_end(whose)
        return note

    def forget(self, kind: str, namespace: str, name: str) -> None:
        """The object is gone, and with it whoever would read of it."""
        for whose in [each for each in self._waiting if each[:3] == (kind, namespace, name)]:
            self._count -= len(self._waiting.pop(whose))

    def _drop(self, whose: _Object) -> EventNote:
        """Take the oldest one of this object out."""
        of_object = self._waiting[whose]
        note = of_object.pop(next(iter(of_object)))
        self._count -= 1
        if not of_object:
            del self._waiting[whose]
        return note


def _object(note: EventNote) -> _Object:
    return (note.kind, note.namespace, note.name, note.uid)
