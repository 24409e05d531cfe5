"""An object that breaks a rule of its kind, as while the stored CRD is older than the operator."""

from __future__ import annotations

import asyncio

from cyroid_images.store.keys import Kind
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import CACHE, DIND, READY, SOURCES, a_range
from tests.unit.reconcile.town import Town, lived
from tests.unit.reconcile.virtual_time import comes
from tests.unit.reconcile.watched import with_metadata

EDITED = {"generation": 2, "resourceVersion": "50"}
MENDED = {"generation": 3, "resourceVersion": "60"}
LONG_SECONDS = 3600.0


def test_a_broken_range_is_not_looked_at_and_wants_nothing_until_it_is_mended() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        odd = with_metadata(a_range(images=[]), **EDITED)
        town.cluster.listed[Kind.RANGE_IMAGES] = [odd]
        town.loop.changed("RangeImages", "MODIFIED", odd)
        await comes(lambda: town.told().get("Stalled") == "True/InvalidSpec")
        looks = town.engines.looks.count(DIND)
        await asyncio.sleep(LONG_SECONDS)
        assert town.engines.looks.count(DIND) == looks
        assert not town.parts.demand.wishes("default")
        mended = with_metadata(a_range(), **MENDED)
        town.cluster.listed[Kind.RANGE_IMAGES] = [mended]
        town.loop.changed("RangeImages", "MODIFIED", mended)
        await comes(lambda: town.told().get("Ready") == READY)

    lived(scenario)


def test_a_broken_cache_asks_nobody_until_it_is_mended() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        odd = with_metadata(cache_body(sources=[{"name": "x"}]), **EDITED)
        town.cluster.listed[Kind.IMAGE_CACHE] = [odd]
        town.loop.changed("ImageCache", "MODIFIED", odd)
        await comes(lambda: "True" in town.told(CACHE).get("Stalled", ""))
        asked = town.shelf.pings, town.engines.looks.count(BUILDER.url)
        await asyncio.sleep(LONG_SECONDS)
        assert (town.shelf.pings, town.engines.looks.count(BUILDER.url)) == asked
        mended = with_metadata(cache_body(sources=SOURCES), **MENDED)
        town.cluster.listed[Kind.IMAGE_CACHE] = [mended]
        town.loop.changed("ImageCache", "MODIFIED", mended)
        await comes(lambda: town.told().get("Ready") == READY)

    lived(scenario)
