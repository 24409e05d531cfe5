"""Images leave a real registry by the whole operator, and never one that somebody wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cyroid_images.model.images.repository import pin_tag
from cyroid_images.registry.client import RegistryClient
from tests.parts.apiserver import wait_for
from tests.parts.company import other
from tests.parts.engines import EnginePart
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.site import Site, holds
from tests.parts.waiting import A_WHILE

__all__ = ["other"]

pytestmark = pytest.mark.slow

GENERATIONS = ("docker-registry", "registry3")


@pytest.fixture(params=GENERATIONS)
def own_registry(request: pytest.FixtureRequest, new_registry: NewRegistry) -> RegistryPart:
    """Of both generations: they differ in what they can remove."""
    return new_registry(program=request.param)


def rows(site: Site) -> dict[str, Mapping[str, Any]]:
    """Of status.removedImages, by image."""
    status = site.read(site.cache_path).get("status") or {}
    return {row["image"]: row for row in status.get("removedImages") or ()}


def say(site: Site, image: str, words: str, seconds: float = 30) -> None:
    """Wait until the row of the image holds these words, or is removed."""

    def is_so() -> bool:
        row = rows(site).get(image, {})
        return words in f"{row.get('reason')} {row.get('message')} {row.get('isRemoved')}"

    wait_for(is_so, f"{image} to say {words}", seconds, lambda: f"{rows(site)}")


def tags(registry: RegistryPart, image: str) -> set[str]:
    repository = image.rpartition(":")[0]
    return set(RegistryClient(registry.push_endpoint).tags(repository))


def wait_until_told(site: Site, image: str, words: str) -> None:
    """Events come from a queue of their own."""
    wait_for(
        lambda: site.tells_of("ImageRemoved", site.name, image, words),
        f"an event with {words}",
        A_WHILE,
        site.operator.log,
    )


def test_what_is_asked_to_go_goes_when_no_range_wants_it(
    site: Site, own_registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    wanted, idle = site.image("wanted:1"), site.image("idle:1")
    site.cache(own_registry, images=[{"image": idle}])
    site.serve("red", containerd_engine, [wanted])
    site.until("red", Ready="True")
    site.until_cache(Ready="True", on_demand=1)
    site.edit_cache(images=None, removedImages=[{"image": wanted}, {"image": idle}])
    say(site, idle, "True")
    say(site, wanted, f"ImageWanted wanted by {site.name}/red; ")
    assert not tags(own_registry, idle)
    assert "1" in tags(own_registry, wanted)
    wait_until_told(site, idle, "spec.removedImages lists it")
    site.delete("red")
    say(site, wanted, "True")
    assert not tags(own_registry, wanted)
    assert holds(containerd_engine, wanted)  # engines and sources keep theirs
    assert holds(site.source, wanted, idle)
    site.until_cache(Ready="True")


def test_an_image_under_two_names_leaves_by_one_and_is_pulled_by_the_other(
    site: Site, own_registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """2.8 says why it cannot; the range pulls from either all the same."""
    first = site.image("twice:1")
    second = f"{site.name}.example/twice:2"
    site.source.docker("tag", first, second)
    site.cache(own_registry, images=[{"image": first}, {"image": second}])
    site.until_cache(Ready="True")
    site.edit_cache(images=[{"image": second}], removedImages=[{"image": first}])
    if own_registry.program == "registry3":
        say(site, first, "True")
        assert "1" not in tags(own_registry, first)
    else:
        say(site, first, "ManifestShared")
        assert "1" in tags(own_registry, first)
    assert "2" in tags(own_registry, first)
    site.serve("red", containerd_engine, [second], delivery="RegistryOnly")
    site.until("red", Ready="True")
    site.edit_cache(images=None, removedImages=[{"image": first}, {"image": second}])
    say(site, second, f"wanted by {site.name}/red")
    site.delete("red")
    for image in (first, second):
        say(site, image, "True", seconds=60)
    assert not tags(own_registry, first)


def test_what_nobody_asks_for_any_more_is_told_and_kept_for_its_time(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """A minute is the least that the API takes: here it is told, and gone when asked for."""
    image = site.image("idle:1")
    site.cache(registry, retention={"unused": "1m"})
    site.serve("red", containerd_engine, [image])
    site.until("red", Ready="True")
    site.delete("red")

    def idle() -> list[str]:
        status = site.read(site.cache_path)["status"]
        return [row["image"] for row in status.get("unusedImages") or ()]

    wait_for(lambda: idle() == [image], "the image to be told as unused", 30, site.operator.log)
    assert "1" in tags(registry, image)
    site.operator.kill()
    site.operator.start()
    wait_for(lambda: not idle(), "the image to leave", 120, site.operator.log)
    assert not tags(registry, image)
    wait_until_told(site, image, "nobody has asked for it since")
    assert image not in (site.read(site.cache_path)["status"].get("digests") or {})


def test_another_client_that_pushes_it_again_is_found_by_a_manual_pass(
    site: Site, registry: RegistryPart
) -> None:
    image = f"{site.name}.example/stubborn:1"
    repository = image.rpartition(":")[0]
    pushed = registry.push_image(repository, "1")
    site.cache(registry, removedImages=[{"image": image}])
    say(site, image, "True")
    assert not tags(registry, image)
    registry.push_image(repository, "1")
    site.reconcile_now("again", site.cache_path)
    wait_for(lambda: not tags(registry, image), "it to be removed again", 30, site.operator.log)
    wait_until_told(site, image, "somebody had pushed it again")
    assert pin_tag(pushed.digest) not in tags(registry, image)


def test_a_registry_that_deletes_nothing_is_told_with_what_helps(
    site: Site, new_registry: NewRegistry
) -> None:
    own = new_registry(deletes=False)
    image = f"{site.name}.example/stays:1"
    own.push_image(image.rpartition(":")[0], "1")
    site.cache(own, removedImages=[{"image": image}])
    say(site, image, "DeletionRefused")
    assert "storage.delete.enabled" in rows(site)[image]["message"]
    assert "1" in tags(own, image)
    site.until_cache(Ready="True")


def test_a_second_cache_over_the_same_registry_keeps_what_it_lists(
    site: Site, other: Site, registry: RegistryPart
) -> None:
    image = site.image("shared:1")
    other.cache(registry, images=[{"image": image}])
    other.until_cache(Ready="True")
    site.cache(registry, removedImages=[{"image": image}])
    say(site, image, f"wanted by spec.images of ImageCache {other.name}")
    assert "1" in tags(registry, image)
