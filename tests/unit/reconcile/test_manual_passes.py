"""A manual pass (`cyroid.io/reconcile-at`) looks at everything now, and says when it has."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cyroid_images.model.actions import Pull, Push
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import CACHE, DIND, RANGE, READY, SOURCES, a_range
from tests.unit.reconcile.town import IMAGE, Town, lived
from tests.unit.reconcile.virtual_time import comes
from tests.unit.reconcile.watched import with_metadata

SELDOM = "10m"


def asked(body: dict[str, Any], token: str) -> dict[str, Any]:
    """The same object with the annotation."""
    annotations = {"cyroid.io/reconcile-at": token}
    return with_metadata(body, annotations=annotations, resourceVersion="2000")


def handled(town: Town) -> list[str | None]:
    """The token that each status of the range tells."""
    rows = [status for key, _, status in town.cluster.statuses if key == RANGE]
    return [status.get("lastHandledReconcileAt") for status in rows]


def test_a_manual_pass_of_a_range_looks_at_its_engines_and_tells_no_sooner_that_it_has() -> None:
    """What was removed by hand a moment ago is missed at once, not at the next interval."""

    async def scenario(town: Town) -> None:
        body = a_range(interval=SELDOM)
        town.cluster.listed[RANGE.kind] = [body]
        await town.become_ready()
        await asyncio.sleep(1)
        looks = town.engines.looks.count(DIND)
        del town.holds[DIND][IMAGE]
        town.acts[DIND] = lambda: town.hanging.hang(3)
        town.loop.changed("RangeImages", "MODIFIED", asked(body, "now"))
        await asyncio.sleep(2)
        assert town.engines.looks.count(DIND) == looks + 1
        assert "now" not in handled(town)
        del town.acts[DIND]
        await comes(lambda: "now" in handled(town) and town.told()["Ready"] == READY, 30)
        assert town.holds[DIND]
        first = handled(town).index("now")
        assert not town.words(since=0)[first]["Ready"].startswith("True")

    assert [type(each) for each in lived(scenario).movers.moves] == [Push, Pull, Pull]


def test_a_manual_pass_of_a_cache_looks_at_sources_and_registry() -> None:
    """A tag that moved at its source is followed at once."""

    async def scenario(town: Town) -> None:
        body = cache_body(sources=SOURCES, refresh={"interval": SELDOM})
        town.cluster.listed[CACHE.kind] = [body]
        await town.become_ready()
        await asyncio.sleep(1)
        builder = next(url for url in town.holds if url != DIND)
        town.holds[builder][IMAGE] = "two"
        town.loop.changed("ImageCache", "MODIFIED", asked(body, "now"))
        await comes(lambda: town.holds[DIND] == {IMAGE: "two"}, 30)
        await comes(lambda: town.told()["Ready"] == READY, 30)

    assert [type(each) for each in lived(scenario).movers.moves] == [Push, Pull, Push, Pull]


@pytest.mark.parametrize("slow", ["ping", "manifests", "source"])
def test_a_manual_pass_of_a_cache_is_over_when_the_last_look_is_whichever_that_was(
    slow: str,
) -> None:
    """Also where that one shows what the one before showed, and nothing else happens."""

    async def scenario(town: Town) -> None:
        body = cache_body(sources=SOURCES, refresh={"interval": SELDOM})
        town.cluster.listed[CACHE.kind] = [body]
        await town.become_ready()
        await asyncio.sleep(1)

        def hang() -> None:
            town.hanging.hang(3)

        town.shelf.hang = hang if slow == "ping" else None
        town.shelf.hang_on_manifests = hang if slow == "manifests" else None
        town.acts |= {BUILDER.url: hang} if slow == "source" else {}
        town.loop.changed("ImageCache", "MODIFIED", asked(body, "now"))
        await asyncio.sleep(2)
        assert town.cluster.last(CACHE).get("lastHandledReconcileAt") != "now"
        await comes(lambda: town.cluster.last(CACHE).get("lastHandledReconcileAt") == "now", 10)

    lived(scenario)


def test_a_manual_pass_of_a_range_is_over_when_the_look_at_a_silent_engine_is() -> None:
    async def scenario(town: Town) -> None:
        body = a_range(interval=SELDOM)
        town.cluster.listed[RANGE.kind] = [body]
        await town.become_ready()
        held = town.holds.pop(DIND)
        town.look_again()
        await comes(lambda: town.told()["Ready"].startswith("False"))
        await asyncio.sleep(100)

        def answer_late() -> None:
            del town.acts[DIND]
            town.hanging.hang(8)
            town.holds[DIND] = held

        town.acts[DIND] = answer_late
        town.loop.changed("RangeImages", "MODIFIED", asked(body, "now"))
        await comes(lambda: "now" in handled(town), 60)
        assert town.told()["Ready"] == READY

    lived(scenario)


def test_a_manual_pass_of_a_cache_is_over_when_the_look_at_a_silent_source_is() -> None:
    async def scenario(town: Town) -> None:
        body = cache_body(sources=SOURCES, images=[{"image": IMAGE}], refresh={"interval": SELDOM})
        town.cluster.listed[CACHE.kind] = [body]
        await town.become_ready()
        held = town.holds.pop(BUILDER.url)
        town.look_again(BUILDER.url)
        await comes(lambda: town.told(CACHE)["SourceAvailable"].startswith("False"))
        await asyncio.sleep(100)

        def answer_late() -> None:
            del town.acts[BUILDER.url]
            town.hanging.hang(8)
            town.holds[BUILDER.url] = held

        town.acts[BUILDER.url] = answer_late
        town.loop.changed("ImageCache", "MODIFIED", asked(body, "now"))
        await comes(lambda: town.cluster.last(CACHE).get("lastHandledReconcileAt") == "now", 60)
        assert town.told(CACHE)["SourceAvailable"].startswith("True")

    lived(scenario)
