"""Images leave a registry over hours: asked for, or unused; what holds that up, and storms."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push, Remove
from cyroid_images.model.removal import Removed
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body, stored
from tests.unit.reconcile.stage import CACHE, REPOSITORY, SOURCES, a_range
from tests.unit.reconcile.town import IMAGE, REGISTRY_URL, Town, cache_for, lived
from tests.unit.reconcile.virtual_time import comes, virtual
from tests.unit.reconcile.watched import with_metadata

PLACE = (REPOSITORY, "1.25")
OVER = {"registry": {"pushURL": REGISTRY_URL, "pullHost": "127.0.0.1:5000"}}
LONG = 2 * 3600.0
"""Seconds of virtual time: many times every pause but the longest."""


def set_cache(town: Town, **spec: Any) -> None:
    """Edit the cache."""
    listed = town.cluster.listed[Kind.IMAGE_CACHE]
    generation = listed[0]["metadata"]["generation"] + 1
    body = with_metadata(
        cache_body(sources=SOURCES, **spec),
        generation=generation,
        resourceVersion=str(1000 * generation),
    )
    town.cluster.listed[Kind.IMAGE_CACHE] = [body, *listed[1:]]
    town.loop.changed("ImageCache", "MODIFIED", body)


def asked_to_go(*images: str) -> dict[str, Any]:
    return {"removedImages": [{"image": image} for image in images or (IMAGE,)]}


def drop_range(town: Town) -> None:
    town.cluster.listed[Kind.RANGE_IMAGES] = []
    town.loop.changed("RangeImages", "DELETED", a_range())


def make_range(town: Town, **spec: Any) -> None:
    town.cluster.listed[Kind.RANGE_IMAGES] = [a_range(**spec)]
    town.loop.changed("RangeImages", "ADDED", a_range(**spec))


def row(town: Town, key: Key = CACHE) -> Mapping[str, Any]:
    """The first row of removedImages; empty where there is none."""
    if not any(each == key for each, _, _ in town.cluster.statuses):
        return {}
    return next(iter(town.cluster.last(key).get("removedImages") or ()), {})


def unused(town: Town) -> Mapping[str, str]:
    rows = town.cluster.last(CACHE).get("unusedImages") or ()
    return {each["image"]: each["since"] for each in rows}


def removals(town: Town) -> list[Remove]:
    return [move for move in town.movers.moves if isinstance(move, Remove)]


def notes(town: Town, reason: Reason = Reason.IMAGE_REMOVED) -> list[str]:
    return [note.message for note in town.cluster.notes if note.reason is reason]


def takes_out(town: Town) -> None:
    """Removals take out of the shelves what they are told to."""

    def take(action: Remove) -> Removed:
        images = town.shelves[action.registry.url].images
        found = images.pop((action.repository, action.tag), None)
        if found is None:
            return Removed()
        images.pop((action.repository, str(found.manifest.digest)), None)
        return Removed((found.manifest.digest,), (action.tag,))

    town.movers.takes_out = take


async def filled(town: Town) -> None:
    """The range has its image, by the registry; nothing of it is listed."""
    takes_out(town)
    await town.loop.start()
    await comes(lambda: town.told().get("Ready") == "True/AllImagesPresent")
    await comes(lambda: bool(town.anchors()))


def test_what_a_range_wants_stays_until_nobody_wants_it() -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        set_cache(town, **asked_to_go())
        await comes(lambda: row(town).get("reason") == "ImageWanted")
        assert row(town)["message"].startswith("wanted by default/r; ")
        assert not removals(town)
        drop_range(town)
        await comes(lambda: row(town).get("isRemoved", False), 30)
        assert row(town) == {"image": IMAGE, "isRemoved": True}
        assert not town.shelf.images
        assert not town.anchors()
        what = f"{REPOSITORY}:1.25, {stored().manifest.digest}"
        why = "spec.removedImages lists it"
        assert notes(town) == [f"{IMAGE} was removed from the registry ({what}): {why}"]
        assert not town.cluster.last(CACHE).get("digests")

    town = lived(scenario)
    assert removals(town)[0].known == {stored().manifest.digest}


def test_what_was_removed_is_brought_again_when_a_range_wants_it() -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        set_cache(town, **asked_to_go())
        drop_range(town)
        await comes(lambda: row(town).get("isRemoved", False))
        make_range(town)
        await comes(lambda: PLACE in town.shelf.images, 10)
        await comes(lambda: row(town).get("reason") == "ImageWanted")

    lived(scenario)


def test_who_pushes_it_again_is_answered_with_growing_pauses() -> None:
    async def scenario(town: Town) -> None:
        takes_out(town)
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        take = town.movers.takes_out

        def stubborn(action: Remove) -> Removed:
            done = take(action)
            town.shelf.put(stored(), "1.25")  # right after the proof
            return done

        town.movers.takes_out = stubborn
        town.shelf.put(stored(), "1.25")
        set_cache(town, **asked_to_go())
        await town.loop.start()
        await asyncio.sleep(LONG)

    town = lived(scenario)
    assert 5 < len(removals(town)) < 9
    assert len(notes(town)) == len(removals(town))
    assert not notes(town)[0].endswith("pushed it again")
    assert notes(town)[-1].endswith("; somebody had pushed it again")


@pytest.mark.parametrize(
    ("reason", "least", "most"), [(Reason.DELETION_REFUSED, 10, 16), (Reason.TIMEOUT, 25, 40)]
)
def test_what_the_registry_refuses_is_told_and_tried_again_with_pauses(
    reason: Reason, least: int, most: int
) -> None:
    async def scenario(town: Town) -> None:
        def refuse(action: Remove) -> Removed:
            raise TransferError(reason, f"no: {action.tag}")

        town.movers.takes_out = refuse
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        set_cache(town, **asked_to_go())
        await town.loop.start()
        await comes(lambda: row(town).get("reason") == reason)
        assert row(town)["message"] == "no: 1.25"
        await asyncio.sleep(LONG)
        takes_out(town)
        await comes(lambda: row(town).get("isRemoved", False), 700)

    town = lived(scenario)
    assert least < len(removals(town)) < most
    assert len(notes(town, reason)) == 1


def test_a_registry_that_is_away_is_told_and_what_was_asked_is_done_when_it_is_back() -> None:
    async def scenario(town: Town) -> None:
        takes_out(town)
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        town.shelf.put(stored(), "1.25")
        town.shelf.ping_error = TransferError(Reason.REGISTRY_UNREACHABLE, "refused")
        set_cache(town, **asked_to_go())
        await town.loop.start()
        await comes(lambda: row(town).get("reason") == "RegistryUnreachable")
        assert not removals(town)
        town.shelf.ping_error = None
        await comes(lambda: row(town).get("isRemoved", False), 30)

    lived(scenario)


def test_a_suspended_cache_removes_nothing_until_it_goes_on() -> None:
    async def scenario(town: Town) -> None:
        takes_out(town)
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        set_cache(town, suspend=True, **asked_to_go())
        await town.loop.start()
        await comes(lambda: row(town).get("reason") == "Suspended")
        await asyncio.sleep(4000)
        assert not removals(town)
        set_cache(town, **asked_to_go())
        await comes(lambda: row(town).get("isRemoved", False))

    lived(scenario)


def test_a_range_that_cannot_be_read_may_want_anything() -> None:
    async def scenario(town: Town) -> None:
        takes_out(town)
        broken = with_metadata(a_range(), name="odd", uid="odd")
        town.cluster.listed[Kind.RANGE_IMAGES] = [{**broken, "spec": {}}]
        set_cache(town, retention={"unused": "1m"}, **asked_to_go())
        await town.loop.start()
        await comes(lambda: row(town).get("reason") == "InvalidSpec")
        assert row(town)["message"].startswith("RangeImages default/odd cannot be read")
        await asyncio.sleep(4000)
        assert not removals(town)
        town.loop.changed("RangeImages", "DELETED", broken)
        await comes(lambda: row(town).get("isRemoved", False), 400)

    lived(scenario)


def test_a_push_that_runs_into_the_repository_comes_first() -> None:
    """What the removal reads of other tags would not show it."""

    async def scenario(town: Town) -> None:
        takes_out(town)
        town.shelf.put(stored("two"), "old")

        def slow(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Push):
                town.hanging.hang(100)
                assert not removals(town)
            town.arrive(action)

        town.movers.then = slow
        await town.loop.start()
        await comes(lambda: any(isinstance(move, Push) for move in town.movers.moves))
        set_cache(town, **asked_to_go("nginx:old"))
        await comes(lambda: "waits for a push" in row(town).get("message", ""))
        await comes(lambda: row(town).get("isRemoved", False), 130)
        assert PLACE in town.shelf.images

    lived(scenario)


def test_a_push_waits_for_a_removal_in_its_repository() -> None:
    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        town.shelf.put(stored("two"), "old")
        takes_out(town)
        take = town.movers.takes_out

        def slow(action: Remove) -> Removed:
            town.hanging.hang(40)
            assert not [move for move in town.movers.moves if isinstance(move, Push)]
            return take(action)

        town.movers.takes_out = slow
        set_cache(town, **asked_to_go("nginx:old"))
        await town.loop.start()
        await comes(lambda: bool(removals(town)))
        make_range(town)
        await comes(lambda: PLACE in town.shelf.images, 100)
        assert (REPOSITORY, "old") not in town.shelf.images

    lived(scenario)


def test_a_cache_over_the_same_registry_keeps_what_it_lists() -> None:
    async def scenario(town: Town) -> None:
        takes_out(town)
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        town.shelf.put(stored(), "1.25")
        other = cache_for("other", images=[{"image": IMAGE}], sources=SOURCES, **OVER)
        town.cluster.listed[Kind.IMAGE_CACHE] += [other]
        set_cache(town, **asked_to_go())
        await town.loop.start()
        await comes(lambda: row(town).get("reason") == "ImageWanted")
        assert row(town)["message"].startswith("wanted by spec.images of ImageCache other; ")
        town.loop.changed("ImageCache", "DELETED", other)
        town.cluster.listed[Kind.IMAGE_CACHE].pop()
        await comes(lambda: row(town).get("isRemoved", False), 400)

    town = lived(scenario)
    assert len(notes(town)) == 1


def test_two_caches_that_remove_the_same_do_it_once() -> None:
    async def scenario(town: Town) -> None:
        takes_out(town)
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        town.shelf.put(stored(), "1.25")
        town.cluster.listed[Kind.IMAGE_CACHE] += [cache_for("other", **OVER, **asked_to_go())]
        set_cache(town, **asked_to_go())
        await town.loop.start()
        other = Key(Kind.IMAGE_CACHE, "", "other")
        await comes(lambda: row(town).get("isRemoved", False))
        await comes(lambda: row(town, other).get("isRemoved", False))

    lived(scenario)


# -- what nobody asks for -----------------------------------------------------------------


def test_what_nobody_asks_for_leaves_after_its_time() -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        set_cache(town, retention={"unused": "1h"})
        drop_range(town)
        await comes(lambda: IMAGE in unused(town))
        began = virtual().time()
        await comes(lambda: not unused(town), 4000)
        assert 3590 < virtual().time() - began < 3620
        assert not town.shelf.images
        assert not town.anchors()
        assert "nobody has asked for it since" in notes(town)[0]

    lived(scenario)


def test_what_is_wanted_again_begins_anew() -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        set_cache(town, retention={"unused": "1h"})
        drop_range(town)
        await comes(lambda: IMAGE in unused(town))
        first = unused(town)[IMAGE]
        await asyncio.sleep(3000)
        make_range(town)
        await comes(lambda: not unused(town))
        drop_range(town)
        await comes(lambda: IMAGE in unused(town))
        assert unused(town)[IMAGE] > first
        await asyncio.sleep(3000)
        assert not removals(town)

    lived(scenario)


def test_a_restart_does_not_begin_anew() -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        set_cache(town, retention={"unused": "1h"})
        drop_range(town)
        await comes(lambda: IMAGE in unused(town))
        since, began = unused(town)[IMAGE], virtual().time()
        for _ in range(3):
            await asyncio.sleep(600)
            await town.restart()
            takes_out(town)
            await town.loop.start()
            await comes(lambda: town.told(CACHE).get("Ready") == "True/AllImagesCached")
            assert unused(town) == {IMAGE: since}
        await comes(lambda: not unused(town), 3000)
        assert virtual().time() - began < 3700

    lived(scenario)


@pytest.mark.parametrize("days", [-400, 400])
def test_a_clock_that_jumps_makes_nothing_leave_early(days: int) -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        set_cache(town, retention={"unused": "1h"})
        drop_range(town)
        await comes(lambda: IMAGE in unused(town))
        town.clock.moment += timedelta(days=days)
        await asyncio.sleep(3400)
        assert not removals(town)
        await asyncio.sleep(800)  # put back it counts from the next pass on
        assert removals(town)

    lived(scenario)


def test_without_retention_nothing_leaves_and_nothing_is_said() -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        drop_range(town)
        await asyncio.sleep(LONG)
        assert not unused(town)
        assert PLACE in town.shelf.images

    town = lived(scenario)
    assert not removals(town)


def test_a_source_keeps_what_leaves_the_registry_and_it_is_not_pushed_again() -> None:
    async def scenario(town: Town) -> None:
        await filled(town)
        set_cache(town, retention={"unused": "1m"})
        drop_range(town)
        await comes(lambda: bool(removals(town)), 200)
        pushed = sum(isinstance(move, Push) for move in town.movers.moves)
        await asyncio.sleep(LONG)
        assert town.holds[BUILDER.url] == {IMAGE: "one"}
        assert sum(isinstance(move, Push) for move in town.movers.moves) == pushed
        assert not town.shelf.images

    town = lived(scenario)
    assert len(removals(town)) == 1
