"""What is remembered is of that pod, that host and that object, and goes with it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push, Untag
from cyroid_images.model.images.platform import Platform
from cyroid_images.observe.observer import LONGEST_KEPT_SECONDS
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body, digest, info, stored
from tests.unit.reconcile.stage import CACHE, DIND, RANGE, READY, SOURCES, a_range
from tests.unit.reconcile.town import IMAGE, REGISTRY_URL, Shelf, Town, cache_for, lived
from tests.unit.reconcile.virtual_time import comes
from tests.unit.reconcile.watched import pod, with_metadata

RIGHT = "right.example:5000"


def changed(body: dict[str, Any], generation: int = 4, **about: Any) -> dict[str, Any]:
    """Another version of an object."""
    version = str(1000 + generation)
    return with_metadata(body, generation=generation, resourceVersion=version, **about)


def rows_of(town: Town, uid: str) -> list[Any]:
    """What was ever told of a target."""
    return [
        (status["conditions"][0]["status"], row["present"])
        for key, _, status in town.cluster.statuses
        if key == RANGE
        for row in status.get("targetStatuses", [])
        if row["uid"] == uid
    ]


@pytest.mark.parametrize("late", [True, False], ids=["the-old-look-ends-late", "between-looks"])
@pytest.mark.parametrize("name", ["dind", "dind-new"], ids=["same-name", "other-name"])
def test_b4_a_pod_at_another_one_s_address_is_not_ready_before_its_own_look(
    name: str,
    late: bool,
) -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        if late:
            town.acts[DIND] = lambda: town.hanging.hang(5)
            town.look_again()
            await asyncio.sleep(1)
        town.loop.changed("Pod", "DELETED", pod())
        town.acts[DIND] = lambda: town.hanging.hang(30)
        written = len(town.cluster.statuses)
        new = with_metadata(pod(name), uid="new")
        town.cluster.listed[Kind.POD] = [new]
        town.loop.changed("Pod", "ADDED", new)
        await asyncio.sleep(20)  # the new engine takes its time, the old answer is there
        told = town.words(since=written)
        assert told
        assert not any(each["Ready"].startswith("True") for each in told)
        assert all(present == 0 for _, present in rows_of(town, "new"))
        assert ("new", "True") not in town.cluster.gates
        town.holds[DIND] = {}
        del town.acts[DIND]
        await comes(lambda: town.told()["Ready"] == READY, 60)

    assert [type(each) for each in lived(scenario).movers.moves] == [Push, Pull, Pull]


def test_b4_a_restarted_container_is_not_ready_before_its_own_look() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        town.acts[DIND] = lambda: town.hanging.hang(30)
        town.holds[DIND] = {}  # its images were on an emptyDir
        body = pod()
        running = {"containerID": "c2", "state": {"running": {}}}
        body["status"] = {**body["status"], "containerStatuses": [running]}
        written = len(town.cluster.statuses)
        town.cluster.listed[Kind.POD] = [body]
        town.loop.changed("Pod", "MODIFIED", body)
        await asyncio.sleep(20)
        told = town.words(since=written)
        assert told
        assert not any(each["Ready"].startswith("True") for each in told)

    lived(scenario)


@pytest.mark.parametrize("delivery", ["RegistryOnly", "RegistryThenTar"])
def test_b14_a_mended_pull_host_is_tried_at_once(delivery: str) -> None:
    async def scenario(town: Town) -> None:
        def arrive(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Load):
                raise TransferError(Reason.LOAD_FAILED, "no")
            if isinstance(action, Pull) and action.pull_host != RIGHT:
                raise TransferError(Reason.REGISTRY_NOT_TRUSTED, "HTTP response to HTTPS client")
            town.arrive(action)

        town.movers.then = arrive
        town.cluster.listed[Kind.RANGE_IMAGES] = [a_range(delivery=delivery)]
        await town.loop.start()
        await comes(lambda: "Reconciling" in town.told() or "Stalled" in town.told())
        await asyncio.sleep(120)
        registry = {"pushURL": REGISTRY_URL, "pullHost": RIGHT}
        body = changed(cache_body(sources=SOURCES, registry=registry))
        town.cluster.listed[Kind.IMAGE_CACHE] = [body]
        town.loop.changed("ImageCache", "MODIFIED", body)
        assert await comes(lambda: town.told()["Ready"] == READY, 60) < 10

    lived(scenario)


def test_b14_what_our_transfers_left_under_the_old_host_is_tidied() -> None:
    """B18: and what a person pulled from that very registry by digest is not."""
    ours = f"127.0.0.1:5000/docker.io/library/nginx@{stored().manifest.digest}"
    theirs = f"127.0.0.1:5000/team/tool@{digest('tool')}"

    async def scenario(town: Town) -> None:
        town.left[DIND] = {theirs: "tool"}

        def arrive(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Pull) and action.pull_host != RIGHT:
                town.left[DIND][ours] = "one"  # it is cut between the pull and the rename
                raise TransferError(Reason.TRANSFER_INTERRUPTED, "cut")
            town.arrive(action)

        town.movers.then = arrive
        await town.loop.start()
        await comes(lambda: any(isinstance(each, Pull) for each in town.movers.moves))
        registry = {"pushURL": REGISTRY_URL, "pullHost": RIGHT}
        body = changed(cache_body(sources=SOURCES, registry=registry))
        town.cluster.listed[Kind.IMAGE_CACHE] = [body]
        town.loop.changed("ImageCache", "MODIFIED", body)
        await comes(lambda: town.told()["Ready"] == READY, 60)
        town.look_again()
        await comes(lambda: ours not in town.left[DIND], 60)
        await asyncio.sleep(600)
        assert town.left[DIND] == {theirs: "tool"}

    dropped = [each for each in lived(scenario).movers.moves if isinstance(each, Untag)]
    assert {str(name) for each in dropped for name in each.names} == {ours}


def test_b16_a_cache_that_is_made_anew_gets_no_verdict_of_the_old_one() -> None:
    async def scenario(town: Town) -> None:
        def body(url: str, uid: str) -> dict[str, Any]:
            registry = {"pushURL": url, "pullHost": "h:5000"}
            return with_metadata(cache_body(sources=SOURCES, registry=registry), uid=uid)

        town.shelves["http://old:5001"] = Shelf(hang=town.hanging.hang)
        town.shelves["http://new:5001"] = Shelf(
            ping_error=TransferError(Reason.REGISTRY_UNREACHABLE, "new refuses")
        )
        town.cluster.listed[Kind.IMAGE_CACHE] = [body("http://old:5001", "old")]
        await town.loop.start()
        await comes(lambda: town.hanging.count == 1)
        town.loop.changed("ImageCache", "DELETED", body("http://old:5001", "old"))
        town.cluster.statuses.clear()
        town.cluster.listed[Kind.IMAGE_CACHE] = [body("http://new:5001", "new")]
        town.loop.changed("ImageCache", "ADDED", body("http://new:5001", "new"))
        town.hanging.let_go()
        await asyncio.sleep(60)

    told = {each["RegistryAvailable"] for each in lived(scenario).words(CACHE)}
    assert told == {"Unknown/Progressing", "False/RegistryUnreachable"}


def test_b17_a_delivery_that_lasts_is_no_failure_and_no_drift() -> None:
    """Between the end of a transfer and the next look nothing is missed."""

    async def scenario(town: Town) -> None:
        await town.become_ready()
        await asyncio.sleep(600)

    town = lived(scenario)
    assert [type(each) for each in town.movers.moves] == [Push, Pull]
    assert {each["Ready"] for each in town.words()} == {
        "Unknown/Progressing",
        "False/Progressing",
        READY,
    }
    assert Reason.DRIFT_CORRECTED not in {note.reason for note in town.cluster.notes}


@pytest.mark.parametrize("route", [Pull, Load])
def test_b17_success_that_does_not_last_is_repeated_with_growing_pauses(
    route: type[Pull | Load],
) -> None:
    """An engine shows the image to the proof of a transfer and to no look."""

    async def scenario(town: Town) -> None:
        def arrive(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Push):
                town.arrive(action)

        town.movers.then = arrive
        delivery = "RegistryOnly" if route is Pull else "TarOnly"
        town.cluster.listed[Kind.RANGE_IMAGES] = [a_range(delivery=delivery)]
        await town.loop.start()
        await asyncio.sleep(3600)

    town = lived(scenario)
    assert 5 <= sum(isinstance(each, route) for each in town.movers.moves) <= 30
    assert len(town.words()) < 120
    assert len([each for each in town.cluster.notes if each.name == RANGE.name]) < 120


def test_b19_a_range_that_goes_to_another_cache_is_told_to_both() -> None:
    async def scenario(town: Town) -> None:
        town.shelves["http://b:5001"] = Shelf()
        town.cluster.listed[Kind.IMAGE_CACHE].append(cache_for("b", sources=SOURCES))
        await town.become_ready()
        moved = changed(a_range(imageCacheRef={"name": "b"}))
        town.cluster.listed[Kind.RANGE_IMAGES] = [moved]
        town.loop.changed("RangeImages", "MODIFIED", moved)
        both = Key(Kind.IMAGE_CACHE, "", "b")
        await comes(lambda: bool(town.shelves["http://b:5001"].images), 10)
        assert await comes(lambda: not town.parts.demand.wishes("default"), 10) < 1
        passed = len(town.shelf.asked)
        await asyncio.sleep(300)
        # What a source still holds is asked for at the pace of refresh.interval (10 min).
        assert len(town.shelf.asked) <= passed + 1, "what nobody wants is looked up no more"
        assert town.parts.demand.wishes(both.name)

    lived(scenario)


def test_b19_a_younger_rival_has_the_name_as_soon_as_the_older_one_is_gone() -> None:
    async def scenario(town: Town) -> None:
        other = a_range("s", images=[{"image": IMAGE, "platform": "linux/arm64"}])
        younger = with_metadata(other, creationTimestamp="2027-01-01T00:00:00Z")
        town.cluster.listed[Kind.RANGE_IMAGES].append(younger)
        key = Key(Kind.RANGE_IMAGES, "default", "s")
        await town.loop.start()
        await comes(lambda: town.told(key).get("Stalled") == "True/ConflictingImages")
        await asyncio.sleep(200)
        town.cluster.listed[Kind.RANGE_IMAGES] = [younger]
        town.loop.changed("RangeImages", "DELETED", a_range())
        assert await comes(lambda: "ConflictingImages" not in str(town.told(key))) < 2

    lived(scenario)


def test_b19_a_place_that_nobody_follows_is_forgotten_even_when_its_look_ends_late() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        town.acts[DIND] = lambda: town.hanging.hang(100)
        town.look_again()
        await asyncio.sleep(1)
        town.loop.changed("Pod", "DELETED", pod())
        town.cluster.listed[Kind.POD] = []
        town.loop.changed("RangeImages", "DELETED", a_range())
        town.cluster.listed[Kind.RANGE_IMAGES] = []
        await asyncio.sleep(2 * LONGEST_KEPT_SECONDS)
        observers = town.parts.observers
        assert observers.range_engines.places() == ()
        assert len(observers.images.places()) == 1, "what the builder still holds"
        town.loop.changed("ImageCache", "DELETED", cache_body(sources=SOURCES))
        town.cluster.listed[Kind.IMAGE_CACHE] = []
        await asyncio.sleep(2 * LONGEST_KEPT_SECONDS)
        assert observers.source_engines.places() == ()
        assert observers.registries.places() == ()
        assert observers.images.places() == ()

    lived(scenario)


def test_an_engine_whose_first_look_showed_another_platform_becomes_ready_by_itself() -> None:
    """As after a restart of the operator in the moment of a lie; nobody restarts the pod."""

    async def scenario(town: Town) -> None:
        town.cluster.listed[Kind.RANGE_IMAGES] = [a_range(interval="5s")]
        town.about[DIND] = replace(info(), platform=Platform.of("linux", "cpu1", ""))
        await town.loop.start()
        await comes(lambda: DIND in town.engines.looks)
        await asyncio.sleep(1)
        del town.about[DIND]
        assert await comes(lambda: town.told().get("Ready") == READY, 120) < 120

    lived(scenario)


def test_s2_an_engine_that_claims_another_platform_at_each_look_costs_next_to_nothing() -> None:
    async def scenario(town: Town) -> None:
        numbers = iter(range(100_000))
        hub = [{"name": "hub", "upstream": {"hosts": ["docker.io"]}}]
        town.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=hub)]
        town.cluster.listed[Kind.RANGE_IMAGES] = [a_range(interval="5s")]

        def lie() -> None:
            claimed = Platform.of("linux", f"cpu{next(numbers)}", "")
            town.about[DIND] = replace(info(), platform=claimed)

        town.acts[DIND] = lie
        await town.loop.start()
        await asyncio.sleep(600)

    town = lived(scenario)
    assert town.engines.looks.count(DIND) <= 600 / 5 + 5
    assert len(town.words()) <= 10
    assert len(town.upstreams.asked) <= 10
    assert town.told()["Ready"] != READY
    assert BUILDER.url not in town.engines.looks
