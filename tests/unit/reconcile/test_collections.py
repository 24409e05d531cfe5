"""A collection among passes: pushes wait for it, and nobody takes its pause for an outage."""

from __future__ import annotations

import asyncio
from typing import Any

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Collect, Pull, Push
from cyroid_images.model.collected import Collected
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import CACHE, DIND, RANGE, READY, SOURCES, a_range
from tests.unit.reconcile.town import IMAGE, Town, lived
from tests.unit.reconcile.virtual_time import comes
from tests.unit.reconcile.watched import with_metadata

REGISTRY = {
    "pushURL": "http://127.0.0.1:5001",
    "pullHost": "registry:5000",
    "collectorURL": "http://127.0.0.1:5002",
}
REFUSED = TransferError(Reason.REGISTRY_UNREACHABLE, "connection refused")


def cache(asked: str = "", **spec: Any) -> dict[str, Any]:
    body = cache_body(sources=SOURCES, registry=REGISTRY, **spec)
    annotations = {"cyroid.io/collect": asked} if asked else {}
    return with_metadata(body, annotations=annotations, resourceVersion=f"2{len(asked)}")


def ask(town: Town, asked: str, **spec: Any) -> None:
    """Somebody sets the annotation."""
    body = cache(asked, **spec)
    town.cluster.listed[CACHE.kind] = [body]
    town.loop.changed("ImageCache", "MODIFIED", body)


def told(town: Town) -> dict[str, Any]:
    """The last status.collection."""
    rows = [status for key, _, status in town.cluster.statuses if key == CACHE]
    found: dict[str, Any] = rows[-1].get("collection", {}) if rows else {}
    return found


def events(town: Town, reason: str) -> list[str]:
    return [note.message for note in town.cluster.notes if note.reason == reason]


def collects(town: Town) -> list[Collect]:
    return [each for each in town.movers.moves if isinstance(each, Collect)]


def freeing(town: Town, *, stands_still: bool = True) -> None:
    """Collections of a minute that free five bytes; the push listener stands still meanwhile."""

    def collect(action: Collect) -> Collected:
        town.shelf.ping_error = REFUSED if stands_still else None
        town.hanging.hang(60)
        town.shelf.ping_error = None
        return Collected(action.id, action.is_dry_run, is_over=True, freed_bytes=5, blobs=2)

    town.movers.collects = collect


async def ready(town: Town) -> None:
    town.cluster.listed[CACHE.kind] = [cache()]
    await town.become_ready()


def test_it_is_carried_out_once_and_told() -> None:
    async def scenario(town: Town) -> None:
        await ready(town)
        town.movers.collects = lambda each: Collected(
            each.id, each.is_dry_run, is_over=True, freed_bytes=1_200_000_000, blobs=34
        )
        ask(town, "run/1")
        await comes(lambda: "finished" in told(town), 30)
        assert told(town)["freedBytes"] == 1_200_000_000
        assert told(town)["handled"] == "run/1"
        assert "isDryRun" not in told(town)
        await asyncio.sleep(4000)

    town = lived(scenario)
    (action,) = collects(town)
    assert not action.is_dry_run
    assert action.collector.url == "http://127.0.0.1:5002"
    assert set(town.anchors().values()) <= action.keep
    assert action.keep
    assert events(town, "Collected") == ["freed 1.2 GB in 34 blobs; pushes waited for 0.0 s"]


def test_its_pause_is_no_outage_and_a_new_image_waits_instead_of_coming_by_tar() -> None:
    async def scenario(town: Town) -> None:
        await ready(town)
        freeing(town)
        ask(town, "run/1")
        await comes(lambda: bool(collects(town)), 30)
        since = len(town.cluster.statuses)
        town.holds[BUILDER.url]["new:1"] = "two"
        body = a_range(images=[{"image": IMAGE}, {"image": "new:1"}])
        body = with_metadata(body, generation=4, resourceVersion="99")
        town.loop.changed("RangeImages", "MODIFIED", body)
        await asyncio.sleep(45)
        assert "finished" not in told(town)
        assert not [each for each in town.movers.moves if isinstance(each, Push)][1:]
        await comes(lambda: "new:1" in town.holds[DIND], 60)
        await comes(lambda: town.told().get("Ready") == READY, 60)
        for words in town.words(CACHE, since=since):
            assert words["RegistryAvailable"] == "True/Available"
        for words in town.words(RANGE, since=since):
            assert words["TarFallback"] == "False/NotNeeded"
            assert words["RegistryAvailable"] == "True/Available"

    kinds = [type(each) for each in lived(scenario).movers.moves]
    assert kinds == [Push, Pull, Collect, Push, Pull]


def test_an_outage_that_lasts_beyond_it_is_told() -> None:
    async def scenario(town: Town) -> None:
        await ready(town)
        freeing(town)
        ask(town, "run/1")
        await comes(lambda: "finished" in told(town), 90)
        town.shelf.ping_error = REFUSED
        unreachable = "False/RegistryUnreachable"
        await comes(lambda: town.told(CACHE)["RegistryAvailable"] == unreachable, 60)

    lived(scenario)


def test_a_refusal_meanwhile_is_told_at_once() -> None:
    """A registry that stands still refuses no password."""

    async def scenario(town: Town) -> None:
        await ready(town)
        freeing(town)
        ask(town, "run/1")
        await comes(lambda: bool(collects(town)), 30)
        town.shelf.ping_error = TransferError(Reason.UNAUTHORIZED, "HTTP 401")
        await comes(lambda: town.told(CACHE)["RegistryAvailable"] == "False/Unauthorized", 30)

    lived(scenario)


def test_a_push_that_is_under_way_ends_first() -> None:
    async def scenario(town: Town) -> None:
        ended: list[type] = []
        town.cluster.listed[CACHE.kind] = [cache()]
        arrive = town.movers.then

        def slowly(action: Any) -> None:
            if isinstance(action, Push):
                town.hanging.hang(100)
            ended.append(type(action))
            arrive(action)

        def collect(action: Collect) -> Collected:
            ended.append(Collect)
            return Collected(action.id, action.is_dry_run, is_over=True)

        town.movers.then, town.movers.collects = slowly, collect
        await town.loop.start()
        await comes(lambda: bool(town.parts.executor.under_way()), 30)
        ask(town, "run/1")
        await comes(lambda: "finished" in told(town), 300)
        assert ended.index(Push) < ended.index(Collect)

    lived(scenario)


def test_a_push_that_never_ends_does_not_put_it_off_for_ever() -> None:
    async def scenario(town: Town) -> None:
        town.cluster.listed[CACHE.kind] = [cache()]
        town.movers.then = lambda _: town.hanging.hang()
        await town.loop.start()
        await comes(lambda: bool(town.parts.executor.under_way()), 30)
        ask(town, "run/1")
        await comes(lambda: bool(collects(town)), 400)

    lived(scenario)


def test_the_next_operator_goes_on_with_what_a_killed_one_began() -> None:
    async def scenario(town: Town) -> None:
        await ready(town)
        freeing(town)
        ask(town, "run/1")
        await comes(lambda: "started" in told(town) and bool(collects(town)), 30)
        await town.restart()
        await town.loop.start()
        await comes(lambda: "finished" in told(town), 200)
        await asyncio.sleep(1000)

    town = lived(scenario)
    first, second = collects(town)
    assert first.id == second.id


def test_the_schedule_is_kept_to_the_minute_and_suspend_holds_it() -> None:
    async def scenario(town: Town) -> None:
        spec: dict[str, Any] = {"retention": {"collectEvery": "1h"}}
        town.cluster.listed[CACHE.kind] = [cache(**spec)]
        await town.become_ready()
        await comes(lambda: bool(collects(town)), 40)  # created an hour ago
        await asyncio.sleep(3500)
        assert len(collects(town)) == 1
        await comes(lambda: len(collects(town)) == 2, 200)
        body = with_metadata(cache(suspend=True, **spec), generation=4, resourceVersion="77")
        town.cluster.listed[CACHE.kind] = [body]
        town.loop.changed("ImageCache", "MODIFIED", body)
        await asyncio.sleep(8000)
        assert len(collects(town)) == 2

    lived(scenario)


def test_a_dry_run_holds_nobody_up_and_is_told_in_status_alone() -> None:
    async def scenario(town: Town) -> None:
        await ready(town)
        freeing(town, stands_still=False)
        ask(town, "dry-run/1")
        await comes(lambda: bool(collects(town)), 30)
        town.holds[BUILDER.url]["new:1"] = "two"
        body = a_range(images=[{"image": IMAGE}, {"image": "new:1"}])
        body = with_metadata(body, generation=4, resourceVersion="99")
        town.loop.changed("RangeImages", "MODIFIED", body)
        await comes(lambda: "new:1" in town.holds[DIND], 45)
        await comes(lambda: "finished" in told(town), 60)
        assert told(town)["isDryRun"] is True
        assert told(town)["freedBytes"] == 5

    assert events(lived(scenario), "Collected") == []


def test_one_that_fails_is_told_with_its_reason() -> None:
    def fail(_: Collect) -> Collected:
        raise TransferError(Reason.COLLECTION_FAILED, "the collector says: read-only file system")

    async def scenario(town: Town) -> None:
        await ready(town)
        town.movers.collects = fail
        ask(town, "run/1")
        await comes(lambda: "finished" in told(town), 30)
        assert told(town)["reason"] == "CollectionFailed"
        assert town.told(CACHE)["Ready"] == "True/AllImagesCached"

    assert "read-only" in events(lived(scenario), "CollectionFailed")[0]
