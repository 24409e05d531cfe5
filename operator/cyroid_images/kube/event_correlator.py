"""Which events say the same: a repeat within ten minutes counts in the event that exists.

As client-go does it, and for the same reasons: people want a story once, with a count.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from cyroid_images.model.event import EventNote

SERIES = timedelta(minutes=10)
"""A note that repeats sooner is counted in the event that exists."""
MOST_SERIES = 4096
"""What client-go keeps; one that was dropped only costs a new event."""


@dataclass(frozen=True, slots=True)
class Series:
    """One event that exists: where it is, and how often it was said."""

    namespace: str
    name: str
    count: int
    last: datetime


class EventCorrelator:
    """The events of the last ten minutes, the one that was said last at the end."""

    def __init__(self, most: int = MOST_SERIES) -> None:
        self._most = most
        self._series: OrderedDict[tuple[str, ...], Series] = OrderedDict()

    def find(self, note: EventNote, now: datetime) -> Series | None:
        """The event that says the same, if it is recent."""
        while self._series and now - next(iter(self._series.values())).last >= SERIES:
            self._series.popitem(last=False)
        return self._series.get(_same(note))

    def keep(self, note: EventNote, series: Series) -> None:
        """Remember what was written."""
        self._series[_same(note)] = series
        self._series.move_to_end(_same(note))
        while len(self._series) > self._most:
            self._series.popitem(last=False)

    def forget(self, note: EventNote) -> None:
        """The event is gone; the next one is new."""
        self._series.pop(_same(note), None)


def _same(note: EventNote) -> tuple[str, ...]:
    return (note.kind, note.uid, note.type, note.reason, note.key)
