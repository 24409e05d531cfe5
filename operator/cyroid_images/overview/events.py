"""All ranges of an event at a glance, the worst first."""

from __future__ import annotations

from collections.abc import Iterable

from cyroid_images.overview.answer import Answer
from cyroid_images.overview.ranges import RangeRow


class EventView(Answer):
    """One event: 17 of 20 ranges are ready."""

    event: str
    ready: int
    total: int
    images_present: int
    """Images that are where they are wanted, of all ranges together."""
    images_desired: int
    by_tar: int
    """Ranges with an image that came by tar because the registry did not serve."""
    needs_somebody: int
    """Ranges with an image that only a person can bring."""
    ranges: tuple[RangeRow, ...]


def event_view(event: str, rows: Iterable[RangeRow]) -> EventView:
    """Of the ranges that carry the label of this event."""
    mine = sorted((row for row in rows if row.event == event), key=worst_first)
    return EventView(
        event=event,
        ready=sum(row.ready is True for row in mine),
        total=len(mine),
        images_present=sum(row.images_present for row in mine),
        images_desired=sum(row.images_desired for row in mine),
        by_tar=sum(row.fallback for row in mine),
        needs_somebody=sum(row.images_failed > 0 for row in mine),
        ranges=tuple(mine),
    )


def worst_first(row: RangeRow) -> tuple[bool, bool, bool, str, str]:
    """What needs somebody, what is not ready, what came by tar, by name."""
    return (
        row.images_failed == 0,
        row.ready is True,
        not row.fallback,
        row.namespace,
        row.name,
    )
