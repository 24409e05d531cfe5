"""What is unknown is never told as absent: outages over a restart, storage that is down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Load, Push
from cyroid_images.model.knowledge import HeldByEngine
from cyroid_images.reconcile.gauges import gauges
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import CACHE, DIND, RANGE, READY, SOURCES
from tests.unit.reconcile.town import IMAGE, Town, a_pod, lived, range_for
from tests.unit.reconcile.virtual_time import comes
from tests.unit.reconcile.watched import pod

NEXT = "tcp://10.0.0.2:2375"

REFUSED = TransferError(Reason.REGISTRY_UNREACHABLE, "connection refused")
STORAGE = TransferError(Reason.SERVER_ERROR, "500 with an empty body")


def registry_away(town: Town) -> None:
    town.shelf.ping_error = REFUSED


def storage_down(town: Town) -> None:
    town.shelf.manifest_error = STORAGE


def registry_silent(town: Town) -> None:
    town.shelf.hang = town.hanging.hang


def manifests_silent(town: Town) -> None:
    town.shelf.hang_on_manifests = town.hanging.hang


def password_refused(town: Town) -> None:
    town.shelf.ping_error = TransferError(Reason.UNAUTHORIZED, "401")


def builder_away(town: Town) -> None:
    del town.holds[BUILDER.url]


def builder_silent(town: Town) -> None:
    town.acts[BUILDER.url] = town.hanging.hang


def builder_pruned(town: Town) -> None:
    town.holds[BUILDER.url] = {}


def registry_empty(town: Town) -> None:
    town.shelf.images.clear()


def engine_silent(town: Town) -> None:
    town.acts[DIND] = town.hanging.hang


Happens = Callable[[Town], None]
OUTAGES: dict[str, tuple[Happens, ...]] = {
    "pruned-and-the-registry-away": (builder_pruned, registry_away),
    "pruned-and-storage-down": (builder_pruned, storage_down),
    "pruned-and-the-registry-silent": (builder_pruned, registry_silent),
    "pruned-and-manifests-silent": (builder_pruned, manifests_silent),
    "pruned-and-the-password-refused": (builder_pruned, password_refused),
    "builder-away-and-the-registry-away": (builder_away, registry_away),
    "builder-away-and-the-registry-empty": (builder_away, registry_empty),
    "builder-silent-and-the-registry-empty": (builder_silent, registry_empty),
    "builder-silent-and-storage-down": (builder_silent, storage_down),
    "everything-silent": (builder_silent, registry_silent, engine_silent),
}


@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
def test_b1_what_is_there_stays_ready_over_a_restart_in_an_outage(
    outage: tuple[Happens, ...],
) -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        for happens in outage:
            happens(town)
        await town.restart()
        written, noted = len(town.cluster.statuses), len(town.cluster.notes)
        await town.loop.start()
        await asyncio.sleep(900)
        assert {each["Ready"] for each in town.words(since=written)} <= {READY}
        assert not any("Stalled" in each for each in town.words(since=written))
        warned = [
            note
            for note in town.cluster.notes[noted:]
            if note.name == RANGE.name and note.type == "Warning" and "Available" not in note.key
        ]
        assert warned == []

    lived(scenario)


def test_b1_after_the_outage_what_nobody_has_is_told() -> None:
    """The other half: unknown does not hide for ever what is known."""

    async def scenario(town: Town) -> None:
        await town.become_ready()
        builder_pruned(town)
        registry_away(town)
        await town.restart()
        await town.loop.start()
        await asyncio.sleep(60)
        town.shelf.ping_error = None
        registry_empty(town)
        await comes(lambda: town.told().get("Ready") != READY, 120)
        assert town.told(RANGE)["Ready"] == "False/ImageNotFound"

    lived(scenario)


@pytest.mark.parametrize("sources", [[], SOURCES], ids=["no-source", "a-source-that-lacks-it"])
def test_b2_storage_that_is_down_is_a_fault_of_the_registry(sources: list[object]) -> None:
    async def scenario(town: Town) -> None:
        images = [{"image": f"app{number}:1"} for number in range(20)]
        town.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=sources, images=images)]
        builder_pruned(town)
        storage_down(town)
        await town.loop.start()
        await comes(lambda: town.told(CACHE).get("RegistryAvailable") == "False/ServerError")
        assert gauges(town.parts).registries == {"default": False}
        asked = len(town.shelf.asked)
        await asyncio.sleep(600)
        assert len(town.shelf.asked) - asked <= 21 * (600 / 30 + 10)
        assert town.told(CACHE)["RegistryAvailable"] == "False/ServerError"
        assert town.told(RANGE)["RegistryAvailable"] != "True/Available"
        assert "ImageNotFound" not in str([*town.words(CACHE), *town.words()])
        town.shelf.manifest_error = None
        await comes(lambda: gauges(town.parts).registries == {"default": True}, 120)

    lived(scenario)


def test_b2_storage_that_fails_later_is_told_too_and_new_ranges_go_by_tar() -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()
        storage_down(town)
        await comes(lambda: town.told(CACHE)["RegistryAvailable"] == "False/ServerError", 120)
        assert gauges(town.parts).registries == {"default": False}
        assert town.told()["Ready"] == READY
        town.holds[NEXT] = {}
        town.loop.changed("Pod", "ADDED", a_pod("next", address="10.0.0.2"))
        town.loop.changed("RangeImages", "ADDED", range_for("next"))
        key = Key(Kind.RANGE_IMAGES, "default", "next")
        assert await comes(lambda: town.told(key).get("Ready") == READY) < 30
        assert town.told(key)["TarFallback"] == "True/ServerError"

    moves = lived(scenario).movers.moves
    assert isinstance(moves[-1], Load)
    assert isinstance(moves[-1].source, HeldByEngine)


def test_b2_an_image_that_is_damaged_in_the_registry_is_pushed_again() -> None:
    """Damage is an answer: to wait for another one would be for ever."""

    async def scenario(town: Town) -> None:
        damage = TransferError(Reason.MANIFEST_DIGEST_MISMATCH, "not what its digest says")
        town.shelf.manifest_error = damage
        await town.loop.start()
        await comes(lambda: any(isinstance(each, Push) for each in town.movers.moves), 60)
        town.shelf.manifest_error = None
        await comes(lambda: town.told()["Ready"] == READY, 120)

    lived(scenario)


def test_b12_no_condition_says_that_a_party_answers_which_nobody_can_reach() -> None:
    """An upstream that refuses each image is no source that is available."""

    async def scenario(town: Town) -> None:
        hub = [{"name": "hub", "upstream": {"hosts": ["docker.io"]}}]
        town.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=hub, images=[{"image": IMAGE}])]
        town.upstreams.error = TransferError(Reason.SOURCE_UNREACHABLE, "docker.io: no answer")
        await town.loop.start()
        await comes(lambda: town.told(CACHE).get("Ready") == "False/SourceUnreachable")
        await asyncio.sleep(300)

    for each in lived(scenario).words(CACHE):
        if each["Ready"] == "False/SourceUnreachable":
            assert not each["SourceAvailable"].startswith("True")


@pytest.mark.parametrize("seconds", [10.0, 60.0], ids=["refuses-late", "hangs"])
def test_b13_a_hung_engine_is_told_once_and_does_not_flap(seconds: float) -> None:
    async def scenario(town: Town) -> None:
        await town.become_ready()

        def hang() -> None:
            town.hanging.hang(seconds)
            raise TransferError(Reason.ENGINE_UNREACHABLE, f"no answer within {seconds:.0f} s")

        town.acts[DIND] = hang
        town.look_again()
        await comes(lambda: town.told()["Ready"] == "False/EngineUnreachable", 120)
        written, noted = len(town.cluster.statuses), len(town.cluster.notes)
        looks = len(town.engines.looks)
        await asyncio.sleep(3600)
        told = town.words(since=written)
        assert {each["TargetsAvailable"] for each in told} <= {"False/EngineUnreachable"}
        assert {each["Ready"] for each in told} <= {"False/EngineUnreachable"}
        assert len(told) <= 3
        assert [note for note in town.cluster.notes[noted:] if note.name == RANGE.name] == []
        assert len(town.engines.looks) - looks < 3600 / 10
        del town.acts[DIND]
        assert await comes(lambda: town.told()["Ready"] == READY, 120) <= 100

    lived(scenario)


def test_b25_a_pod_that_is_no_longer_ready_is_looked_at_at_once() -> None:
    async def scenario(town: Town) -> None:
        body = pod()
        town.cluster.listed[Kind.POD] = [body]
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        body["status"] = {**body["status"], **ready}
        await town.become_ready()
        del town.holds[DIND]  # the node is lost
        lost = {**body, "status": {**body["status"]}}
        lost["status"]["conditions"] = [{"type": "Ready", "status": "False"}]
        town.loop.changed("Pod", "MODIFIED", lost)
        assert await comes(lambda: town.told()["Ready"] == "False/EngineUnreachable") < 5
        looks = len(town.engines.looks)
        town.loop.changed("Pod", "MODIFIED", lost)
        await asyncio.sleep(0.1)
        assert len(town.engines.looks) - looks <= 1

    lived(scenario)
