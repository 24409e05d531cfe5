"""What is believed of a registry while no source can be seen: what was proven, and no tag."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.reconcile.caches.cache_state import MOST_ANCHORS, CacheState
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, NOW, cache_body, cache_item, digest, stored, wish
from tests.unit.reconcile.stage import CACHE, CACHED, DIND, REPOSITORY, SOURCES, a_range
from tests.unit.reconcile.town import IMAGE, Town, a_pod, lived, range_for, word_of
from tests.unit.reconcile.virtual_time import comes

NEXT = Key(Kind.RANGE_IMAGES, "default", "next")
NEXT_URL = "tcp://10.0.0.2:2375"


def poison(town: Town) -> None:
    """Somebody with the push password moves the tag."""
    town.shelf.put(stored("evil"), "1.25")


def goes_away(town: Town) -> None:
    del town.holds[BUILDER.url]


def restarts_empty(town: Town) -> None:
    """A builder on an emptyDir."""
    town.holds[BUILDER.url] = {}


def hangs(town: Town) -> None:
    """Each look ends at its deadline."""

    def silent() -> None:
        town.hanging.hang(120)
        raise TransferError(Reason.ENGINE_UNREACHABLE, "no answer within 120 s")

    town.acts[BUILDER.url] = silent


LOSSES: dict[str, Callable[[Town], None]] = {
    "away": goes_away,
    "restarted-empty": restarts_empty,
    "silent": hangs,
}


def arrives(town: Town) -> None:
    """One more range that wants the image."""
    town.holds[NEXT_URL] = {}
    next_pod, body = a_pod("next", address="10.0.0.2"), range_for("next")
    town.cluster.listed[Kind.POD].append(next_pod)
    town.cluster.listed[Kind.RANGE_IMAGES].append(body)


def moved_words(town: Town) -> set[str]:
    """The contents that were moved."""
    moves = [m for m in town.movers.moves if isinstance(m, Copy | Push | Pull | Load)]
    return {word_of(m.source.content if isinstance(m, Copy | Push) else m.content) for m in moves}


@pytest.mark.parametrize("policy", ["Track", "Pin"])
@pytest.mark.parametrize("loses", LOSSES.values(), ids=LOSSES)
def test_s9_a_poisoned_tag_is_not_believed_while_no_source_is_seen(
    loses: Callable[[Town], None], policy: str
) -> None:
    """Neither at once nor after a restart; what was proven is delivered to whoever comes."""

    async def scenario(town: Town) -> None:
        body = cache_body(sources=SOURCES, images=[{"image": IMAGE}], refresh={"policy": policy})
        town.cluster.listed[Kind.IMAGE_CACHE] = [body]
        await town.become_ready()
        loses(town)
        poison(town)
        town.look_again(BUILDER.url)
        await asyncio.sleep(120)
        await town.restart()
        arrives(town)
        await town.loop.start()
        await comes(lambda: town.told(NEXT).get("Ready", "").startswith("True"), 200)
        await asyncio.sleep(900)

    town = lived(scenario)
    assert town.holds[NEXT_URL] == {IMAGE: "one"}
    assert town.holds[DIND] == {IMAGE: "one"}
    assert moved_words(town) == {"one"}


@pytest.mark.parametrize("policy", ["Track", "Pin"])
def test_s9_without_what_was_proven_the_source_is_told_as_unreachable(policy: str) -> None:
    async def scenario(town: Town) -> None:
        body = cache_body(sources=SOURCES, images=[{"image": IMAGE}], refresh={"policy": policy})
        town.cluster.listed[Kind.IMAGE_CACHE] = [body]
        await town.become_ready()
        goes_away(town)
        town.shelf.images.clear()
        poison(town)
        await town.restart()
        arrives(town)
        await town.loop.start()
        await comes(lambda: town.told(CACHE).get("Ready") == "False/SourceUnreachable", 120)
        await asyncio.sleep(900)
        assert town.told(NEXT)["Ready"] == "False/SourceUnreachable"

    town = lived(scenario)
    assert town.holds[NEXT_URL] == {}
    assert moved_words(town) == {"one"}


def test_s9_a_tag_that_no_source_ever_showed_is_not_believed() -> None:
    """The first start, and the builder is away: nothing was ever proven."""

    async def scenario(town: Town) -> None:
        goes_away(town)
        poison(town)
        await town.loop.start()
        await asyncio.sleep(900)
        assert town.told()["Ready"] == "False/SourceUnreachable"

    assert lived(scenario).movers.moves == []


def test_s9_a_source_that_is_back_is_believed_again() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        goes_away(town)
        poison(town)
        await town.restart()
        await town.loop.start()
        await asyncio.sleep(60)
        town.holds[BUILDER.url] = {IMAGE: "two"}
        await comes(lambda: town.holds[DIND] == {IMAGE: "two"}, 900)

    assert moved_words(lived(scenario)) == {"one", "two"}


def test_b15_every_pinned_image_is_pinned_after_a_restart_however_many_there_are() -> None:
    count = 140

    async def scenario(town: Town) -> None:
        names = [f"app{number:03}:1" for number in range(count)]
        town.holds[BUILDER.url] = dict.fromkeys(names, "one")
        town.cluster.listed[Kind.IMAGE_CACHE] = [
            cache_body(sources=SOURCES, refresh={"policy": "Pin"})
        ]
        ranges: list[Mapping[str, Any]] = []
        for first in range(0, count, 70):
            images = [{"image": name} for name in names[first : first + 70]]
            ranges.append(a_range(f"r{first}", images=images))
        town.cluster.listed[Kind.RANGE_IMAGES] = ranges
        await town.loop.start()
        await comes(lambda: len(town.anchors()) == count)
        await comes(lambda: town.told(CACHE)["Ready"] == CACHED)
        await asyncio.sleep(30)
        town.holds[BUILDER.url] = dict.fromkeys(names, "two")
        await town.restart()
        town.movers.moves.clear()
        await town.loop.start()
        await asyncio.sleep(400)
        assert len(town.anchors()) == count

    assert "two" not in moved_words(lived(scenario))


def test_b15_anchors_are_bounded_and_those_that_nobody_wants_go_first() -> None:
    state = CacheState.of(cache_item(), NOW)
    wanted = [wish(f"wanted{number}:1") for number in range(10)]
    for each in wanted:
        state.anchor(each, digest("old"))
    for number in range(MOST_ANCHORS + 50):
        state.anchor(wish(f"idle{number}:1"), digest("old"))
    state.want(wanted, 0.0)
    assert len(state.anchors) == MOST_ANCHORS
    assert set(wanted) <= state.anchors.keys()
    assert wish(f"idle{MOST_ANCHORS + 49}:1") in state.anchors
    assert wish("idle0:1") not in state.anchors


def test_s9_what_is_asked_for_of_the_registry_is_what_was_proven() -> None:
    """The place of a look carries the digest: a tag is asked only where a source shows content."""

    async def scenario(town: Town) -> None:
        await town.become_ready()
        goes_away(town)
        town.look_again(BUILDER.url)
        await asyncio.sleep(30)
        (place,) = [
            each for each in town.parts.observers.images.places() if each.wanted.content is None
        ]
        assert place.reference == stored().manifest.digest
        assert place.repository == REPOSITORY

    lived(scenario)
