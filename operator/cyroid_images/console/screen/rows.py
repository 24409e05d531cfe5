"""A range and a push as one line: the mark, how far, by which route, and why."""

from __future__ import annotations

from collections.abc import Sequence

from cyroid_images.console.screen.output import Cell, Screen
from cyroid_images.console.screen.words import progress, without_host
from cyroid_images.overview.operations import PushPhase, PushStatus
from cyroid_images.overview.ranges import RangeRow, TransferRow

READY, GOING, FAILED, UNKNOWN, SUSPENDED, BY_TAR = range(6)

MARKS = {
    READY: ("✔", "yes", "green"),
    GOING: ("…", "no", "yellow"),
    FAILED: ("✕", "failed", "red"),
    UNKNOWN: ("?", "unknown", "yellow"),
    SUSPENDED: ("‖", "suspended", "dim"),
    BY_TAR: ("▲", "yes", "yellow"),
}
"""Mark, word where there are no marks, colour. By tar: there, and worth a look."""


def state_of(row: RangeRow) -> int:
    """The worst first: what needs somebody, what stands still, what is not known."""
    if row.ready:
        return BY_TAR if row.fallback else READY
    if row.stalled or row.images_failed:
        return FAILED
    if row.suspended:
        return SUSPENDED
    return UNKNOWN if row.ready is None else GOING


def mark(state: int, screen: Screen) -> Cell:
    sign, word, colour = MARKS[state]
    return (word if screen.is_plain else sign, colour)


def images_of(row: RangeRow) -> str:
    return f"{row.images_present}/{row.images_desired}"


def route_of(row: RangeRow) -> str:
    """`registry`, `13 tar`, or both; `-` while nothing is there."""
    if row.images_via_tar:
        rest = row.images_present - row.images_via_tar
        return f"{row.images_via_tar} tar" + (f", {rest} registry" if rest > 0 else "")
    return row.route or "-"


def why(row: RangeRow, screen: Screen) -> str:
    """What moves, what is missing, or why it came by tar; empty where all is as asked."""
    name = f"{row.namespace}/{row.name}"
    if row.ready and row.fallback:
        return f"{row.fallback_reason}: {row.fallback_message} (kubectl cyroid doctor {name})"
    if row.ready:
        return "suspended" if row.suspended else ""
    if row.reason is None:
        return "no pass has looked at it yet"
    moving = [each for each in row.transfers if not each.is_waiting]
    if moving and not row.stalled:
        more = len(row.transfers) - 1 + row.transfers_omitted
        beside = f" (and {more} more)" if more else ""
        return f"{moving_text(moving[0], screen)}{beside}"
    return f"{row.reason}: {row.message}"


def moving_text(each: TransferRow, screen: Screen) -> str:
    """`pulling NAME ━━━╸──── 212/450 MB 48 MB/s, 5s left`."""
    verb = "pushing" if each.pod is None else "loading" if each.route == "Tar" else "pulling"
    told = progress(
        each.done_bytes, each.total_bytes, each.bytes_per_second, is_plain=screen.is_plain
    )
    return f"{verb} {without_host(each.image)} {told}"


def range_cells(row: RangeRow, screen: Screen, *, has_namespace: bool) -> Sequence[Cell]:
    """As the heads of `range_heads`."""
    place = [row.namespace] if has_namespace else []
    wide = (
        [row.event or "-", row.cache, f"{row.targets_ready}/{row.targets_matched}"]
        if screen.is_wide
        else []
    )
    return [
        *place,
        row.name,
        mark(state_of(row), screen),
        images_of(row),
        route_of(row),
        *wide,
        why(row, screen),
    ]


def range_heads(screen: Screen, *, has_namespace: bool) -> Sequence[str]:
    place = ["NAMESPACE"] if has_namespace else []
    wide = ["EVENT", "CACHE", "TARGETS"] if screen.is_wide else []
    return [*place, "RANGE", "READY", "IMAGES", "ROUTE", *wide, "WHY"]


def changed_part(row: RangeRow) -> tuple[object, ...]:
    """What makes a line worth telling again where nothing can be repainted: not each byte."""
    return (state_of(row), images_of(row), route_of(row), row.reason, row.targets_ready)


def push_text(push: PushStatus, screen: Screen) -> str:
    """How far a push is."""
    match push.status:
        case PushPhase.COMPLETED:
            return f"in the registry, {push.digest}"
        case PushPhase.FAILED:
            return f"{push.reason}: {push.error_message}"
        case PushPhase.STARTING:
            return "starting" if push.reason is None else f"starting ({push.reason})"
        case PushPhase.PUSHING | PushPhase.VERIFYING:
            told = progress(
                push.done_bytes or 0,
                push.total_bytes,
                push.bytes_per_second or 0,
                is_plain=screen.is_plain,
            )
            return f"{push.status} {told}"


def push_state(push: PushStatus) -> int:
    if push.status is PushPhase.COMPLETED:
        return READY
    return FAILED if push.status is PushPhase.FAILED else GOING
