"""Images reach ranges by the registry: once pushed, everywhere delivered, then left alone."""

from __future__ import annotations

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.connections import finished_connections
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


def test_three_images_reach_two_ranges_with_one_push_each(
    site: Site, registry: RegistryPart, old_engine: EnginePart, containerd_engine: EnginePart
) -> None:
    images = [site.image(f"tool-{number}:1", number) for number in range(3)]
    reads = len(site.source.happened("save"))
    site.cache(registry, registry={"compression": "Gzip"})  # which 20.10 can read
    site.serve("one", old_engine, images)
    site.serve("two", containerd_engine, images)
    for name, engine in (("one", old_engine), ("two", containerd_engine)):
        body = site.until(name, Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
        assert body["status"]["summary"] == {"images": "3/3", "targets": "1/1"}
        assert holds(engine, *images)
    cached = site.until_cache(Ready="True/AllImagesCached", on_demand=3)
    assert cached["status"]["onDemand"] == {"wanted": 3, "cached": 3, "missing": 0}
    assert len(site.events("ImagePushed")) == 3
    wait_for(lambda: site.tells_of("ImageDelivered", "one", *images), "events of all three", 30)
    assert len(site.source.happened("save")) - reads == 3


def test_a_range_that_is_complete_is_looked_at_and_not_written(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    engine, images = new_engine(), [site.image("still:1")]
    site.cache(registry)
    site.serve("still", engine, images)
    site.until("still", Ready="True")
    site.until_cache(Ready="True", on_demand=1)
    before = [site.read(path) for path in (site.path("still"), site.cache_path)]
    looks = finished_connections(engine.port)
    wait_for(lambda: len(finished_connections(engine.port) - looks) > 9, "three more looks", 30)
    after = [site.read(path) for path in (site.path("still"), site.cache_path)]
    versions = [[body["metadata"]["resourceVersion"] for body in both] for both in (before, after)]
    assert versions[0] == versions[1]
    assert len(engine.happened("pull")) == 1


def test_p_s9_no_transport_name_is_left_in_any_engine(
    site: Site, registry: RegistryPart, old_engine: EnginePart, containerd_engine: EnginePart
) -> None:
    images = [site.image("clean:1")]
    site.cache(registry)
    site.serve("old", old_engine, images)
    site.serve("new", containerd_engine, images, delivery="TarOnly")
    site.until("old", Ready="True")
    site.until("new", Ready="True")
    for engine in (site.source, old_engine, containerd_engine):
        listed = engine.docker("images", "--all", "--digests", "--format", "{{.Repository}}")
        ours = [name for name in listed.splitlines() if site.name in name]
        assert set(ours) == {images[0].rpartition(":")[0]}, listed
        assert "transfer.cyroid.io" not in listed
    assert condition(site.read(site.path("new")), "TarFallback")["reason"] == "ForcedBySpec"


@pytest.mark.row("S2", "P8")
def test_p_e10_an_image_that_nobody_has_keeps_the_nine_others_from_nothing(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    there = [site.image(f"here-{number}:1", number) for number in range(9)]
    lost = f"{site.name}.example/nowhere:1"
    site.cache(registry)
    site.serve("most", containerd_engine, [*there[:4], lost, *there[4:]])
    body = site.until("most", Ready="False/ImageNotFound", Stalled="True/ImageNotFound")
    assert body["status"]["summary"]["images"] == "9/10"
    assert lost in condition(body, "Ready")["message"]
    assert holds(containerd_engine, *there)
    site.fill(lost, 99)
    site.until("most", Ready="True", Stalled="absent", seconds=60)
