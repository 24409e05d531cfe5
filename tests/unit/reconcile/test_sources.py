"""The loop and its sources: upstreams, archives, and ranges that must not fill the registry."""

from __future__ import annotations

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import HeldByUpstream
from cyroid_images.model.upstream import upstream_endpoint
from cyroid_images.store.keys import Kind
from tests.unit.plan.examples import cache_body, content, stored
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.stage import CACHE, READY, Stage, a_range, tried


def test_a_range_that_is_tar_only_fills_no_registry() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.RANGE_IMAGES] = [a_range(delivery="TarOnly")]
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    stage = tried(scenario)
    assert [type(each) for each in stage.movers.moves] == [Load]
    assert stage.told()["TarFallback"] == "True/ForcedBySpec"
    assert stage.told(CACHE)["Ready"] == "True/AllImagesCached"
    assert stage.cluster.last(CACHE)["images"]["desired"] == 0


LISTED = [{"image": "nginx:1.25"}]
UPSTREAM = [{"name": "hub", "upstream": {"hosts": ["docker.io"]}}]


def test_an_image_of_an_upstream_is_copied_and_asked_for_once_an_interval() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=UPSTREAM)]
        endpoint = upstream_endpoint("docker.io", frozenset({"docker.io"}))
        stage.upstreams.held["nginx:1.25"] = HeldByUpstream("hub", endpoint, stored())
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    stage = tried(scenario)
    assert [type(each) for each in stage.movers.moves] == [Copy, Pull]
    assert stage.upstreams.asked == ["nginx:1.25"]


def test_an_upstream_that_limits_is_left_alone_as_long_as_it_says() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=UPSTREAM, images=LISTED)]
        stage.upstreams.error = TransferError(Reason.RATE_LIMITED, "too many", retry_after=3600)
        await stage.loop.start()
        await until(lambda: stage.told(CACHE).get("Ready") == "False/RateLimited")
        queue = stage.parts.queue
        for _ in range(3):
            queue.wake(CACHE)
            await until(lambda: queue.count_due() + queue.count_running() == 0)

    stage = tried(scenario)
    assert stage.upstreams.asked == ["nginx:1.25"]


def test_an_image_of_an_archive_is_copied() -> None:
    async def scenario(stage: Stage) -> None:
        bundles = [{"name": "bundles", "archive": {"path": "lab.tar"}}]
        stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=bundles)]
        names = frozenset({Reference.parse("nginx:1.25")})
        held = ArchiveImage("lab.tar", names, content(), b"{}", ())
        stage.archives.views["lab.tar"] = ArchiveView((held,))
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    stage = tried(scenario)
    assert [type(each) for each in stage.movers.moves] == [Copy, Pull]


def test_a_missing_archive_is_told_on_the_cache() -> None:
    async def scenario(stage: Stage) -> None:
        bundles = [{"name": "bundles", "archive": {"path": "lab.tar"}}]
        stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=bundles, images=LISTED)]
        await stage.loop.start()
        await until(lambda: stage.told(CACHE).get("Stalled") == "True/ArchiveMissing")
        assert stage.told(CACHE)["SourceAvailable"] == "False/ArchiveMissing"

    tried(scenario)
