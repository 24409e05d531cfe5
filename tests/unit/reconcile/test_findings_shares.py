"""Who hangs or is slow holds its own share: caches, namespaces, archives, the exit."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.archive import ArchiveView
from cyroid_images.reconcile.ports import Sizes
from cyroid_images.scheduling.fair_turns import Limit
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import CACHE, CACHED, LIMITS, RANGE, READY, SOURCES
from tests.unit.reconcile.town import Shelf, Town, a_pod, cache_for, lived, range_for
from tests.unit.reconcile.virtual_time import comes

FEW = Sizes(8, 4, 4, 4, 4, {**LIMITS, "pulls": Limit.halved(4), "bytes": Limit.halved(4)})
VICTIM = Key(Kind.RANGE_IMAGES, "victim", "victim")


def settle(town: Town, name: str, namespace: str, address: str) -> None:
    """A range with one engine, of its own, in that namespace."""
    town.holds.setdefault(f"tcp://{address}:2375", {})
    body = a_pod(name, uid=f"{namespace}/{name}", address=address, namespace=namespace)
    town.loop.changed("Pod", "ADDED", body)
    town.loop.changed("RangeImages", "ADDED", range_for(name, namespace))


@pytest.mark.parametrize("hung", [2, 3, 9])
def test_b5_hung_engines_of_one_namespace_leave_places_for_the_pulls_of_others(hung: int) -> None:
    """S4 too: whether they are silent or drip, their namespace has half of the places."""

    async def scenario(town: Town) -> None:
        await town.become_ready()
        evil = {f"tcp://10.1.0.{number}:2375" for number in range(hung)}
        begun: list[str] = []

        def arrive(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Pull) and action.target.endpoint.url in evil:
                begun.append(action.target.uid)
                town.hanging.hang()
            town.arrive(action)

        town.movers.then = arrive
        for number in range(hung):
            settle(town, f"evil-{number}", "evil", f"10.1.0.{number}")
        await comes(lambda: len(begun) >= min(hung, 2))
        settle(town, "victim", "victim", "10.2.0.1")
        assert await comes(lambda: town.told(VICTIM).get("Ready") == READY) < 10
        assert len(begun) == min(hung, 2)

    lived(scenario, FEW)


def test_s5_slow_engines_of_one_namespace_do_not_delay_the_first_look_at_another_one() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        for number in range(32):
            url = f"tcp://10.1.0.{number}:2375"
            town.acts[url] = lambda: town.hanging.hang(120)
            settle(town, f"evil-{number}", "evil", f"10.1.0.{number}")
        await comes(lambda: town.hanging.count == 4)
        settle(town, "victim", "victim", "10.2.0.1")
        assert await comes(lambda: town.told(VICTIM).get("Ready") == READY) < 10

    lived(scenario, FEW)


def test_b8_a_registry_that_hangs_delays_no_other_cache() -> None:
    async def scenario(town: Town) -> None:
        images = [{"image": f"app{number}:1"} for number in range(128)]
        town.cluster.listed[Kind.IMAGE_CACHE].append(cache_for("slow", images=images))
        town.shelves["http://slow:5001"] = Shelf(hang_on_manifests=lambda: town.hanging.hang(15))
        await town.loop.start()
        took = await comes(lambda: town.told(CACHE).get("Ready") == CACHED)
        took += await comes(lambda: town.told().get("Ready") == READY)
        assert took < 10
        pings = town.shelf.pings
        await asyncio.sleep(120)
        assert town.shelf.pings - pings >= 120 / 15 - 1

    lived(scenario, FEW)


def test_b8_two_caches_that_hang_leave_the_third_one_its_turn() -> None:
    """More parties than halves: turns, and an end of each look, give everybody a place."""

    async def scenario(town: Town) -> None:
        images = [{"image": f"app{number}:1"} for number in range(16)]
        for name in ("slow", "slower"):
            town.cluster.listed[Kind.IMAGE_CACHE].append(cache_for(name, images=images))
            town.shelves[f"http://{name}:5001"] = Shelf(
                hang_on_manifests=lambda: town.hanging.hang(15)
            )
        await town.loop.start()
        assert await comes(lambda: town.told().get("Ready") == READY) < 90

    lived(scenario, FEW)


def test_b9_an_archive_volume_that_hangs_leaves_engines_and_registry_alone() -> None:
    async def scenario(town: Town) -> None:
        archives = [
            {"name": f"volume-{number}", "archive": {"path": f"{number}.tar"}}
            for number in range(8)
        ]
        body = cache_body(sources=[*SOURCES, *archives])
        town.cluster.listed[Kind.IMAGE_CACHE] = [body]
        hung: list[str] = []

        class Hung:
            def look(self, path: str) -> ArchiveView:
                hung.append(path)
                town.hanging.hang()
                raise TransferError(Reason.ARCHIVE_MISSING, path)

        town.archives = Hung()  # type: ignore[assignment]
        await town.loop.start()
        assert await comes(lambda: town.told().get("Ready") == READY) < 10
        assert hung
        looks = town.engines.looks.count(BUILDER.url)
        town.look_again(BUILDER.url)
        await comes(lambda: town.engines.looks.count(BUILDER.url) > looks, 5)
        assert town.hanging.count > 0

    lived(scenario, FEW)


def test_b20_a_hung_look_does_not_hold_the_exit() -> None:
    """What hangs is left behind: its thread is a daemon, and `stop` waits for no look."""

    async def scenario(town: Town) -> None:
        await town.become_ready()
        town.acts["tcp://10.0.0.1:2375"] = town.hanging.hang
        town.shelf.hang = town.hanging.hang
        town.look_again()
        await comes(lambda: town.hanging.count == 2, 60)
        began = town.hanging.loop.time()
        await town.loop.stop()
        assert town.hanging.loop.time() - began < 10
        assert town.hanging.count == 2
        held = [each for each in threading.enumerate() if each.name.startswith("range-engines")]
        assert held
        assert all(each.daemon for each in held)

    lived(scenario)


def test_b11_a_secret_that_is_slow_is_no_outage_of_the_registry() -> None:
    """A look that is prepared for long says nothing: what was seen before stays."""

    async def scenario(town: Town) -> None:
        await town.become_ready()
        places = town.parts.observers.registries
        (place,) = places.places()
        slow = asyncio.Event()
        prepare = places._looker.prepare

        class Slow:
            def party(self, place: Any, /) -> str:
                return str(place.party)

            async def prepare(self, place: Any, /) -> Any:
                await slow.wait()
                return await prepare(place)

            async def renewed(self, place: Any, fault: Any, /) -> bool:
                del place, fault
                return False

        places._looker = Slow()
        places.refresh(place)
        settle(town, "victim", "victim", "10.2.0.1")
        assert await comes(lambda: town.told(VICTIM).get("Ready") == READY) < 10
        await asyncio.sleep(60)
        slow.set()

    town = lived(scenario)
    assert isinstance(town.movers.moves[-1], Pull)
    for key in (RANGE, CACHE, VICTIM):
        told = [each["RegistryAvailable"] for each in town.words(key)]
        assert set(told[told.index("True/Available") :]) == {"True/Available"}
