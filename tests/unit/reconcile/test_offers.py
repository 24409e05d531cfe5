"""The loop and what nobody asked for: shown, told once, pushed by pushPolicy Automatic."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Push
from cyroid_images.model.engine import ImageListener
from cyroid_images.observe.places import EnginePlace
from cyroid_images.observe.source_events import Listen
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.store.keys import Kind
from tests.unit.plan.examples import BUILDER, cache_body, stored
from tests.unit.reconcile.stage import CACHE, SOURCES
from tests.unit.reconcile.town import Town, lived
from tests.unit.reconcile.virtual_time import comes

KALI = "kali-attack:latest"
CACHED = "True/AllImagesCached"


def rows(town: Town) -> dict[str, bool | None]:
    """By image of the source: is it in the registry?"""
    if not town.told(CACHE):
        return {}
    shown = town.cluster.last(CACHE).get("sourceImages", [])
    return {row["image"]: row.get("inRegistry") for row in shown}


def of_cache(town: Town, **spec: Any) -> None:
    """A cache with that spec, which no range uses."""
    town.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=SOURCES, **spec)]
    town.cluster.listed[Kind.RANGE_IMAGES] = []


def notes(town: Town, reason: Reason) -> list[str]:
    return [note.message for note in town.cluster.notes if note.reason is reason]


def pushes(town: Town) -> list[str]:
    return [str(each.wish) for each in town.movers.moves if isinstance(each, Push)]


def build(town: Town, name: str, word: str) -> None:
    """Somebody builds it, and the engine is looked at, as after its event."""
    town.holds[BUILDER.url][name] = word
    town.look_again(BUILDER.url)


def test_what_a_source_holds_is_shown_and_nothing_of_it_pushed_or_told_at_the_start() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town)
        town.holds[BUILDER.url] = {KALI: "kali", "nginx:1.25": "one"}
        await town.loop.start()
        await comes(lambda: rows(town) == {KALI: False, "nginx:1.25": False})
        assert town.told(CACHE)["Ready"] == CACHED
        await asyncio.sleep(1200)

    town = lived(scenario)
    assert pushes(town) == []
    assert notes(town, Reason.IMAGE_BUILT) == []
    assert town.cluster.last(CACHE)["images"]["desired"] == 0
    assert town.anchors() == {}


def test_what_is_built_later_is_told_once_per_content_and_shown_within_seconds() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town)
        await town.loop.start()
        await comes(lambda: "nginx:1.25" in rows(town))
        build(town, KALI, "kali")
        assert await comes(lambda: rows(town).get(KALI) is False, 30) < 2
        await comes(lambda: len(notes(town, Reason.IMAGE_BUILT)) == 1, 5)
        town.look_again(BUILDER.url)
        await asyncio.sleep(1200)
        assert len(notes(town, Reason.IMAGE_BUILT)) == 1
        build(town, KALI, "kali again")
        await comes(lambda: len(notes(town, Reason.IMAGE_BUILT)) == 2, 5)

    town = lived(scenario)
    assert notes(town, Reason.IMAGE_BUILT)[0].startswith(f"{KALI} is new in builder")
    assert "kubectl cyroid push kali-attack:latest" in notes(town, Reason.IMAGE_BUILT)[0]


def test_many_new_images_are_one_event() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town)
        await town.loop.start()
        await comes(lambda: "nginx:1.25" in rows(town))
        for number in range(12):
            town.holds[BUILDER.url][f"n{number}:1"] = f"word {number}"
        build(town, KALI, "kali")
        await comes(lambda: len(rows(town)) == 14 and None not in rows(town).values(), 30)
        await asyncio.sleep(30)

    town = lived(scenario)
    (said,) = notes(town, Reason.IMAGE_BUILT)
    assert said.startswith("13 images are new in sources")


def test_what_a_range_wants_is_pushed_for_it_and_not_told_as_left_behind() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        build(town, "nginx:1.25", "two")
        await comes(lambda: len(pushes(town)) == 2)
        await comes(lambda: rows(town) == {"nginx:1.25": True})

    town = lived(scenario)
    assert notes(town, Reason.IMAGE_BUILT) == []
    assert len(notes(town, Reason.NEW_DIGEST)) == 1


def test_what_is_wanted_by_an_alias_is_not_told_as_left_behind_either() -> None:
    async def scenario(town: Town) -> None:
        spelled = "127.0.0.1:5000/lab/kali:1"
        of_cache(town, aliases=["127.0.0.1:5000"], images=[{"image": spelled}])
        await town.loop.start()
        await comes(lambda: "nginx:1.25" in rows(town))
        build(town, "lab/kali:1", "kali")
        await comes(lambda: town.told(CACHE)["Ready"] == CACHED, 60)
        await asyncio.sleep(60)
        assert rows(town)["lab/kali:1"] is False, "under that name it is not there"

    town = lived(scenario)
    assert notes(town, Reason.IMAGE_BUILT) == []


def test_a_defect_in_the_offers_costs_no_image(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(town: Town) -> None:
        offers = town.parts.caches.snapshots.offers
        object.__setattr__(offers, "images", None)
        await town.become_ready()

    town = lived(scenario)
    assert "defect" in caplog.text
    assert pushes(town) == ["nginx:1.25"]


def test_automatic_pushes_everything_but_what_is_to_be_removed_and_believes_it() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town, pushPolicy="Automatic", removedImages=[{"image": "old:1"}])
        town.holds[BUILDER.url] = {"old:1": "old", "nginx:1.25": "one"}
        await town.loop.start()
        await comes(lambda: rows(town) == {"nginx:1.25": True, "old:1": False})
        build(town, KALI, "kali")
        assert await comes(lambda: rows(town).get(KALI) is True, 30) < 3
        await asyncio.sleep(1200)

    town = lived(scenario)
    assert sorted(pushes(town)) == [KALI, "nginx:1.25"]
    assert {str(each) for each in town.anchors()} == {KALI, "nginx:1.25"}
    assert notes(town, Reason.IMAGE_BUILT) == []
    assert town.cluster.last(CACHE)["images"]["desired"] == 0
    assert town.cluster.last(CACHE)["onDemand"]["wanted"] == 0


def test_automatic_pushes_new_content_again_and_refills_a_registry_that_lost_all() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town, pushPolicy="Automatic", refresh={"interval": "60s"})
        await town.loop.start()
        await comes(lambda: rows(town) == {"nginx:1.25": True})
        build(town, "nginx:1.25", "two")
        await comes(lambda: len(pushes(town)) == 2)
        await comes(lambda: rows(town) == {"nginx:1.25": True})
        town.shelf.images.clear()
        await comes(lambda: len(pushes(town)) == 3, 120)
        await comes(lambda: rows(town) == {"nginx:1.25": True})

    lived(scenario)


def test_a_push_that_nobody_asked_for_and_that_fails_is_told_and_changes_no_condition() -> None:
    def fail(_: object) -> None:
        raise TransferError(Reason.REGISTRY_FULL, "no space left")

    async def scenario(town: Town) -> None:
        of_cache(town, pushPolicy="Automatic")
        arrive, town.movers.then = town.movers.then, fail
        await town.loop.start()
        await comes(lambda: bool(town.told(CACHE)) and "failures" in town.cluster.last(CACHE))
        (row,) = town.cluster.last(CACHE)["failures"]
        assert (row["image"], row["reason"], row["attempts"]) == ("nginx:1.25", "RegistryFull", 1)
        (shown,) = town.cluster.last(CACHE)["sourceImages"]
        assert (shown["inRegistry"], shown["reason"]) == (False, "RegistryFull")
        assert town.told(CACHE) == {
            "Ready": CACHED,
            "RegistryAvailable": "True/Available",
            "SourceAvailable": "True/Available",
        }
        town.movers.then = arrive
        assert 200 < await comes(lambda: rows(town) == {"nginx:1.25": True}, 600) < 400
        assert "failures" not in town.cluster.last(CACHE)

    lived(scenario)


def test_the_registry_is_asked_for_offers_at_the_pace_of_the_interval_and_few_at_a_time() -> None:
    count = 200

    async def scenario(town: Town) -> None:
        of_cache(town, refresh={"interval": "10m"})
        town.holds[BUILDER.url] = {f"n{number:03}:1": f"w{number}" for number in range(count)}
        await town.loop.start()
        written = len(town.cluster.statuses)
        took = await comes(lambda: len(rows(town)) == count)
        assert took < 15
        assert len(town.cluster.statuses) - written < 6, "the first round is one news"
        assert len(town.shelf.asked) == count
        await asyncio.sleep(3000)
        assert count * 5 <= len(town.shelf.asked) <= count * 6

    lived(scenario)


def test_many_offers_are_asked_for_ten_a_second_at_most_whatever_the_interval() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town, refresh={"interval": "1s"})
        town.holds[BUILDER.url] = {f"n{number:03}:1": f"w{number}" for number in range(100)}
        await town.loop.start()
        await comes(lambda: len(rows(town)) == 100)
        asked = len(town.shelf.asked)
        await asyncio.sleep(100)
        assert 800 < len(town.shelf.asked) - asked < 1100

    lived(scenario)


def test_an_edit_asks_for_no_offer_anew_and_a_manual_pass_for_all() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town)
        town.holds[BUILDER.url] = {f"n{number}:1": f"w{number}" for number in range(10)}
        await town.loop.start()
        await comes(lambda: len(rows(town)) == 10)
        await asyncio.sleep(10)
        asked = len(town.shelf.asked)
        body = cache_body(sources=SOURCES, limits={"interval": "7s"})
        body["metadata"] |= {"generation": 4, "resourceVersion": "2000"}
        town.loop.changed("ImageCache", "MODIFIED", body)
        await asyncio.sleep(10)
        assert len(town.shelf.asked) == asked
        annotated = {"generation": 4, "resourceVersion": "3000"}
        body["metadata"] |= {**annotated, "annotations": {"cyroid.io/reconcile-at": "now"}}
        town.loop.changed("ImageCache", "MODIFIED", body)
        await asyncio.sleep(10)
        assert len(town.shelf.asked) == asked + 10

    lived(scenario)


def test_what_was_removed_from_the_registry_is_seen_to_be_gone_at_once() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town)
        town.shelf.put(stored(), "1.25")
        await town.loop.start()
        await comes(lambda: rows(town) == {"nginx:1.25": True})
        del town.shelf.images["docker.io/library/nginx", "1.25"]
        caches = town.parts.caches
        state = caches._states.find(CACHE)
        assert state is not None
        caches.snapshots.offers.look_again(state, "docker.io/library/other")
        caches.snapshots.offers.look_again(state, "docker.io/library/nginx")
        assert await comes(lambda: rows(town) == {"nginx:1.25": False}, 30) < 2

    lived(scenario)


def test_a_registry_that_cannot_tell_is_asked_for_few_offers_again_and_all_stay_as_known() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town, refresh={"interval": "60s"})
        town.holds[BUILDER.url] = {f"n{number:03}:1": f"w{number}" for number in range(50)}
        await town.loop.start()
        await comes(lambda: len(rows(town)) == 50)
        town.shelf.manifest_error = TransferError(Reason.SERVER_ERROR, "broken")
        await asyncio.sleep(300)
        asked = len(town.shelf.asked)
        await asyncio.sleep(600)
        assert len(town.shelf.asked) - asked < 200, "instead of 50 each half minute"
        assert town.told(CACHE)["RegistryAvailable"] == "True/Available"
        assert set(rows(town).values()) == {False}
        town.shelf.manifest_error = None
        asked = len(town.shelf.asked)
        await comes(lambda: len(town.shelf.asked) - asked >= 50)

    lived(scenario)


def test_a_registry_that_is_away_is_not_asked_for_offers_at_all() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town, pushPolicy="Automatic")
        town.shelf.ping_error = TransferError(Reason.REGISTRY_UNREACHABLE, "refused")
        await town.loop.start()
        await comes(lambda: "nginx:1.25" in rows(town))
        await asyncio.sleep(600)
        assert rows(town) == {"nginx:1.25": None}
        assert town.shelf.asked == []
        town.shelf.ping_error = None
        await comes(lambda: rows(town) == {"nginx:1.25": True}, 30)

    lived(scenario)


def test_after_a_restart_what_was_known_stands_and_nothing_is_told_as_new() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town)
        town.holds[BUILDER.url] = {KALI: "kali", "nginx:1.25": "one"}
        await town.loop.start()
        await comes(lambda: rows(town) == {KALI: False, "nginx:1.25": False})
        await town.restart()
        town.shelf.ping_error = TransferError(Reason.REGISTRY_UNREACHABLE, "refused")
        del town.holds[BUILDER.url]
        await town.loop.start()
        await asyncio.sleep(120)
        assert rows(town) == {KALI: False, "nginx:1.25": False}
        town.holds[BUILDER.url] = {KALI: "kali"}
        town.shelf.ping_error = None
        await comes(lambda: rows(town) == {KALI: False}, 120)

    town = lived(scenario)
    assert notes(town, Reason.IMAGE_BUILT) == []


def test_a_gone_cache_asks_for_no_offers() -> None:
    async def scenario(town: Town) -> None:
        of_cache(town)
        await town.loop.start()
        await comes(lambda: rows(town) == {"nginx:1.25": False})
        town.loop.changed("ImageCache", "DELETED", cache_body(sources=SOURCES))
        town.cluster.listed[Kind.IMAGE_CACHE] = []
        asked = len(town.shelf.asked)
        await asyncio.sleep(3000)
        assert len(town.shelf.asked) == asked
        assert town.parts.observers.images.places() == ()

    lived(scenario)


def test_a_wish_and_an_offer_of_one_image_ask_the_registry_once() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        await comes(lambda: rows(town) == {"nginx:1.25": True})
        assert len(town.parts.observers.images.places()) == 1

    lived(scenario)


class Quiet:
    """Listens to an engine in which nothing happens."""

    def party(self, place: EnginePlace, /) -> str:
        return place.party

    async def prepare(self, place: EnginePlace, /) -> Listen:
        del place
        return self.listen

    def listen(self, listener: ImageListener, scope: CancelScope) -> None:
        listener.began()
        scope.wait(60)


@pytest.mark.parametrize(("is_heard", "looks"), [(False, range(30, 40)), (True, range(8, 12))])
def test_while_something_is_missing_an_engine_that_tells_of_changes_is_looked_at_less_often(
    is_heard: bool, looks: range
) -> None:
    async def scenario(town: Town) -> None:
        town.join(replace(town.lookers(), source_events=Quiet() if is_heard else None))
        town.holds[BUILDER.url] = {}
        await town.loop.start()
        await comes(lambda: bool(town.told(CACHE)) and BUILDER.url in town.engines.looks)
        (place,) = town.parts.observers.source_engines.places()
        if is_heard:
            await comes(lambda: town.parts.observers.source_events.is_live(place))
        await asyncio.sleep(60)
        before = town.engines.looks.count(BUILDER.url)
        await asyncio.sleep(1000)
        assert town.engines.looks.count(BUILDER.url) - before in looks

    lived(scenario)


def test_a_push_that_failed_and_was_made_good_by_hand_is_told_no_more() -> None:
    def fail(_: object) -> None:
        raise TransferError(Reason.IMAGE_REFUSED, "no")

    async def scenario(town: Town) -> None:
        of_cache(town, pushPolicy="Automatic", refresh={"interval": "60s"})
        town.movers.then = fail
        await town.loop.start()
        await comes(lambda: bool(town.told(CACHE)) and "failures" in town.cluster.last(CACHE))
        town.shelf.put(stored(), "1.25")
        await comes(lambda: rows(town) == {"nginx:1.25": True}, 120)
        assert "failures" not in town.cluster.last(CACHE)

    lived(scenario)
