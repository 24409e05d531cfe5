"""Whole scenarios with the names and numbers of real blueprints, on the whole operator.

Two more, from archives and from an upstream, are in `test_sources.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from tests.chaos.stack import RegistryCalls, logging_registry
from tests.parts.apiserver import free_ports, wait_for
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.save_tars import noise
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow

LAB_V2 = (
    "kali-attack", "redteam-lab-wordpress", "redteam-lab-fileserver", "redteam-lab-workstation",
    "samba-dc",
)  # fmt: skip
LAB_V3 = (
    *LAB_V2, "redteam-firewall", "redteam-vpn", "redteam-jumpbox", "redteam-ftp",
    "redteam-jenkins", "redteam-wiki", "redteam-ticketing", "redteam-mysql",
)  # fmt: skip
ALIAS = "127.0.0.1:5000"
TARGETS = 8
"""Of the 20 of an event: each is a real engine, and 2 cores start no more in a few seconds."""


def lab(site: Site, names: Sequence[str]) -> list[str]:
    """Images of a blueprint in the source, by the literal name of the old registry."""
    images = [f"{ALIAS}/cyroid/{site.name}-{name}:latest" for name in names]
    for seed, image in enumerate(images):
        site.fill(image, seed)
    return images


def names_in(engine: EnginePart) -> set[str]:
    """Every name that the engine lists."""
    return set(engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split())


@pytest.mark.row("P2")
def test_s1_a_lab_comes_by_a_warm_registry_and_a_second_pass_moves_nothing(
    site: Site, new_engine: NewEngine
) -> None:
    engine, images = new_engine(), lab(site, LAB_V2)
    with logging_registry() as registry:
        site.cache(registry, aliases=[ALIAS], images=[{"image": image} for image in images])
        assert site.until_cache(Ready="True")["status"]["images"]["cached"] == len(images)
        site.serve("v2", engine, images)
        body = site.until("v2", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
        assert body["status"]["summary"]["images"] == "5/5"
        assert names_in(engine) == set(images)
        calls = RegistryCalls(registry)
        site.reconcile_now("again", site.cache_path, site.path("v2"))
        site.until("v2", at=lambda body: body["status"].get("lastHandledReconcileAt") == "again")
        site.until_cache()
        assert calls.of_layers() == []
        site.remove_all()


def test_s2_a_cold_registry_takes_each_image_and_each_shared_base_once(
    site: Site, new_engine: NewEngine
) -> None:
    engine, bases = new_engine(), [{"base": noise(300_000, 40 + number)} for number in range(3)]
    images = [f"{ALIAS}/cyroid/{site.name}-{name}:latest" for name in LAB_V3]
    for number, image in enumerate(images):
        own = {"own": noise(20_000, 900 + number), "of": site.name.encode()}
        site.source.load_image(image, (bases[number % 3], own), {"Cmd": ["/x"]})
    with logging_registry() as registry:
        calls = RegistryCalls(registry)
        site.cache(registry, aliases=[ALIAS])
        site.serve("v3", engine, images)
        body = site.until("v3", Ready="True", TarFallback="False/NotNeeded")
        assert body["status"]["summary"]["images"] == "13/13"
        assert len(site.events("ImagePushed")) == len(images)
        uploads = [call for call in calls.of_layers() if call.method == "PUT"]
        layers = len(bases) + len(images)
        assert len(uploads) == layers + len(images), "a config each, and each layer once"
        site.remove_all()


@pytest.mark.row("D14")
def test_s4_an_event_is_filled_with_one_push_each_and_a_late_pod_disturbs_nobody(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    (port,) = free_ports(1)
    images = lab(site, LAB_V2)
    addresses = [f"127.0.4.{number}" for number in range(1, TARGETS + 1)]
    engines = [new_engine(port=port, address=address) for address in addresses]
    site.cache(registry, aliases=[ALIAS])
    for number, address in enumerate(addresses[:-1]):
        site.pod("event", address, suffix=f"-{number}")
    site.ranges("event", port, images, interval="10m")
    body = site.until("event", Ready="True", TarFallback="False/NotNeeded")
    early = TARGETS - 1
    assert body["status"]["summary"] == {"images": "5/5", "targets": f"{early}/{early}"}
    assert len(site.events("ImagePushed")) == len(images)
    before = [len(engine.happened("pull")) for engine in engines[:-1]]
    assert before == [len(images)] * early
    site.pod("event", addresses[-1], suffix="-late")
    site.until("event", Ready="True", at=lambda body: body["status"]["targets"]["ready"] == TARGETS)
    assert holds(engines[-1], *images)
    assert [len(engine.happened("pull")) for engine in engines[:-1]] == before


@pytest.mark.row("R1", "P7")
def test_s5_without_its_registry_a_lab_comes_by_tar_and_the_record_ends_with_its_images(
    site: Site, new_registry: NewRegistry, new_engine: NewEngine
) -> None:
    engine, registry, images = new_engine(), new_registry(), lab(site, LAB_V2)
    registry.stop()
    site.cache(registry, aliases=[ALIAS])
    site.serve("v2", engine, images)
    body = site.until("v2", Ready="True", TarFallback="True/RegistryUnreachable")
    record = condition(body, "TarFallback")["message"]
    assert "5" in record
    assert registry.push_host in record
    registry.start()
    site.until("v2", RegistryAvailable="True", Ready="True")
    (new,) = lab(site, ["redteam-vpn"])
    site.edit("v2", images=[{"image": image} for image in (*images, new)])
    body = site.until("v2", Ready="True", at=lambda body: body["status"]["images"]["desired"] == 6)
    assert body["status"]["images"]["viaTar"] == len(images)
    assert len(engine.happened("pull")) == 1
    site.edit("v2", images=[{"image": new}])
    site.until("v2", Ready="True", TarFallback="False/NotNeeded")
    assert holds(engine, *images)


@pytest.mark.row("R11")
def test_s9_a_rebuilt_image_reaches_every_engine_and_no_container_notices(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    """The container is created and not run: no image here has a program."""
    engines = {"one": new_engine(), "two": new_engine(containerd_store=True)}
    (image,) = lab(site, ["kali-attack"])
    site.cache(registry, aliases=[ALIAS])
    for name, engine in engines.items():
        site.serve(name, engine, [image])
        site.until(name, Ready="True")
    old = site.until_cache(on_demand=1)["status"]["imageStatuses"][0]["digest"]
    container = engines["one"].docker("create", image, "/x").strip()
    of_container = engines["one"].docker("inspect", "--format", "{{.Image}}", container)
    before = {name: _image_id(engine, image) for name, engine in engines.items()}
    site.fill(image, 77)
    site.reconcile_now("rebuilt", site.cache_path)
    for name, engine in engines.items():
        wait_for(partial(_is_other, engine, image, before[name]), f"{name} to have the new one", 30)
    wait_for(lambda: _cached_digest(site) != old, "the new digest in status", 30)
    for name in engines:
        site.until(name, Ready="True")
    (moved,) = site.events("NewDigest")
    assert old in moved["note"]
    assert engines["one"].docker("inspect", "--format", "{{.Image}}", container) == of_container
    engines["one"].docker("rm", container)


def _cached_digest(site: Site) -> str:
    return str(site.until_cache(Ready="True")["status"]["imageStatuses"][0]["digest"])


def _image_id(engine: EnginePart, image: str) -> str:
    return engine.docker("image", "inspect", "--format", "{{.Id}}", image).strip()


def _is_other(engine: EnginePart, image: str, before: str) -> bool:
    return _image_id(engine, image) != before
