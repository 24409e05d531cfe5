"""A registry that is slow, busy or refuses: what is waited for, what comes by tar, what is told."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.component.loop.conftest import WRONG_SECRET
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE
from tests.parts.proxy import Answer, Change, FaultProxy, Line, NewProxy
from tests.parts.registry import CREDENTIALS, RegistryPart
from tests.parts.save_tars import noise
from tests.parts.site import MERGE, Site, condition, holds

pytestmark = pytest.mark.slow

UPLOADS = "/v2/.*/uploads/"


@dataclass(frozen=True, slots=True)
class Way:
    """A registry, a proxy on the operator's way to it, and an engine."""

    registry: RegistryPart
    proxy: FaultProxy
    engine: EnginePart


@pytest.fixture
def way(registry: RegistryPart, new_proxy: NewProxy, containerd_engine: EnginePart) -> Way:
    """The proxy stands before the push listener."""
    return Way(registry, new_proxy(registry.push_host), containerd_engine)


@pytest.mark.row("R3")
def test_a_slow_registry_is_waited_for_while_bytes_come_and_the_message_counts_them(
    site: Site, registry: RegistryPart, new_proxy: NewProxy, containerd_engine: EnginePart
) -> None:
    """Twice as long as `stall` allows for one step: a containerd store tells of each MiB."""
    proxy, image = new_proxy(registry.pull_host), f"{site.name}.example/slow:1"
    site.source.load_image(image, ({"noise": noise(4_000_000, 3)},))
    site.cache_behind(proxy, registry, image)
    proxy.line = Line(bytes_per_second=500_000)
    timeouts = {"stall": "4s", "total": "60s"}
    site.serve("slow", containerd_engine, [image], timeouts=timeouts)
    site.until("slow", Ready="False/Progressing", at=lambda body: "KiB/s" in told(body))
    site.until("slow", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert len(proxy.seen("GET", ".*/blobs/.*")) <= 3  # config, layer: nothing was begun anew


@pytest.mark.row("R3")
def test_a_registry_that_falls_silent_in_mid_pull_is_given_up_after_the_stall(
    site: Site, registry: RegistryPart, new_proxy: NewProxy, containerd_engine: EnginePart
) -> None:
    proxy, image = new_proxy(registry.pull_host), f"{site.name}.example/silent:1"
    site.source.load_image(image, ({"noise": noise(1_000_000, 4)},))
    site.cache_behind(proxy, registry, image)
    proxy.on("GET", ".*/blobs/.*", Change(silent_at=300_000))
    timeouts = {"stall": "1s", "total": "60s"}
    site.serve("silent", containerd_engine, [image], timeouts=timeouts)
    site.until("silent", Ready="True/AllImagesPresent", TarFallback="True/Timeout")


@pytest.mark.row("R4")
def test_a_registry_that_is_busy_for_a_moment_is_nobodys_business(site: Site, way: Way) -> None:
    for method in ("GET", "HEAD", "POST", "PUT"):
        way.proxy.on(method, "/v2/.*", Answer(503), times=2)
    site.cache(way.registry, registry={"pushURL": f"http://{way.proxy.host}"})
    site.serve("calm", way.engine, [site.image("calm:1")])
    site.until("calm", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    site.until_cache(Ready="True/AllImagesCached")
    assert not site.events("ServerError")
    assert not site.events("RegistryRecovered")


@pytest.mark.row("R4", "P7")
@pytest.mark.parametrize(("status", "reason"), [(503, "ServerError"), (429, "RateLimited")])
def test_a_registry_that_stays_busy_gives_way_to_tar_and_is_filled_when_it_is_well(
    site: Site, way: Way, status: int, reason: str
) -> None:
    way.proxy.on("POST", UPLOADS, Answer(status, body=b"come again"), times=1000)
    image, where = site.image("busy:1"), {"pushURL": f"http://{way.proxy.host}"}
    site.cache(way.registry, registry=where, images=[{"image": image}])
    site.serve("busy", way.engine, [image])
    site.until("busy", Ready="True/AllImagesPresent", TarFallback=f"True/{reason}")
    body = site.until_cache(Ready=f"False/{reason}", Reconciling="True/ProgressingWithRetry")
    assert f"{status} come again" in condition(body, "Ready")["message"]
    way.proxy.heal()
    site.reconcile_now("well", site.cache_path)
    site.until_cache(Ready="True/AllImagesCached")
    site.until("busy", Ready="True/AllImagesPresent", TarFallback=f"True/{reason}")


@pytest.mark.row("R5", "P7", "P10")
def test_a_password_that_the_registry_refuses_is_told_until_the_secret_is_right(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """What is cached is pulled all the while; what is not comes by tar, where that may be."""
    old, new, other = (site.image(f"{name}:1", seed) for seed, name in enumerate(("a", "b", "c")))
    site.cache(registry, images=[{"image": old}])
    site.until_cache(Ready="True/AllImagesCached")
    site.edit_cache(registry={"pushSecretRef": {"name": WRONG_SECRET}})
    site.until_cache(
        Ready="False/Unauthorized",
        Stalled="True/Unauthorized",
        RegistryAvailable="False/Unauthorized",
    )
    site.serve("cached", containerd_engine, [old])
    site.serve("tar", containerd_engine, [new])
    site.serve("only", containerd_engine, [other], delivery="RegistryOnly")
    site.until("cached", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    site.until("tar", Ready="True/AllImagesPresent", TarFallback="True/Unauthorized")
    body = site.until("only", Ready="False/CacheNotReady", RegistryAvailable="False/Unauthorized")
    assert "Unauthorized" in told(body)
    with right_password(site):
        site.until_cache(Ready="True/AllImagesCached", Stalled="absent", seconds=45)
        site.until("only", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert holds(containerd_engine, old, new, other)


@contextmanager
def right_password(site: Site) -> Iterator[None]:
    """While this lasts, the wrong Secret is right."""
    path = f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets/{WRONG_SECRET}"
    before = site.api.call("GET", path)["data"]
    right = base64.b64encode(CREDENTIALS.password.encode()).decode()
    site.api.call("PATCH", path, {"data": {"password": right}}, **MERGE)
    try:
        yield
    finally:
        site.api.call("PATCH", path, {"data": before}, **MERGE)


def told(body: Mapping[str, Any]) -> str:
    """What Ready says."""
    return str(condition(body, "Ready").get("message", ""))
