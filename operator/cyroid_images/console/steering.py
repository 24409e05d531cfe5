"""The commands `reconcile`, `suspend`, `resume` and `gc`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any

import click

from cyroid_images import edits
from cyroid_images.console.cluster.api_server import ApiObject, ApiServer
from cyroid_images.console.cluster.following import follow
from cyroid_images.console.cluster.objects import (
    CACHES,
    cache_path,
    change,
    range_path,
    read_cache,
    read_ranges,
)
from cyroid_images.console.cluster.parsing import parsed_caches
from cyroid_images.console.options import (
    access,
    api_of,
    chosen,
    named_cache,
    scope,
    time_limit,
)
from cyroid_images.console.screen.output import Screen
from cyroid_images.console.screen.words import count, size
from cyroid_images.errors import CyroidError
from cyroid_images.model.kinds.lifecycle import CollectionStatus
from cyroid_images.model.kinds.metadata import COLLECT

TIMED_OUT = 124
PatchOf = Callable[[ApiObject], Mapping[str, Any]]


def _steered(name: str, about: str) -> Callable[[Callable[..., None]], click.Command]:
    """The arguments of commands that change ranges, or a cache."""

    def decorate(act: Callable[..., None]) -> click.Command:
        act.__doc__ = about
        command = click.pass_context(act)
        command = scope(command)
        command = click.option(
            "--cache", metavar="NAME", help="This ImageCache instead of ranges."
        )(command)
        command = click.argument("names", metavar="[RANGE]...", nargs=-1)(command)
        return click.command(name)(command)

    return decorate


@_steered("reconcile", "Have ranges, or an ImageCache, looked at now: RANGE..., --event, -A or -n.")
def reconcile(ctx: click.Context, names: tuple[str, ...], cache: str | None) -> None:
    token = token_hex(8)
    _each(ctx, names, cache, lambda _: edits.reconcile(token), "asked to be looked at")


@_steered("suspend", "Transfer nothing to ranges, or into a registry (--cache), from now on.")
def suspend(ctx: click.Context, names: tuple[str, ...], cache: str | None) -> None:
    _each(ctx, names, cache, lambda _: edits.suspend(on=True), "suspended")


@_steered("resume", "Go on with suspended ranges, or a suspended ImageCache (--cache).")
def resume(ctx: click.Context, names: tuple[str, ...], cache: str | None) -> None:
    _each(ctx, names, cache, lambda _: edits.suspend(on=False), "resumed")


def _each(
    ctx: click.Context, names: Sequence[str], cache: str | None, make: PatchOf, done: str
) -> None:
    """Patch what is chosen; who chooses nothing is asked to, since that might be everything."""
    screen = Screen()
    if cache is not None and names:
        raise click.UsageError("Either ranges or --cache.", ctx)
    if cache is None and not names and not _is_chosen(ctx):
        raise click.UsageError("Name ranges, or choose them by --event, -n or -A.", ctx)
    api = api_of(ctx)
    if cache is not None:
        read_cache(api, cache)
        change(api, cache_path(cache), make)
        screen.say(f"ImageCache {cache} {done}")
        return
    where = chosen(ctx, api, tuple(names))
    bodies = read_ranges(api, where)
    if not bodies:
        raise CyroidError(f"there are no ranges{where}: kubectl cyroid status -A shows all")
    for body in bodies:
        metadata = body["metadata"]
        change(api, range_path(metadata["namespace"], metadata["name"]), make)
        screen.say(f"{metadata['namespace']}/{metadata['name']} {done}")


def _is_chosen(ctx: click.Context) -> bool:
    options = ("event", "namespace", "all_namespaces")
    return any(f"cyroid_images.{name}" in ctx.meta for name in options)


@click.command
@click.option("--dry-run", "is_dry", is_flag=True, help="Only count what it would free.")
@click.option("--no-wait", "is_quick", is_flag=True, help="Ask for it, and wait for nothing.")
@time_limit("30m")
@named_cache
@access
@click.pass_context
def gc(ctx: click.Context, cache: str, seconds: float, *, is_dry: bool, is_quick: bool) -> None:
    """Free the registry's disk of what no tag needs any more, or count it (--dry-run).

    Pulls go on meanwhile, writes wait. Exit code 1 when it failed, 124 at the time-out.
    """
    screen, api = Screen(), api_of(ctx)
    token = token_hex(8)
    patch = edits.collect(token, dry_run=is_dry)
    read_cache(api, cache)
    change(api, cache_path(cache), lambda _: patch)
    screen.say(f"{'Dry run' if is_dry else 'Collection'} asked for: cache {cache}")
    if is_quick:
        return
    found = _collected(api, cache, patch["metadata"]["annotations"][COLLECT], seconds, screen)
    if found is None:
        screen.tell("time is over; it goes on by itself: kubectl cyroid doctor")
        ctx.exit(TIMED_OUT)
    if found.reason is not None:
        raise CyroidError(f"the collection failed: {found.reason}: {found.message}")
    verb = "would free" if is_dry else "freed"
    blobs = "" if found.blobs is None else f" in {count(found.blobs, 'blob')}"
    screen.say(f"It {verb} {size(found.freed_bytes)}{blobs}")


def _collected(
    api: ApiServer, cache: str, value: str, seconds: float, screen: Screen
) -> CollectionStatus | None:
    """The end of the collection that answers this value; None at the time-out."""
    deadline = time.monotonic() + seconds
    for tick in follow(api, CACHES, {"fieldSelector": f"metadata.name={cache}"}, screen.tell):
        body = tick.objects.get(("", cache))
        if body is None:
            raise CyroidError(f"ImageCache {cache} was deleted meanwhile")
        for read in parsed_caches([body], screen.tell):
            found = read.status.collection
            if found is not None and found.handled == value and found.finished is not None:
                return found
        if time.monotonic() >= deadline:
            return None
    return None
