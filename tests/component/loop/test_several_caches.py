"""Several ImageCaches in one operator: each has its registry and sources, and no other's waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.parts.apiserver import wait_for
from tests.parts.company import other
from tests.parts.engines import EnginePart
from tests.parts.proxy import FaultProxy, Line, NewProxy
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.scripted import ScriptedServer, hang
from tests.parts.site import Site, condition, holds

__all__ = ["other"]

pytestmark = pytest.mark.slow

MANY = 128
"""Images of the slow cache: many times the threads that ask registries."""
SECONDS = 40.0
"""Alone it takes two; waiting for all that is slow it would take many minutes."""
SLOW = Line(latency=6.0)
"""Before each piece of an answer, and within every time-out."""


@pytest.fixture
def way(new_registry: NewRegistry, new_proxy: NewProxy) -> FaultProxy:
    """To a registry of its own."""
    return new_proxy(new_registry().push_host)


def test_two_caches_over_two_registries_fill_the_same_engine(
    site: Site,
    other: Site,
    registry: RegistryPart,
    new_registry: NewRegistry,
    containerd_engine: EnginePart,
) -> None:
    mine, theirs, second = site.image("mine:1"), other.image("theirs:1"), new_registry()
    site.cache(registry)
    other.cache(second)
    site.serve("mine", containerd_engine, [mine])
    site.ranges(
        "theirs",
        containerd_engine.port,
        [theirs],
        imageCacheRef={"name": other.name},
        targets={
            "selector": {"matchLabels": {"cyroid.io/range-id": "mine"}},
            "docker": {"port": containerd_engine.port, "insecure": True},
        },
    )
    for name in ("mine", "theirs"):
        site.until(name, Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert holds(containerd_engine, mine, theirs)
    assert not list(
        (second.data_root / "docker/registry/v2/repositories").glob(f"{site.name}.*/m*")
    )


@pytest.mark.row("R3", "P8")
def test_b8_a_slow_registry_delays_nobody_who_has_another_cache(
    site: Site,
    other: Site,
    registry: RegistryPart,
    way: FaultProxy,
    containerd_engine: EnginePart,
) -> None:
    names = [f"{other.name}.example/slow-{number}" for number in range(MANY)]
    other.fill(f"{names[0]}:1", 1)
    give_names(other.source, f"{names[0]}:1", names)
    site.cache(registry)
    site.until_cache(Ready="True")
    way.line = SLOW
    listed = [{"image": f"{name}:1"} for name in names]
    over = {"pushURL": f"http://{way.host}", "pullHost": way.host}
    other.cache(registry, images=listed, registry=over)
    wait_for(lambda: len(way.seen(".*", "/v2/.+")) >= 4, "the slow registry to be asked", 60)
    site.serve("mine", containerd_engine, [site.image("mine:1")])
    site.until("mine", Ready="True", TarFallback="False", seconds=SECONDS)
    slow = other.read(other.cache_path)["status"]["images"]
    assert slow["cached"] < MANY  # it was slow all the while


@pytest.mark.row("S5", "P8")
def test_b8_an_upstream_that_hangs_delays_nobody_who_has_another_cache(
    site: Site, other: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    with ScriptedServer() as upstream:
        for method in ("GET", "HEAD"):
            upstream.script(method, ".*", hang)
        hosts = {"hosts": [upstream.host], "insecure": True}
        listed = [{"image": f"{upstream.host}/slow-{number}:1"} for number in range(MANY)]
        other.cache(registry, images=listed, sources=[{"name": "far", "upstream": hosts}])
        wait_for(lambda: bool(upstream.requests), "the upstream to be asked", 60)
        site.cache(registry)
        site.serve("mine", containerd_engine, [site.image("mine:1")])
        site.until("mine", Ready="True", TarFallback="False", seconds=SECONDS)
        other.remove_all()  # before the upstream is gone, which would be another fault


def test_b19_a_range_that_goes_to_another_cache_is_no_longer_the_old_ones_business(
    site: Site,
    other: Site,
    registry: RegistryPart,
    new_registry: NewRegistry,
    containerd_engine: EnginePart,
) -> None:
    """Neither cache looks by itself for ten minutes: it is the edit that both are told of."""
    image = site.image("moving:1")
    site.cache(registry, refresh={"interval": "10m"})
    other.cache(new_registry(), refresh={"interval": "10m"})
    site.serve("moving", containerd_engine, [image])
    site.until("moving", Ready="True")
    wait_for(lambda: image in rows(site), "the first cache to tell of it", 30)
    site.edit("moving", imageCacheRef={"name": other.name})
    wait_for(lambda: image in rows(other), "the second cache to tell of it", 30)
    wait_for(lambda: image not in rows(site), "the first cache to forget it", 30)
    site.until("moving", Ready="True")


@pytest.mark.row("D9", "P11")
def test_b14_a_pull_host_that_was_mended_is_noticed_at_once(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """What failed under the old host says nothing of the new one."""
    site.cache(registry, registry={"pullHost": registry.outer_pull_host})
    site.serve("mended", containerd_engine, [site.image("mended:1")], delivery="RegistryOnly")
    site.until("mended", Ready="False/RegistryNotTrusted")
    site.edit_cache(registry={"pullHost": registry.pull_host})
    site.until("mended", Ready="True/AllImagesPresent", seconds=SECONDS)


def test_b16_a_cache_that_is_made_anew_is_not_given_the_verdict_of_the_old_one(
    site: Site, registry: RegistryPart, way: FaultProxy
) -> None:
    """The old one is deleted while its registry leaves the operator waiting."""
    listed = [{"image": site.image("kept:1")}]
    way.line = Line(is_dark=True)
    site.cache(registry, images=listed, registry={"pushURL": f"http://{way.host}"})
    wait_for(lambda: bool(way.exchanges), "the dark registry to be asked", 30)
    site.api.call("DELETE", site.cache_path)
    site.cache(registry, images=listed)
    told = []
    with closing(site.api.versions(site.cache_path, 20)) as versions:
        told = [condition(each, "RegistryAvailable") for each in versions]
    assert condition(site.until_cache(Ready="True"), "RegistryAvailable")["status"] == "True"
    assert not [each for each in told if each.get("status") == "False"]


def give_names(engine: EnginePart, image: str, names: Sequence[str]) -> None:
    """As `docker tag` does, without a process for each of them."""
    socket = httpx.HTTPTransport(uds=engine.local.url.removeprefix("unix://"))
    with httpx.Client(transport=socket, base_url="http://engine", timeout=30) as http:
        for name in names:
            wanted = {"repo": name, "tag": "1"}
            http.post(f"/images/{image}/tag", params=wanted).raise_for_status()


def rows(site: Site) -> Mapping[str, Any]:
    """The images that a cache tells of, by name."""
    status = site.read(site.cache_path).get("status") or {}
    return {row["image"]: row for row in status.get("imageStatuses") or ()}
