"""Lists of ranges: one page of them, or what changed since the last look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cyroid_images.overview.answer import Answer
from cyroid_images.overview.events import worst_first
from cyroid_images.overview.ranges import RangeRow


class RangePage(Answer):
    """Some of the ranges, the worst first."""

    items: tuple[RangeRow, ...]
    total: int
    ready: int
    """Of all of them, not of this page."""


class RangeChanges(Answer):
    """What changed since the event before."""

    reset: bool = False
    """The first part of everything: forget what was known before."""
    changed: tuple[RangeRow, ...] = ()
    removed: tuple[str, ...] = ()
    """`namespace/name`."""
    ready: int
    total: int


class EventRow(Answer):
    """One event in a list: 17 of 20 ranges are ready."""

    event: str
    ready: int
    total: int


def range_page(rows: Iterable[RangeRow], *, limit: int, offset: int) -> RangePage:
    """One page of these, the worst first."""
    ordered = sorted(rows, key=worst_first)
    return RangePage(
        items=tuple(ordered[offset : offset + limit]),
        total=len(ordered),
        ready=sum(row.ready is True for row in ordered),
    )


def event_rows(rows: Sequence[RangeRow]) -> tuple[EventRow, ...]:
    """All events that ranges are labelled with, by name."""
    names = sorted({row.event for row in rows if row.event})
    return tuple(
        EventRow(event=name, ready=sum(row.ready is True for row in mine), total=len(mine))
        for name in names
        for mine in [[row for row in rows if row.event == name]]
    )
