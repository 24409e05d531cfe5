"""The loop on small fakes: it converges, heals, and a defect stays with its object."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from cyroid_images.errors import ApiUnavailable, Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.engine import EngineView
from cyroid_images.reconcile.board import Board
from cyroid_images.reconcile.cache import CacheReconciler
from cyroid_images.reconcile.gates import Gates
from cyroid_images.reconcile.jobs import Jobs
from cyroid_images.reconcile.keys import Key, Kind
from cyroid_images.reconcile.looks import Looks
from cyroid_images.reconcile.loop import Loop
from cyroid_images.reconcile.pool import Pool
from cyroid_images.reconcile.queue import WorkQueue
from cyroid_images.reconcile.reporter import Reporter
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.world import World
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    AMD64,
    BUILDER,
    cache_body,
    content,
    digest,
    range_body,
    stored,
    view,
)
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.fakes import (
    FakeArchives,
    FakeClock,
    FakeCluster,
    FakeEngines,
    FakeMovers,
    FakeRegistries,
    FakeUpstreams,
    NoSecrets,
)
from tests.unit.reconcile.test_world import namespace, pod

RANGE = Key(Kind.RANGE_IMAGES, "default", "r")
CACHE = Key(Kind.IMAGE_CACHE, "", "default")
DIND = "tcp://10.0.0.1:2375"
REPOSITORY = "docker.io/library/nginx"
LIMITS = {
    "all": 4,
    "engine": 2,
    "source": 2,
    "archive": 2,
    "upstream": 2,
    "registry": 4,
}
TARGETS = {
    "selector": {"matchLabels": {"cyroid.io/range-id": "r"}},
    "docker": {"insecure": True},
}
SOURCES = [{"name": "builder", "engine": {"endpoint": BUILDER.url, "insecure": True}}]


def a_range(name: str = "r", **spec: Any) -> dict[str, Any]:
    return range_body(name, **{"targets": TARGETS, **spec})


@dataclass(slots=True)
class Stage:
    """A builder that has nginx, an empty registry, an empty engine, and the loop."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    engines: FakeEngines = field(default_factory=FakeEngines)
    archives: FakeArchives = field(default_factory=FakeArchives)
    upstreams: FakeUpstreams = field(default_factory=FakeUpstreams)
    registries: FakeRegistries = field(default_factory=FakeRegistries)
    world: World = field(default_factory=World)
    movers: FakeMovers = field(init=False)
    site: Site = field(init=False)
    loop: Loop = field(init=False)
    pools: tuple[Pool, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.pools = (Pool("move", 4), Pool("look", 4), Pool("ask", 4))
        self.movers = FakeMovers(self.arrive)
        self.engines.views = {BUILDER.url: view({"nginx:1.25": content()}), DIND: view()}
        self.cluster.listed = {
            Kind.NAMESPACE: [namespace()],
            Kind.POD: [pod()],
            Kind.IMAGE_CACHE: [cache_body(sources=SOURCES)],
            Kind.RANGE_IMAGES: [a_range()],
        }
        queue = WorkQueue[Key]()
        wake: Callable[[Any], None] = queue.wake
        self.site = Site(
            world=self.world,
            board=Board(),
            queue=queue,
            jobs=Jobs(self.pools[0], LIMITS, wake),
            looks=Looks(self.engines.look, self.pools[1], wake),
            archives=Looks(self.archives.look, self.pools[1], wake),
            upstreams=Looks(self.upstreams.find, self.pools[1], wake),
            asking=self.pools[2],
            reporter=Reporter(self.cluster, self.world),
            gates=Gates(self.cluster, self.world, FakeClock()),
            registries=self.registries,
            movers=self.movers,
            secrets=NoSecrets(),
            clock=FakeClock(),
            client_secret="client",
            platform=AMD64,
        )
        self.loop = Loop(self.site, self.cluster, workers=4, sweep_seconds=600)

    def arrive(self, action: Copy | Push | Pull | Load) -> None:
        """What a move brings is there."""
        if isinstance(action, Copy | Push):
            self.registries.held[REPOSITORY] = stored()
        else:
            self.engines.views[DIND] = view({"nginx:1.25": content()})

    def told(self, key: Key = RANGE) -> Mapping[str, str]:
        """The story of an object by its last status."""
        if not any(each == key for each, _, _ in self.cluster.statuses):
            return {}
        conditions = self.cluster.last(key)["conditions"]
        return {each["type"]: f"{each['status']}/{each['reason']}" for each in conditions}

    def check(self) -> None:
        """Every status ever written conforms, and moments move as they should."""
        last: dict[Key, dict[str, Any]] = {}
        for key, _, status in self.cluster.statuses:
            metadata = {"name": key.name, "generation": 3}
            obj = {"kind": str(key.kind), "metadata": metadata, "status": status}
            assert_status_conforms(obj, last.get(key))
            last[key] = obj


def tried(scenario: Callable[[Stage], Coroutine[Any, Any, None]]) -> Stage:
    async def whole() -> Stage:
        stage = Stage()
        try:
            await scenario(stage)
        finally:
            await stage.loop.stop()
            for pool in stage.pools:
                pool.close()
        return stage

    stage = asyncio.run(whole())
    stage.check()
    return stage


READY, CACHED = "True/AllImagesPresent", "True/AllImagesCached"


def test_an_image_goes_through_the_registry_into_the_engine() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)

    stage = tried(scenario)
    assert [type(each) for each in stage.movers.moves] == [Push, Pull]
    reasons = [str(note.reason) for note in stage.cluster.notes]
    assert {"ImagePushed", "ImageDelivered", "AllImagesPresent"} <= set(reasons)


def test_the_first_word_comes_before_any_look() -> None:
    async def scenario(stage: Stage) -> None:
        words: list[int] = []

        def first_look() -> EngineView:
            words.append(sum(key == RANGE for key, _, _ in stage.cluster.statuses))
            return view()

        stage.engines.views[DIND] = first_look
        await stage.loop.start()
        await until(lambda: bool(words))
        assert words[0] == 1

    stage = tried(scenario)
    first = next(status for key, _, status in stage.cluster.statuses if key == RANGE)
    assert first["conditions"][0]["reason"] == "Progressing"


def test_a_registry_that_is_away_gives_way_to_tar_and_the_record_comes_first() -> None:
    async def scenario(stage: Stage) -> None:
        stage.registries.away = True
        records: list[int] = []

        def arrive(action: Copy | Push | Pull | Load) -> None:
            records.append(len(stage.cluster.last(RANGE).get("tarDeliveries", [])))
            stage.arrive(action)

        stage.movers.then = arrive
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        assert records == [1]

    stage = tried(scenario)
    assert [type(each) for each in stage.movers.moves] == [Load]
    assert stage.told()["TarFallback"] == "True/RegistryUnreachable"
    assert stage.told()["RegistryAvailable"] == "False/RegistryUnreachable"


def test_p_e9_a_failed_pull_is_told_and_not_tried_twice_at_a_time() -> None:
    async def scenario(stage: Stage) -> None:
        def fail(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Pull):
                raise TransferError(Reason.PULL_FAILED, "it says no")
            stage.arrive(action)

        stage.movers.then = fail
        await stage.loop.start()
        await until(lambda: stage.told().get("Reconciling") == "True/ProgressingWithRetry")
        assert stage.cluster.last(RANGE)["failures"][0]["message"] == "it says no"
        looks = stage.engines.looks.count(DIND)
        stage.site.queue.wake(RANGE)
        await until(lambda: stage.engines.looks.count(DIND) > looks)
        assert [type(each) for each in stage.movers.moves].count(Pull) == 1

    tried(scenario)


def test_a_deleted_range_is_left_alone() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        stage.loop.changed("RangeImages", "DELETED", a_range())
        await until(lambda: stage.cluster.last(CACHE)["images"]["desired"] == 0)

    tried(scenario)


def test_a_range_that_is_ready_stays_so_while_a_new_operator_looks() -> None:
    """Neither its cache nor the content of its images is known at first."""

    async def before(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    status = tried(before).cluster.last(RANGE)

    async def after(stage: Stage) -> None:
        stage.engines.views[DIND] = view({"nginx:1.25": content()})
        stage.registries.held[REPOSITORY] = stored()
        stage.cluster.listed[Kind.RANGE_IMAGES] = [range_body(status=status, targets=TARGETS)]
        await stage.loop.start()
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)
        await until(lambda: stage.engines.looks.count(DIND) > 1)

    stage = tried(after)
    assert [each for key, _, each in stage.cluster.statuses if key == RANGE] == []


@pytest.mark.row("O4")
def test_a_defect_is_told_on_its_object_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(stage: Stage) -> None:
        def odd() -> EngineView:
            raise ZeroDivisionError("secret detail")

        stage.engines.views["tcp://10.0.0.7:2375"] = odd
        odd_pod = pod("odd", range_id="odd")
        odd_pod["status"] = {**odd_pod["status"], "podIP": "10.0.0.7"}
        selector = {"matchLabels": {"cyroid.io/range-id": "odd"}}
        odd_range = a_range("odd", targets={**TARGETS, "selector": selector})
        stage.cluster.listed[Kind.POD].append(odd_pod)
        stage.cluster.listed[Kind.RANGE_IMAGES].insert(0, odd_range)
        await stage.loop.start()
        key = Key(Kind.RANGE_IMAGES, "default", "odd")
        await until(lambda: stage.told(key).get("Stalled") == "True/InternalError")
        await until(lambda: stage.told().get("Ready") == READY)
        message = stage.cluster.last(key)["conditions"][0]["message"]
        number = re.search(r"its log tells more under ([0-9a-f]{8});", message)
        assert number is not None
        assert "secret" not in message
        assert f"defect {number[1]} in the pass of {key}" in caplog.text
        assert "ZeroDivisionError: secret detail" in caplog.text

    tried(scenario)


def test_a_broken_object_says_which_rule_it_breaks() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.RANGE_IMAGES].append(a_range("odd", images=[]))
        await stage.loop.start()
        key = Key(Kind.RANGE_IMAGES, "default", "odd")
        await until(lambda: stage.told(key).get("Stalled") == "True/InvalidSpec")
        assert "spec.images" in stage.cluster.last(key)["conditions"][0]["message"]

    tried(scenario)


def test_p_r6_an_image_id_past_the_schema_stalls_as_no_reference() -> None:
    async def scenario(stage: Stage) -> None:
        images = [{"image": f"sha256:{'0a' * 32}"}]
        stage.cluster.listed[Kind.RANGE_IMAGES].append(a_range("odd", images=images))
        await stage.loop.start()
        key = Key(Kind.RANGE_IMAGES, "default", "odd")
        await until(lambda: stage.told(key).get("Stalled") == "True/InvalidReference")

    tried(scenario)


def test_a_cache_asks_a_registry_that_is_away_at_a_slowing_pace() -> None:
    async def scenario(stage: Stage) -> None:
        stage.registries.away = True
        over = {"image": "nginx:1.25", "reason": "PushFailed", "message": "why", "attempts": 3}
        status = {"failures": [{**over, "nextAttemptTime": "2026-05-01T11:59:00Z"}]}
        images = [{"image": "nginx:1.25"}]
        stage.world.changed(
            Kind.IMAGE_CACHE, None, cache_body(status=status, sources=SOURCES, images=images)
        )
        cache = CacheReconciler(stage.site)
        assert [await cache.reconcile(CACHE) for _ in range(5)] == [1, 2, 4, 5, 5]

    tried(scenario)


def test_a_list_that_fails_at_the_start_is_tried_again() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.errors.append(ApiUnavailable("away"))
        starting = asyncio.create_task(stage.loop.start())
        await until(lambda: stage.cluster.errors == [])
        assert not starting.done()
        starting.cancel()
        assert stage.loop.is_alive()

    tried(scenario)


@pytest.mark.row("H5")
def test_what_is_dangerous_as_written_is_told_once() -> None:
    async def scenario(stage: Stage) -> None:
        body = pod("on-the-node")
        body["metadata"]["uid"] = "uid-of-the-node"
        body["spec"] = {"hostNetwork": True}
        stage.cluster.listed[Kind.POD].append(body)
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    told = [note.reason for note in tried(scenario).cluster.notes]
    assert told.count(Reason.INSECURE_ENDPOINT) == 1
    assert told.count(Reason.HOST_NETWORK_REFUSED) == 1


def test_what_the_registry_lost_is_filled_again_and_says_so() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        stage.registries.held.clear()
        stage.movers.moves.clear()
        body = cache_body(sources=SOURCES, images=[{"image": "nginx:1.25"}])
        body["metadata"]["annotations"] = {"cyroid.io/reconcile-at": "now"}
        stage.loop.changed("ImageCache", "MODIFIED", body)
        await until(lambda: bool(stage.movers.moves))
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)

    told = [
        each["reason"]
        for key, _, status in tried(scenario).cluster.statuses
        if key == CACHE
        for each in status["conditions"]
        if each["type"] == "Ready"
    ]
    assert "Refilling" in told


def has_handled(stage: Stage, token: str) -> bool:
    return stage.cluster.last(CACHE).get("lastHandledReconcileAt") == token


def test_a_tag_that_somebody_moves_in_the_registry_is_told_once_and_ignored() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        stage.registries.tagged = digest("theirs")
        for token in ("one", "two"):
            body = cache_body(sources=SOURCES)
            body["metadata"]["annotations"] = {"cyroid.io/reconcile-at": token}
            stage.loop.changed("ImageCache", "MODIFIED", body)
            await until(partial(has_handled, stage, token))

    stage = tried(scenario)
    told = [note for note in stage.cluster.notes if note.reason is Reason.REGISTRY_TAG_DRIFT]
    assert len(told) == 1
    assert str(digest("theirs")) in told[0].message
    assert [type(each) for each in stage.movers.moves] == [Push, Pull]


@pytest.mark.row("D4")
def test_a_pod_that_takes_the_place_of_another_is_told() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        before = pod()
        after = pod()
        after["metadata"] = {**after["metadata"], "uid": "uid-of-the-next"}
        stage.loop.changed("Pod", "DELETED", before)
        stage.loop.changed("Pod", "ADDED", after)
        await until(lambda: stage.cluster.last(RANGE)["targetStatuses"][0]["uid"].endswith("next"))

    notes = tried(scenario).cluster.notes
    assert [note.reason for note in notes].count(Reason.TARGET_REPLACED) == 1
