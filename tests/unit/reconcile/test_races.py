"""What happens between two steps: edits, lies and rotations while something is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from cyroid_images.errors import Reason, StatusRejected, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.observe.places import RegistryPlace
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import CACHE, CACHED, DIND, RANGE, READY, SOURCES, a_range
from tests.unit.reconcile.town import (
    IMAGE,
    REGISTRY_URL,
    Shelf,
    Town,
    TownCluster,
    a_pod,
    lived,
    range_for,
)
from tests.unit.reconcile.virtual_time import comes
from tests.unit.reconcile.watched import with_metadata

NEW_URL = "http://new:5001"
NEXT = Key(Kind.RANGE_IMAGES, "default", "next")
NEXT_URL = "tcp://10.0.0.2:2375"


def a_cache(url: str = REGISTRY_URL, generation: int = 3, **spec: Any) -> dict[str, Any]:
    registry = {"pushURL": url, "pullHost": "h:5000"}
    body = cache_body(sources=SOURCES, registry=registry, images=[{"image": IMAGE}], **spec)
    version = str(1000 + generation)
    return with_metadata(body, generation=generation, resourceVersion=version)


def next_range(town: Town) -> None:
    town.holds[NEXT_URL] = {}
    town.loop.changed("Pod", "ADDED", a_pod("next", address="10.0.0.2"))
    town.loop.changed("RangeImages", "ADDED", range_for("next"))


def ready_of(status: Mapping[str, Any]) -> tuple[str, int]:
    each = next(each for each in status["conditions"] if each["type"] == "Ready")
    return each["status"], each["observedGeneration"]


def edit_cache(town: Town, body: dict[str, Any]) -> None:
    town.cluster.listed[Kind.IMAGE_CACHE] = [body]
    town.loop.changed("ImageCache", "MODIFIED", body)


def test_what_another_registry_held_is_not_believed_of_the_new_one() -> None:
    """The new one lets us in, and takes its time to say what it has."""

    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.IMAGE_CACHE] = [a_cache()]
        await town.become_ready()
        town.shelves[NEW_URL] = Shelf(hang_on_manifests=lambda: town.hanging.hang(60))
        edit_cache(town, a_cache(NEW_URL, 4))
        await asyncio.sleep(40)
        rows = [s for key, _, s in town.cluster.statuses if key == CACHE]
        assert ("True", 4) not in [ready_of(each) for each in rows]
        await comes(lambda: town.told(CACHE).get("Ready") == CACHED)
        assert town.shelves[NEW_URL].images

    lived(scenario)


def test_a_push_into_the_registry_of_before_says_nothing_of_the_new_one() -> None:
    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.IMAGE_CACHE] = [a_cache()]
        arrive = town.movers.then

        def slowly(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Push) and action.to.registry.url == REGISTRY_URL:
                town.hanging.hang()
            arrive(action)

        town.movers.then = slowly
        await town.loop.start()
        await comes(lambda: town.hanging.count == 1)
        town.shelves[NEW_URL] = Shelf()
        edit_cache(town, a_cache(NEW_URL, 4))
        await asyncio.sleep(5)
        town.hanging.let_go()

        def is_ready() -> bool:
            ready = town.told(CACHE).get("Ready") == CACHED
            assert not ready or town.shelves[NEW_URL].images
            return ready

        await comes(is_ready)

    lived(scenario)


def test_one_engine_that_denies_an_image_denies_it_to_nobody_else() -> None:
    """While the source is away nobody could push it anew; the registry has it all the time."""

    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.IMAGE_CACHE] = [a_cache()]
        await town.become_ready()
        del town.holds[BUILDER.url]
        town.look_again(BUILDER.url)
        arrive = town.movers.then

        def lie(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Pull) and action.target.endpoint.url == DIND:
                raise TransferError(Reason.IMAGE_NOT_FOUND, "manifest unknown")
            arrive(action)

        town.movers.then = lie
        town.holds[DIND] = {}
        town.look_again()
        await comes(lambda: any(isinstance(m, Pull) for m in town.movers.moves[2:]))
        await asyncio.sleep(5)
        next_range(town)
        await comes(lambda: town.told(NEXT).get("Ready") == READY, 120)
        # Once the source is back, it is pushed again all the same.
        town.holds[BUILDER.url] = {IMAGE: "one"}
        pushes = sum(isinstance(m, Push) for m in town.movers.moves)
        await comes(lambda: sum(isinstance(m, Push) for m in town.movers.moves) > pushes, 700)

    lived(scenario)


@dataclass(slots=True)
class OldKinds(TownCluster):
    """An API server that refuses each status."""

    refused: int = 0

    async def apply_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> str | None:
        del key, resource_version, status
        self.refused += 1
        raise StatusRejected("failed to create typed patch object")


def test_a_first_status_that_is_refused_holds_up_no_work() -> None:
    async def scenario(town: Town) -> None:
        town.cluster = OldKinds(listed=town.cluster.listed)
        town.join()
        await town.loop.start()
        await comes(lambda: town.holds[DIND] == {IMAGE: "one"}, 120)
        await asyncio.sleep(600)
        assert town.cluster.refused < 40

    lived(scenario)


def test_a_push_with_the_password_of_before_is_tried_at_once_with_the_new_one() -> None:
    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.IMAGE_CACHE] = [a_cache()]
        password, arrive = ["old"], town.movers.then

        def look(place: RegistryPlace, last: RegistryEndpoint | None) -> RegistryEndpoint:
            del last
            return RegistryEndpoint(place.url, Credentials("u", password[0]))

        def slowly(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Push) and action.to.registry.credentials == Credentials(
                "u", "old"
            ):
                town.hanging.hang(40)
                raise TransferError(Reason.UNAUTHORIZED, "401")
            arrive(action)

        town.movers.then = slowly
        lookers = town.lookers()
        lookers.registries.look = look  # type: ignore[attr-defined]
        town.join(lookers)
        await town.loop.start()
        await comes(lambda: town.hanging.count == 1)
        password[0] = "new"
        await comes(lambda: town.told(CACHE).get("Ready") == CACHED, 120)

    lived(scenario)


def test_a_push_of_the_cache_of_before_proves_nothing_for_the_one_made_anew() -> None:
    """Deleted and made anew between two lists: no watch told of the end of the first."""

    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.IMAGE_CACHE] = [a_cache()]
        arrive = town.movers.then

        def slowly(action: Copy | Push | Pull | Load) -> None:
            town.hanging.hang()
            arrive(action)

        town.movers.then = slowly
        await town.loop.start()
        await comes(lambda: town.hanging.count == 1)
        body = a_cache(refresh={"policy": "Pin"})
        body["spec"] = {**body["spec"], "sources": []}
        edit_cache(town, with_metadata(body, uid="made anew"))
        await asyncio.sleep(5)
        assert town.parts.executor.running(CACHE) == ()
        town.shelf.images.clear()
        town.movers.then = lambda _: None
        town.hanging.let_go()
        await asyncio.sleep(5)
        assert town.anchors() == {}

    lived(scenario)


@pytest.mark.parametrize("reason", [Reason.IMAGE_NOT_FOUND, Reason.ARCHIVE_MISSING])
@pytest.mark.parametrize("delivery", ["RegistryThenTar", "TarOnly"])
def test_what_a_transfer_misses_for_a_moment_where_a_look_saw_it_is_brought_soon(
    delivery: str, reason: Reason
) -> None:
    """As where an archive is replaced, or an image is built anew: nobody has to help."""

    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.RANGE_IMAGES] = [a_range(delivery=delivery)]
        arrive, missed = town.movers.then, list[object]()

        def miss_once(action: Copy | Push | Pull | Load) -> None:
            if type(action) not in missed:
                missed.append(type(action))
                raise TransferError(reason, "no such file or folder")
            arrive(action)

        town.movers.then = miss_once
        await town.loop.start()
        assert await comes(lambda: town.told().get("Ready") == READY, 20) < 20
        assert missed

    lived(scenario)


def test_what_is_removed_between_its_delivery_and_the_pass_is_missed_within_the_interval() -> None:
    """A look began after the transfer had ended, and shows more than the transfer saw."""

    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.RANGE_IMAGES] = [a_range(interval="10s")]
        arrive, held, loop = town.movers.then, list[str](), asyncio.get_running_loop()

        def slowly(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Pull) and not held:
                held.append("pull")
                town.hanging.hang()
            arrive(action)

        town.movers.then = slowly
        await town.loop.start()
        await comes(lambda: held == ["pull"])
        observer = town.parts.observers.range_engines
        (place,) = [each for each in observer.places() if each.url == DIND]
        timer = observer._places[place].timer
        assert timer is not None
        await asyncio.sleep(timer.when() - loop.time() - 0.3)
        for _ in range(14):  # a busy range: it gets two passes a second
            town.parts.queue.wake(RANGE)
            await asyncio.sleep(0.01)
        town.hanging.let_go()
        await comes(lambda: bool(town.holds[DIND]), 5)

        def removed() -> None:
            town.holds[DIND] = {}
            del town.acts[DIND]
            town.hanging.hang(2)

        town.acts[DIND] = removed
        await comes(lambda: not town.holds[DIND], 20)
        await comes(lambda: bool(town.holds[DIND]), 20)  # brought anew
        await comes(lambda: town.told().get("Ready") == READY, 60)

    lived(scenario)
