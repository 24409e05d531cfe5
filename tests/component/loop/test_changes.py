"""Edits, moved tags and drift: whatever changes, the engines end as the objects say."""

from __future__ import annotations

from functools import partial

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.site import Site, holds

pytestmark = pytest.mark.slow


@pytest.mark.row("D11")
@pytest.mark.row("P11")
def test_an_image_that_was_removed_by_hand_comes_back(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    images = [site.image("drift:1")]
    site.cache(registry)
    site.serve("drift", containerd_engine, images)
    site.until("drift", Ready="True")
    containerd_engine.docker("rmi", *images)
    wait_for(lambda: bool(site.events("DriftCorrected")), "the event", 15)
    wait_for(lambda: holds(containerd_engine, *images), "the image to be back", 15)
    site.until("drift", Ready="True")


@pytest.mark.row("D11")
def test_p_s2_a_name_that_was_given_to_another_image_is_corrected(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    wanted, other = site.image("mine:1", 1), site.image("other:1", 2)
    site.cache(registry)
    site.serve("mine", containerd_engine, [wanted, other])
    site.until("mine", Ready="True")
    right = id_of(containerd_engine, wanted)
    containerd_engine.docker("tag", other, wanted)
    wait_for(lambda: id_of(containerd_engine, wanted) == right, "the right image", 15)


@pytest.mark.row("R11")
@pytest.mark.parametrize("change", ["layers", "only-cmd"])
def test_p_s1_a_tag_that_moved_at_the_source_is_delivered_everywhere(
    site: Site,
    registry: RegistryPart,
    old_engine: EnginePart,
    containerd_engine: EnginePart,
    change: str,
) -> None:
    image = site.image("moving:1")
    engines = {"one": old_engine, "two": containerd_engine}
    site.cache(registry, refresh={"interval": "10m"})
    for name, engine in engines.items():
        site.serve(name, engine, [image], interval="10m")
        site.until(name, Ready="True")
    if change == "layers":
        site.fill(image, 2, Cmd=["/second"])
    else:
        site.image("moving:1", Cmd=["/second"])
    site.reconcile_now("now", site.cache_path, *(site.path(name) for name in engines))
    for name, engine in engines.items():
        wait_for(partial(runs, engine, image, "/second"), f"{name} to follow", 30)
        body = site.until(name, Ready="True")
        assert body["status"]["lastHandledReconcileAt"] == "now"
    assert len(site.events("NewDigest")) == 1
    assert not site.events("DriftCorrected")


@pytest.mark.row("R11")
def test_a_pinned_cache_keeps_the_first_content(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    image = site.image("pinned:1", Cmd=["/first"])
    site.cache(registry, refresh={"policy": "Pin", "interval": "1s"})
    site.serve("pinned", containerd_engine, [image])
    site.until("pinned", Ready="True")
    site.fill(image, 2, Cmd=["/second"])
    site.reconcile_now("now", site.cache_path, site.path("pinned"))
    site.until("pinned", at=lambda body: body["status"].get("lastHandledReconcileAt") == "now")
    site.until("pinned", Ready="True")
    assert "/first" in command_of(containerd_engine, image)


@pytest.fixture
def in_mid_pull(
    site: Site, new_registry: NewRegistry, new_engine: NewEngine, big_image: str
) -> tuple[RegistryPart, EnginePart]:
    """A range whose engine is pulling 150 MB from a registry that stands still meanwhile."""
    registry, engine = new_registry(), new_engine()
    site.cache(registry, images=[{"image": big_image}])
    site.until_cache(Ready="True", seconds=90)
    site.serve("big", engine, [big_image])
    wait_for(lambda: engine.downloaded() > 1_000_000, "layers to come", 30, site.operator.log)
    registry.pause()
    return registry, engine


def test_p_c4_an_operator_that_is_killed_in_mid_pull_ends_the_same(
    site: Site, in_mid_pull: tuple[RegistryPart, EnginePart], big_image: str
) -> None:
    registry, engine = in_mid_pull
    site.operator.kill()
    registry.resume()
    site.operator.start()
    site.until("big", Ready="True/AllImagesPresent", TarFallback="False", seconds=90)
    assert engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}") == big_image
    assert registry.pull_host not in engine.docker("images", "--all", "--digests")


def test_an_operator_that_is_stopped_in_mid_pull_ends_within_its_grace_period(
    site: Site, in_mid_pull: tuple[RegistryPart, EnginePart]
) -> None:
    registry, _ = in_mid_pull
    before = site.read(site.path("big"))
    assert site.operator.stop() == 0
    after = site.read(site.path("big"))
    assert before["status"]["conditions"] == after["status"]["conditions"]
    registry.resume()
    site.operator.start()
    site.until("big", Ready="True", seconds=90)


@pytest.mark.parametrize("delivery", ["RegistryThenTar", "TarOnly"])
def test_an_operator_that_is_killed_while_the_source_gives_ends_the_same(
    site: Site,
    new_registry: NewRegistry,
    new_engine: NewEngine,
    big_image: str,
    delivery: str,
) -> None:
    registry, engine = new_registry(), new_engine()
    reads = len(site.source.happened("save"))
    site.cache(registry)
    site.serve("big", engine, [big_image], delivery=delivery)
    wait_for(
        lambda: len(site.source.happened("save")) > reads,
        "the source to give",
        30,
        site.operator.log,
    )
    site.operator.kill()
    site.operator.start()
    site.until("big", Ready="True/AllImagesPresent", seconds=120)
    assert engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}") == big_image
    wait_for(
        lambda: not names_in(site.source, "transfer.cyroid.io", registry.push_host),
        "the source to be tidy",
        15,
        lambda: str(names_in(site.source, "")),
    )


def names_in(engine: EnginePart, *words: str) -> list[str]:
    """Names in the engine that hold one of these words."""
    listed = engine.docker("images", "--all", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return [name for name in listed if any(word in name for word in words)]


def id_of(engine: EnginePart, image: str) -> str:
    found = engine.try_docker("image", "inspect", "--format", "{{.Id}}", image)
    return found.stdout.strip()


def runs(engine: EnginePart, image: str, command: str) -> bool:
    return command in command_of(engine, image)


def command_of(engine: EnginePart, image: str) -> str:
    found = engine.try_docker("image", "inspect", "--format", "{{.Config.Cmd}}", image)
    return found.stdout.strip()
