"""The commands `images`, `push` and `delete`: what the registry holds, and what people change."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from secrets import token_hex

import click

from cyroid_images import edits
from cyroid_images.console.cluster.api_server import ApiObject, ApiServer
from cyroid_images.console.cluster.following import follow
from cyroid_images.console.cluster.objects import (
    CACHES,
    cache_path,
    change,
    read_cache,
    read_caches,
)
from cyroid_images.console.cluster.parsing import parsed_caches
from cyroid_images.console.explaining import ranges_or_none
from cyroid_images.console.options import access, api_of, named_cache, output, time_limit
from cyroid_images.console.screen.output import Cell, Screen, document, table
from cyroid_images.console.screen.painting import Painter, painter
from cyroid_images.console.screen.rows import FAILED, GOING, READY, mark, push_state, push_text
from cyroid_images.console.screen.words import count, size
from cyroid_images.errors import CyroidError
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.images import CachedImage, cached_images
from cyroid_images.overview.operations import PushPhase, PushStatus, push_status
from cyroid_images.overview.registry import UnpushedImage, unpushed
from cyroid_images.overview.used_by import stored_as, used_by

TIMED_OUT = 124
MOST_NAMED = 10
SHORT_DIGEST = 19


@click.command
@click.option("--cache", metavar="NAME", help="ImageCache to show; by default each.")
@access
@output("wide", "json", "yaml", "name")
@click.pass_context
def images(ctx: click.Context, cache: str | None, output: str | None) -> None:
    """What the registry holds or is to hold, and what engine sources have beyond it."""
    screen, api = Screen(is_wide=output == "wide"), api_of(ctx)
    caches = parsed_caches(read_caches(api, cache), screen.tell)
    ranges = ranges_or_none(api, screen)
    rows = [row for each in caches for row in cached_images(each, ranges)]
    beyond = [(each.metadata.name, row) for each in caches for row in unpushed(each)]
    if output in ("json", "yaml"):
        shown = {
            "items": [row.model_dump(mode="json") for row in rows],
            "total": len(rows),
            "unpushed": [{"cache": name, **row.model_dump(mode="json")} for name, row in beyond],
        }
        screen.say(document(shown, output))
    elif output == "name":
        screen.say(*(row.image for row in rows))
    else:
        _show(caches, rows, beyond, screen)


def _show(
    caches: Sequence[ImageCache],
    rows: Sequence[CachedImage],
    beyond: Sequence[tuple[str, UnpushedImage]],
    screen: Screen,
) -> None:
    has_cache = len({row.cache for row in rows} | {name for name, _ in beyond}) > 1
    cells = [_cells(row, screen, has_cache=has_cache) for row in rows]
    cells += [_beyond(row, screen, name if has_cache else None) for name, row in beyond]
    if not cells:
        screen.tell("no images yet: kubectl cyroid push IMAGE, or a range that wants one")
        return
    heads = [*(["CACHE"] if has_cache else []), "IMAGE", "THERE", "SIZE", "DIGEST"]
    heads += ["PLATFORM"] if screen.is_wide else []
    screen.say(*table([*heads, "FROM", "USED BY", "WHY"], cells, screen))
    omitted = sum(each.status.images_omitted for each in caches)
    stored = sum(each.status.stored_bytes or 0 for each in caches)
    there = sum(row.digest is not None for row in rows)
    more = f", and {omitted} more that status does not list" if omitted else ""
    screen.say(f"{there} of {len(rows)} in the registry, {size(stored)}{more}")
    if beyond:
        screen.tell(f"{count(len(beyond), 'image')} of sources not in the registry: push IMAGE")


def _cells(row: CachedImage, screen: Screen, *, has_cache: bool) -> list[Cell]:
    state = READY if row.digest else FAILED if row.reason else GOING
    users = "?" if row.used_by_count is None else str(row.used_by_count)
    why = f"{row.reason}: {row.message}" if row.reason else ""
    digest = row.digest or "-"
    return [
        *([row.cache] if has_cache else []),
        row.image,
        mark(state, screen),
        size(row.size_bytes),
        digest if screen.is_wide else digest[:SHORT_DIGEST],
        *([row.platform or "-"] if screen.is_wide else []),
        row.source or "-",
        users,
        why,
    ]


def _beyond(row: UnpushedImage, screen: Screen, cache: str | None) -> list[Cell]:
    built = f" since {row.created:%Y-%m-%d %H:%M}" if row.created else ""
    return [
        *([cache] if cache else []),
        row.image,
        ("no" if screen.is_plain else "+", "dim"),
        size(row.size_bytes),
        "-",
        *(["-"] if screen.is_wide else []),
        row.source,
        "-",
        f"in {row.source}{built}, not in the registry: kubectl cyroid push",
    ]


@click.command
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--platform", metavar="OS/ARCH", help="Platform, such as linux/amd64.")
@click.option("-w", "--wait", "is_waiting", is_flag=True, help="Follow until they are there.")
@time_limit("1h")
@named_cache
@access
@click.pass_context
def push(  # noqa: PLR0913 - click passes each option by its name
    ctx: click.Context,
    names: tuple[str, ...],
    platform: str | None,
    cache: str,
    seconds: float,
    *,
    is_waiting: bool,
) -> None:
    """Bring images into the registry: lists them in the ImageCache, so they also stay there.

    An image that is listed already is looked at anew. With --wait: exit code 0 when each is
    proven to be in the registry, 1 when one failed, 124 at the time-out.
    """
    screen, api = Screen(), api_of(ctx)
    wanted = [Reference.parse(name) for name in dict.fromkeys(names)]
    before = _parsed(read_cache(api, cache), screen)
    token = token_hex(8)
    changed = change(
        api,
        cache_path(cache),
        lambda body: _with_a_look(edits.push(body, names, platform=platform), token),
    )
    for image in wanted:
        screen.say(_began(image, push_status(before, image), is_new=changed is not None))
    if is_waiting:
        ctx.exit(_followed(api, cache, wanted, seconds))


def _with_a_look(patch: edits.Patch | None, token: str) -> edits.Patch:
    """The patch, and the wish for a pass now: whose token status shows what is newer than it."""
    look = edits.reconcile(token)
    if patch is None:
        return look
    return {**patch, "metadata": {**patch["metadata"], **look["metadata"]}}


def _began(image: Reference, was: PushStatus | None, *, is_new: bool) -> str:
    """What was asked for is told, never that it is there."""
    if was is None or not is_new:
        return f"Push started: {image}"
    match was.status:
        case PushPhase.COMPLETED:
            return f"In the registry already, looked at anew: {image} {was.digest}"
        case PushPhase.FAILED:
            return f"Push started again: {image} (it failed before: {was.reason})"
        case _:
            return f"Push already in progress: {image} ({was.progress_percent}%)"


def _followed(api: ApiServer, cache: str, images: Sequence[Reference], seconds: float) -> int:
    """Until each push is over; the exit code."""
    screen, deadline = Screen(), time.monotonic() + seconds
    query = {"fieldSelector": f"metadata.name={cache}"}
    with painter(screen) as shown:
        for tick in follow(api, CACHES, query, shown.note):
            body = tick.objects.get(("", cache))
            if body is None:
                raise CyroidError(f"ImageCache {cache} was deleted meanwhile")
            read = _parsed(body, screen)
            states = [push_status(read, image) for image in images]
            _paint(shown, images, states, screen)
            # A failure from before counts only when a pass has seen what was asked for.
            is_seen = read.status.last_handled_reconcile_at == read.metadata.reconcile_at
            code = _verdict(states, is_seen=is_seen)
            if code is not None:
                return code
            if time.monotonic() >= deadline:
                screen.tell("time is over; the push goes on: kubectl cyroid images")
                return TIMED_OUT
    return FAILED


def _verdict(states: Iterable[PushStatus | None], *, is_seen: bool) -> int | None:
    """0 when all are there, 1 when none moves any more and one failed or is asked for no longer;
    None before, and as long as what is told may be of an earlier push."""
    found = list(states)
    if not is_seen or not all(each is None or each.is_over for each in found):
        return None
    return 0 if all(each and each.status is PushPhase.COMPLETED for each in found) else 1


def _paint(
    shown: Painter, images: Sequence[Reference], states: Sequence[PushStatus | None], screen: Screen
) -> None:
    lines = {}
    for image, state in zip(images, states, strict=True):
        text = "not seen yet" if state is None else push_text(state, screen)
        part = None if state is None else (state.status, state.progress_percent // 10)
        sign = mark(GOING if state is None else push_state(state), screen)
        lines[str(image)] = (part, [sign, str(image), text])
    shown.show(
        lambda: table(["", "IMAGE", "PUSH"], [row for _, row in lines.values()], screen),
        {name: (part, f"{name}: {row[2]}") for name, (part, row) in lines.items()},
    )


@click.command
@click.argument("names", metavar="IMAGE...", nargs=-1, required=True)
@click.option("-y", "--yes", "is_sure", is_flag=True, help="Do not ask.")
@named_cache
@access
@click.pass_context
def delete(ctx: click.Context, names: tuple[str, ...], cache: str, *, is_sure: bool) -> None:
    """Take images off the ImageCache, and have their tags removed from the registry.

    What a range wants is refused, with who wants it; sources keep what they have. The disk is
    freed later: kubectl cyroid gc.
    """
    screen, api = Screen(), api_of(ctx)
    wanted = [Reference.parse(name) for name in dict.fromkeys(names)]
    read = _parsed(read_cache(api, cache), screen)
    ranges = ranges_or_none(api, screen)
    users = used_by(read, ranges or ())
    for image in wanted:
        who = users.get(stored_as(read, image), ())
        if who:
            more = f" and {len(who) - MOST_NAMED} more" if len(who) > MOST_NAMED else ""
            raise CyroidError(
                f"{image} is wanted by {', '.join(who[:MOST_NAMED])}{more}: take it off there first"
            )
    if not is_sure and not sys.stdin.isatty():
        raise click.UsageError("Deleting without a terminal needs --yes.", ctx)
    if not is_sure:
        unknown = " Which ranges want it is not known." if ranges is None else ""
        asked = ", ".join(map(str, wanted))
        click.confirm(f"Remove {asked} from the registry of cache {cache}?{unknown}", abort=True)
    changed = change(api, cache_path(cache), lambda body: edits.remove(body, names))
    for image in wanted:
        word = "Removal asked for" if changed is not None else "Removed before"
        screen.say(f"{word}: {image}")


def _parsed(body: ApiObject, screen: Screen) -> ImageCache:
    found = parsed_caches([body], screen.tell)
    if not found:
        raise CyroidError("the ImageCache cannot be read: is this tool older than the operator?")
    return found[0]
