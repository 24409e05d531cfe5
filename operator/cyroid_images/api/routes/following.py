"""What changes, as server-sent events: of a registry, and of ranges.

Each stream begins with how everything is. While that is not known it says so: event `problem`,
with the body of an error.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Response
from pydantic import TypeAdapter

from cyroid_images.api.changed import KnownRange, RangesByName
from cyroid_images.api.routes.ranges import EventChoice
from cyroid_images.api.routes.registry import stats_of
from cyroid_images.api.services import AboutAll, AboutCache, Asking
from cyroid_images.api.streams import REVIEW_SECONDS, EventStream, Look, StreamOfChanges, event
from cyroid_images.api.visible import visible_namespaces
from cyroid_images.overview.operations import PushStatus, pushes
from cyroid_images.overview.registry import UnpushedImage, unpushed

router = APIRouter(prefix="/api/v1", tags=["events"])

_PUSHES = TypeAdapter(tuple[PushStatus, ...])
_UNPUSHED = TypeAdapter(tuple[UnpushedImage, ...])
STATS_SECONDS = 1.0
"""A push is told at once, however long the registry takes to list thousands of names."""
ROWS_AT_ONCE = 50
"""Ranges of one event: a reader that is slow holds no more than that in memory."""
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}


@router.get("/registry/events", response_class=Response, responses=_STREAM)
async def registry_events(about: AboutCache) -> EventStream:
    """Events `pushes`, `stats` and `unpushed`, each as its GET answers."""
    await about.may_see()
    return _stream(about, _registry(about))


@router.get("/ranges/events", response_class=Response, responses=_STREAM)
async def range_events(about: AboutAll, event: EventChoice = None) -> EventStream:
    """Events `ranges`: rows that changed and names that went; the first has `reset`."""
    await visible_namespaces(about, None)
    return _stream(about, _RangesLook(about, event))


def _stream(about: Asking, look: Look) -> EventStream:
    services = about.services
    follower = StreamOfChanges(services.world, services.callers, about.token, look)
    pieces = follower.events(lambda: services.streams.is_ending)
    return EventStream(pieces, services.streams, about.caller.user)


def _registry(about: Asking) -> Look:
    sent: dict[str, bytes] = {}
    rights = _Rights(about)

    async def look() -> list[bytes]:
        if rights.are_due():
            await about.may_see()
            rights.are_given()
        cache = about.world.cache(about.cache)
        key = ("registry", about.cache, about.world.version)

        async def make() -> list[bytes]:
            return [
                event("pushes", _PUSHES.dump_json(pushes(cache))),
                event(
                    "stats",
                    (await stats_of(about, cache, STATS_SECONDS)).model_dump_json().encode(),
                ),
                event("unpushed", _UNPUSHED.dump_json(unpushed(cache))),
            ]

        pieces = await about.services.told.get(key, make)
        names = ("pushes", "stats", "unpushed")
        new = {
            name: piece
            for name, piece in zip(names, pieces, strict=True)
            if sent.get(name) != piece
        }
        sent.update(new)
        return list(new.values())

    return look


class _Rights:
    """When to ask again what a reader may see: each change would make a crowd of questions."""

    def __init__(self, about: Asking) -> None:
        self._clock = about.services.clock
        self._due = -math.inf

    def are_due(self) -> bool:
        return self._clock() >= self._due

    def are_given(self) -> None:
        """Not before: who was refused is asked about again with the next change."""
        self._due = self._clock() + REVIEW_SECONDS


class _RangesLook:
    """What is new of the ranges that one caller may see."""

    def __init__(self, about: Asking, chosen: str | None) -> None:
        self._about = about
        self._event = chosen
        self._seen = -1
        """Number of the last change that was sent; below zero: nothing was."""
        self._allowed: frozenset[str] | None = None
        self._rights = _Rights(about)

    async def __call__(self) -> list[bytes]:
        if self._rights.are_due():
            allowed = await visible_namespaces(self._about, None)
            if allowed != self._allowed:
                self._allowed, self._seen = allowed, -1
            self._rights.are_given()
        allowed = self._allowed
        known = self._about.world.ranges()
        now, before = known.number, self._seen
        if now == before:
            return []
        key = ("ranges", self._event, allowed, before, now)

        async def make() -> list[bytes]:
            return changes(known, before, self._event, allowed)

        pieces = await self._about.services.told.get(key, make)
        self._seen = now
        return pieces


def changes(
    known: RangesByName, before: int, chosen: str | None, allowed: frozenset[str] | None
) -> list[bytes]:
    """Events that tell what changed after that number, as `overview.pages.RangeChanges`."""
    told = known.since(before) if before >= 0 else None
    visible = [each for each in known if allowed is None or each.row.namespace in allowed]
    mine = [each for each in visible if chosen in (None, each.row.event)]
    counts = {"ready": sum(each.row.ready is True for each in mine), "total": len(mine)}
    if told is None:
        return _parts(mine, (), counts, reset=True)
    changed, gone = told
    seen = [each for each in changed if allowed is None or each.row.namespace in allowed]
    removed = [f"{space}/{name}" for space, name in gone if allowed is None or space in allowed]
    # What left the event is gone from it.
    left = [each.row for each in seen if chosen not in (None, each.row.event)]
    removed += [f"{row.namespace}/{row.name}" for row in left]
    news = [each for each in seen if chosen in (None, each.row.event)]
    return _parts(news, removed, counts, reset=False) if news or removed else []


def _parts(
    rows: Sequence[KnownRange],
    removed: Iterable[str],
    counts: Mapping[str, int],
    *,
    reset: bool,
) -> list[bytes]:
    """The first part has all but the rows that do not fit."""
    parts = []
    for start in range(0, max(len(rows), 1), ROWS_AT_ONCE):
        is_first = start == 0
        head = {"reset": reset and is_first, "removed": list(removed) if is_first else [], **counts}
        listed = b",".join(each.json for each in rows[start : start + ROWS_AT_ONCE])
        text = json.dumps(head).encode()
        parts.append(event("ranges", text[:-1] + b', "changed": [' + listed + b"]}"))
    return parts
