"""What a policy pushes and what a policy removes never work against each other."""

from __future__ import annotations

import asyncio
from typing import Any

from cyroid_images.model.actions import Push, Remove
from cyroid_images.store.keys import Kind
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import CACHE, SOURCES
from tests.unit.reconcile.test_removals import asked_to_go, drop_range, filled, row, set_cache
from tests.unit.reconcile.town import IMAGE, Town, lived
from tests.unit.reconcile.virtual_time import comes

AUTOMATIC: dict[str, Any] = {"pushPolicy": "Automatic"}
SOON = {"retention": {"unused": "1h"}}
LONG = 4000.0
"""Seconds of virtual time: longer than unused images are kept here."""


def in_registry(town: Town) -> bool | None:
    """What is shown of the image of the source."""
    shown = town.cluster.last(CACHE).get("sourceImages", [])
    return next((each.get("inRegistry") for each in shown if each["image"] == IMAGE), None)


def moves(town: Town, kind: type[Push | Remove]) -> int:
    return sum(isinstance(each, kind) for each in town.movers.moves)


async def left_alone(town: Town) -> None:
    """The registry has the image, and no range wants it any more."""
    await filled(town)
    await comes(lambda: in_registry(town) is True)
    drop_range(town)


def test_what_is_removed_is_shown_as_what_the_registry_lacks_at_once() -> None:
    async def scenario(town: Town) -> None:
        await left_alone(town)
        set_cache(town, **asked_to_go())
        await comes(lambda: row(town).get("isRemoved", False), 30)
        assert await comes(lambda: in_registry(town) is False, 30) < 2

    lived(scenario)


def test_automatic_pushes_nothing_of_what_is_to_be_removed_for_hours() -> None:
    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=SOURCES, **AUTOMATIC)]
        await left_alone(town)
        pushed = moves(town, Push)
        set_cache(town, **AUTOMATIC, **asked_to_go())
        await comes(lambda: row(town).get("isRemoved", False), 30)
        await asyncio.sleep(LONG)
        assert moves(town, Push) == pushed
        assert in_registry(town) is False
        set_cache(town, **AUTOMATIC)
        assert await comes(lambda: in_registry(town) is True, 30) < 5

    lived(scenario)


def test_what_automatic_keeps_is_not_unused_also_while_its_source_is_away() -> None:
    async def scenario(town: Town) -> None:
        await left_alone(town)
        set_cache(town, **AUTOMATIC, **SOON)
        await asyncio.sleep(LONG)
        assert (moves(town, Push), moves(town, Remove)) == (1, 0)
        away = town.holds.pop(BUILDER.url)
        await asyncio.sleep(LONG)
        assert (moves(town, Push), moves(town, Remove)) == (1, 0)
        await town.restart()
        await town.loop.start()
        await asyncio.sleep(LONG)
        assert (moves(town, Push), moves(town, Remove)) == (1, 0)
        town.holds[BUILDER.url] = away
        await asyncio.sleep(LONG)
        assert (moves(town, Push), moves(town, Remove)) == (1, 0)
        set_cache(town, **SOON)
        await comes(lambda: moves(town, Remove) == 1, 2 * 3600)
        await asyncio.sleep(LONG)
        assert moves(town, Push) == 1

    lived(scenario)
