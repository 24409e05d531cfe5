"""The command `wait`: until ranges are ready, with progress."""

from __future__ import annotations

import time
from collections.abc import Mapping

import click

from cyroid_images.console.cluster.following import ObjectName
from cyroid_images.console.cluster.objects import read_ranges
from cyroid_images.console.options import ChosenRanges, api_of, chosen, scope, time_limit
from cyroid_images.console.screen.output import Screen
from cyroid_images.console.screen.painting import painter
from cyroid_images.console.screen.rows import changed_part
from cyroid_images.console.screen.showing import followed, line_of, picture, total
from cyroid_images.errors import CyroidError
from cyroid_images.overview.ranges import RangeRow

READY, FAILED, TIMED_OUT = 0, 1, 124


@click.command
@click.argument("names", metavar="[RANGE]...", nargs=-1)
@time_limit("30m")
@scope
@click.pass_context
def wait(ctx: click.Context, names: tuple[str, ...], seconds: float) -> None:
    """Wait until ranges have all their images, with progress.

    It ends with 0 when all are ready, with 1 when nothing more comes by itself (each is ready
    or Stalled) or a range is deleted, and with 124 at the time-out. A range counts as ready
    when a pass has seen its newest spec.
    """
    screen, api = Screen(), api_of(ctx)
    where = chosen(ctx, api, names)
    deadline = time.monotonic() + seconds
    expected = {_key(body) for body in read_ranges(api, where)}
    if not expected:
        raise CyroidError(f"there are no ranges{where} to wait for: kubectl cyroid status -A")
    rows: Mapping[ObjectName, RangeRow] = {}
    code: int | None = None
    with painter(screen) as shown:
        for rows in followed(api, where, shown.note):
            shown.show(
                lambda rows=rows: picture(rows.values(), where, screen),  # type: ignore[misc]
                {"/".join(key): (changed_part(row), line_of(row, screen, has_place=True))
                 for key, row in rows.items()},
            )  # fmt: skip
            code = verdict(rows, expected)
            if code is None and time.monotonic() >= deadline:
                code = TIMED_OUT
            if code is not None:
                break
    _conclude(screen, rows, where, code)
    ctx.exit(code or READY)


def verdict(rows: Mapping[ObjectName, RangeRow], expected: set[ObjectName]) -> int | None:
    """The exit code; None while something may still come by itself."""
    if any(key not in rows for key in expected):
        return FAILED
    if all(row.ready for row in rows.values()):
        return READY
    is_over = all(row.ready or row.stalled or row.suspended for row in rows.values())
    return FAILED if is_over else None


def _conclude(
    screen: Screen, rows: Mapping[ObjectName, RangeRow], where: ChosenRanges, code: int | None
) -> None:
    if not screen.is_terminal:
        screen.say(total(list(rows.values())))
    if code == TIMED_OUT:
        screen.tell(f"time is over, and not all ranges{where} are ready: kubectl cyroid status")
    elif code == FAILED:
        screen.tell(
            "nothing more comes by itself: kubectl cyroid status RANGE, or explain IMAGE, says why"
        )


def _key(body: Mapping[str, Mapping[str, str]]) -> ObjectName:
    metadata = body.get("metadata") or {}
    return metadata.get("namespace") or "", metadata.get("name") or ""
