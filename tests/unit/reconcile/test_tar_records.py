"""The record of a tar over restarts, while source and registry come and go.

The source names the image by a digest of its own, as containerd stores do, and the registry
by another one: after a restart only one of them may be there to ask.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Pull
from cyroid_images.model.engine import EngineView
from tests.unit.plan.examples import BUILDER, content, digest, info, stored, view
from tests.unit.reconcile.stage import CACHE, DIND, RANGE, READY, REPOSITORY
from tests.unit.reconcile.town import IMAGE, Town, lived
from tests.unit.reconcile.virtual_time import comes

BY_TAR = "True/RegistryUnreachable"
REFUSED = TransferError(Reason.REGISTRY_UNREACHABLE, "connection refused")


@dataclass(slots=True)
class OtherDigests(Town):
    """A source that names an image by another digest than the registry."""

    def view_of(self, url: str) -> EngineView:
        if url != BUILDER.url:
            return Town.view_of(self, url)
        images = {
            name: content(word, aliases=frozenset({digest(f"index {word}")}))
            for name, word in self.holds[url].items()
        }
        return view(images, {}, info())


def registry_away(town: Town) -> None:
    town.shelf.ping_error = REFUSED


def registry_back(town: Town) -> None:
    town.shelf.ping_error = None


def source_away(town: Town) -> None:
    town.holds.pop(BUILDER.url, None)


def source_back(town: Town) -> None:
    town.holds[BUILDER.url] = {IMAGE: "one"}


Happens = Callable[[Town], None]
MOMENTS: dict[str, tuple[Happens, ...]] = {
    "source-away": (registry_back, source_away),
    "registry-away": (registry_away, source_back),
    "both-away": (registry_away, source_away),
    "both-back": (registry_back, source_back),
}


async def is_stored(town: Town) -> None:
    """The registry has the image, and the cache has recorded by which digest."""

    def is_recorded() -> bool:
        rows = [status for key, _, status in town.cluster.statuses if key == CACHE]
        return bool(rows and rows[-1].get("digests"))

    await comes(is_recorded, 120)


async def comes_by_tar(town: Town, *, is_warm: bool) -> None:
    """While the registry is away; a warm one was given the image by an earlier process."""
    if is_warm:
        del town.holds[DIND]
        await town.loop.start()
        await is_stored(town)
        await town.restart()
        town.holds[DIND] = {}
    registry_away(town)
    await town.loop.start()
    await comes(lambda: town.told().get("Ready") == READY, 120)
    await comes(lambda: town.told().get("TarFallback") == BY_TAR, 120)


async def restarts(town: Town, *moment: Happens) -> None:
    """The operator is another process, which finds this; until it has seen what there is."""
    for happens in moment:
        happens(town)
    await town.restart()
    await town.loop.start()
    await asyncio.sleep(120)


@pytest.mark.parametrize("is_warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("last", MOMENTS.values(), ids=MOMENTS)
@pytest.mark.parametrize("first", MOMENTS.values(), ids=MOMENTS)
def test_a_record_outlives_every_restart(
    first: tuple[Happens, ...], last: tuple[Happens, ...], is_warm: bool
) -> None:
    """The process that made the record has never seen what a warm registry has."""

    async def scenario(town: Town) -> None:
        await comes_by_tar(town, is_warm=is_warm)
        records = town.cluster.last(RANGE)["tarDeliveries"]
        for moment in (first, last):
            await restarts(town, *moment)
            assert town.told()["Ready"] == READY
            assert town.told()["TarFallback"] == BY_TAR
            assert town.cluster.last(RANGE)["tarDeliveries"] == records

    lived(scenario, make=OtherDigests)


@pytest.mark.parametrize("is_killed", [True, False], ids=["killed-after-it", "running"])
def test_a_pull_of_other_content_ends_the_record(is_killed: bool) -> None:
    async def scenario(town: Town) -> None:
        await comes_by_tar(town, is_warm=False)
        registry_back(town)
        await is_stored(town)
        if is_killed:  # the engine had it all, and no status was written
            town.shelf.put(replace(stored("two"), repository=REPOSITORY), "1.25")
            town.holds[BUILDER.url] = town.holds[DIND] = {IMAGE: "two"}
            await restarts(town)
        else:
            town.holds[BUILDER.url] = {IMAGE: "two"}
            town.look_again(BUILDER.url)
            await comes(lambda: any(isinstance(move, Pull) for move in town.movers.moves), 700)
        await comes(lambda: not town.cluster.last(RANGE).get("tarDeliveries"), 120)
        await comes(lambda: town.told().get("TarFallback") == "False/NotNeeded", 120)
        assert town.holds[DIND] == {IMAGE: "two"}

    lived(scenario, make=OtherDigests)


def test_what_a_person_removed_and_the_registry_brought_back_has_no_record() -> None:
    async def scenario(town: Town) -> None:
        await comes_by_tar(town, is_warm=False)
        registry_back(town)
        await is_stored(town)
        town.holds[DIND] = {}
        await restarts(town, source_away)
        assert town.holds[DIND] == {IMAGE: "one"}
        assert town.told()["TarFallback"] == "False/NotNeeded"
        assert not town.cluster.last(RANGE).get("tarDeliveries")

    lived(scenario, make=OtherDigests)
