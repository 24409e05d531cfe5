"""Which way an image came is told as it was, and a source keeps what it gave."""

from __future__ import annotations

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.site import Site, holds

pytestmark = pytest.mark.slow


def test_p_e3_the_route_is_told_as_it_was_for_each_image(
    site: Site, new_registry: NewRegistry, new_engine: NewEngine
) -> None:
    """One was there before, one comes by the registry, one by tar."""
    registry, target = new_registry(), new_engine()
    pulled, loaded = site.image("pulled:1", 1), site.image("loaded:1", 2)
    there = f"{site.name}.example/there:1"
    target.load(site.fill(there, 3).tar)
    site.cache(registry)
    site.serve("ways", target, [there, pulled])
    body = site.until("ways", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert not body["status"].get("tarDeliveries")
    registry.stop()
    site.edit("ways", images=[{"image": each} for each in (there, pulled, loaded)])
    body = site.until("ways", Ready="True/AllImagesPresent", TarFallback="True", seconds=60)
    assert [record["image"] for record in body["status"]["tarDeliveries"]] == [loaded]
    wait_for(lambda: site.tells_of("ImageDelivered", "ways", pulled, loaded), "both events", 30)
    told = [event["note"] for event in site.events("ImageDelivered")]
    assert not [note for note in told if there in note]
    assert [" by the registry" in note for note in told if pulled in note] == [True]
    assert [" by tar (Registry" in note for note in told if loaded in note] == [True]


def test_p_e8_a_source_keeps_its_image_so_a_lost_registry_leaves_the_tar(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry, images = new_registry(), [site.image("kept:1")]
    site.cache(registry, images=[{"image": image} for image in images])
    site.until_cache(Ready="True/AllImagesCached")
    assert holds(site.source, *images)
    registry.stop()
    site.serve("kept", containerd_engine, images)
    site.until("kept", Ready="True/AllImagesPresent", TarFallback="True", seconds=60)
    assert holds(containerd_engine, *images)
    assert holds(site.source, *images)


def test_p_s8_a_tar_of_an_image_with_several_tags_or_none_ends_with_the_wanted_name(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    """The source has one image under two names, the other by its digest alone."""
    target, several = new_engine(), site.image("several:1")
    site.source.docker("tag", several, f"{site.name}.example/several:also")
    image = registry.push_image(site.name, "1", layers=({"x": site.name.encode()},))
    untagged = f"{registry.pull_host}/{site.name}"
    site.source.docker("pull", f"{untagged}@{image.digest}")
    site.cache(registry)
    wanted = [several, f"{untagged}:1@{image.digest}"]
    site.serve("exact", target, wanted, delivery="TarOnly")
    site.until("exact", Ready="True/AllImagesPresent", TarFallback="True/ForcedBySpec")
    listed = target.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    assert sorted(listed) == sorted([several, f"{untagged}:1"])
