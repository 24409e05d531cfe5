"""Ranges as people are shown them: a table, one in full, both as they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cyroid_images.console.cluster.api_server import ApiObject, ApiServer
from cyroid_images.console.cluster.following import ObjectName, Tick, follow
from cyroid_images.console.cluster.objects import ranges_path, selector
from cyroid_images.console.cluster.parsing import parsed_ranges
from cyroid_images.console.options import ChosenRanges
from cyroid_images.console.screen.output import Screen, line, pairs, table
from cyroid_images.console.screen.painting import painter
from cyroid_images.console.screen.rows import (
    changed_part,
    images_of,
    mark,
    moving_text,
    range_cells,
    range_heads,
    route_of,
    state_of,
    why,
)
from cyroid_images.console.screen.words import count
from cyroid_images.overview.events import event_view, worst_first
from cyroid_images.overview.ranges import RangeRow, range_detail, range_row


def show(bodies: Sequence[ApiObject], where: ChosenRanges, screen: Screen) -> None:
    """The table; that there are none is said beside it."""
    rows = [range_row(item) for item in parsed_ranges(bodies, screen.tell)]
    if not rows:
        hint = "" if where.namespace is None else "; -A looks in all namespaces"
        screen.tell(f"no ranges{where}{hint}")
        return
    screen.say(*picture(rows, where, screen))


def picture(rows: Iterable[RangeRow], where: ChosenRanges, screen: Screen) -> list[str]:
    """The table of ranges, the worst first, and how many are ready."""
    ordered = sorted(rows, key=worst_first)
    has_namespace = where.namespace is None
    heads = range_heads(screen, has_namespace=has_namespace)
    cells = [range_cells(row, screen, has_namespace=has_namespace) for row in ordered]
    return [*table(heads, cells, screen), total(ordered)]


def total(rows: Sequence[RangeRow]) -> str:
    """`17 of 20 ready`, and what needs somebody."""
    ready = sum(row.ready is True for row in rows)
    stuck = sum(row.stalled or row.images_failed > 0 for row in rows)
    by_tar = sum(row.fallback for row in rows)
    return f"{ready} of {len(rows)} ready" + "".join(
        f", {number} {what}" for number, what in ((stuck, "failed"), (by_tar, "by tar")) if number
    )


def names(bodies: Sequence[ApiObject]) -> list[str]:
    """`NAMESPACE/NAME` of each, as every command takes it."""
    metadata = [body.get("metadata") or {} for body in bodies]
    return sorted(f"{each.get('namespace')}/{each.get('name')}" for each in metadata)


def answer(bodies: Sequence[ApiObject], where: ChosenRanges, screen: Screen) -> dict[str, Any]:
    """As the REST API answers."""
    items = parsed_ranges(bodies, screen.tell)
    if len(where.names) == 1:
        return range_detail(items[0]).model_dump(mode="json") if items else {}
    rows = sorted((range_row(item) for item in items), key=worst_first)
    if where.event:
        return event_view(where.event, rows).model_dump(mode="json")
    return {
        "items": [row.model_dump(mode="json") for row in rows],
        "total": len(rows),
        "ready": sum(row.ready is True for row in rows),
    }


def in_full(bodies: Sequence[ApiObject], screen: Screen) -> list[str]:
    """One range: what is missing, what moves, its engines."""
    lines: list[str] = []
    for item in parsed_ranges(bodies, screen.tell):
        detail = range_detail(item)
        sign = mark(state_of(detail), screen)[0]
        lines += pairs(
            [
                ("range", f"{detail.namespace}/{detail.name}"),
                ("event", detail.event or "-"),
                ("cache", detail.cache),
                ("ready", f"{sign} {detail.reason or ''}: {why(detail, screen) or detail.message}"),
                ("images", f"{images_of(detail)}, {route_of(detail)}"),
                ("targets", f"{detail.targets_ready}/{detail.targets_matched}"),
                *(("moves", moving_text(each, screen)) for each in detail.transfers),
            ],
            screen,
        )
        missing = [
            [each.image, each.reason, f"{each.pods}", each.message] for each in detail.missing
        ]
        if missing:
            lines += ["", *table(["MISSING", "REASON", "PODS", "WHY"], missing, screen)]
            lines += _omitted(detail.missing_omitted, "image")
        targets = [
            [each.pod, f"{each.present}", f"{each.via_tar}", each.engine or "?", each.message or ""]
            for each in detail.targets
        ]
        if targets:
            lines += ["", *table(["POD", "IMAGES", "BY TAR", "ENGINE", "WHY"], targets, screen)]
            lines += _omitted(detail.targets_omitted, "pod")
    return lines


def _omitted(number: int, what: str) -> list[str]:
    return [f"and {count(number, what)} more"] if number else []


def tell_unpushed(bodies: Sequence[ApiObject], screen: Screen) -> None:
    """What sources have and the registry lacks: a hint beside the output."""
    rows = [
        row
        for body in bodies
        for row in (body.get("status") or {}).get("sourceImages") or ()
        if row.get("inRegistry") is False
    ]
    if rows:
        more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
        screen.tell(
            f"{rows[0].get('image')}{more} of sources: not in the registry"
            " (kubectl cyroid images; push IMAGE)"
        )


def watch(api: ApiServer, where: ChosenRanges, screen: Screen) -> None:
    """The table again and again, until somebody ends it."""
    with painter(screen) as shown:
        for rows in followed(api, where, shown.note):
            has_place = where.namespace is None
            shown.show(
                lambda rows=rows: picture(rows.values(), where, screen),  # type: ignore[misc]
                {"/".join(key): (changed_part(row), line_of(row, screen, has_place=has_place))
                 for key, row in rows.items()},
            )  # fmt: skip


def line_of(row: RangeRow, screen: Screen, *, has_place: bool) -> str:
    """One range where nothing is aligned."""
    return line(range_cells(row, screen, has_namespace=has_place))


def followed(
    api: ApiServer, where: ChosenRanges, tell: Any
) -> Iterable[Mapping[ObjectName, RangeRow]]:
    """The rows of the scope at each change, and about once a second."""
    rows: dict[ObjectName, RangeRow] = {}
    wanted = set(where.wanted)
    for tick in follow(api, ranges_path(where.namespace), selector(where), tell):
        _update(rows, tick, wanted, tell)
        yield rows


def _update(
    rows: dict[ObjectName, RangeRow], tick: Tick, wanted: set[ObjectName], tell: Any
) -> None:
    """Only what changed is read again: reading 500 objects takes a quarter of a second."""
    if tick.changed is None:
        rows.clear()
    keys = tick.objects.keys() if tick.changed is None else tick.changed
    for key in keys:
        if wanted and key not in wanted:
            continue
        body: ApiObject | None = tick.objects.get(key)
        if body is None:
            rows.pop(key, None)
            continue
        for item in parsed_ranges([body], tell):
            rows[key] = range_row(item)
