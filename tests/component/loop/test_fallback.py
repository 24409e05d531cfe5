"""What happens to a range while the registry cannot serve it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.connections import finished_connections
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.proxy import NewProxy
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


def by_tar(site: Site, name: str, reason: str) -> dict[str, Any]:
    """The range is complete, by tar, for this reason, and its record says so."""
    body = site.until(name, Ready="True/AllImagesPresent", TarFallback=f"True/{reason}")
    records = body["status"]["tarDeliveries"]
    assert {record["reason"] for record in records} == {reason}
    return body


@pytest.mark.row("R1", "P7")
def test_a_registry_that_is_down_gives_way_to_tar_and_the_record_stays(
    site: Site, new_registry: NewRegistry, new_engine: NewEngine
) -> None:
    engine, registry, images = new_engine(), new_registry(), [site.image("tar:1")]
    registry.stop()
    site.cache(registry)
    site.serve("tar", engine, images)
    first = by_tar(site, "tar", "RegistryUnreachable")
    assert condition(first, "RegistryAvailable")["status"] == "False"
    assert holds(engine, *images)
    since = condition(first, "TarFallback")["lastTransitionTime"]

    registry.start()
    site.until("tar", Ready="True", RegistryAvailable="True", TarFallback="True")
    site.until_cache(Ready="True/AllImagesCached")
    assert site.events("RegistryRecovered")

    site.operator.stop()
    site.operator.start()
    seen_again(engine)
    again = by_tar(site, "tar", "RegistryUnreachable")
    assert condition(again, "TarFallback")["lastTransitionTime"] == since
    assert again["status"]["tarDeliveries"] == first["status"]["tarDeliveries"]
    assert not engine.happened("pull")


@pytest.mark.row("R1", "P7")
def test_the_record_of_a_tar_outlives_restarts_while_source_and_registry_come_and_go(
    site: Site, new_registry: NewRegistry, new_engine: NewEngine
) -> None:
    """A containerd store names the image by a digest of its own, and the registry by another."""
    registry, engine = new_registry(), new_engine()
    site.source = new_engine(containerd_store=True)
    images = [site.image("kept:1")]
    registry.stop()
    site.cache(registry)
    site.serve("kept", engine, images)
    first = by_tar(site, "kept", "RegistryUnreachable")
    registry.start()
    cache = site.until_cache(Ready="True/AllImagesCached", on_demand=1)
    (record,), (stored,) = first["status"]["tarDeliveries"], cache["status"]["digests"].values()
    assert record["digest"] != stored

    site.operator.stop()
    site.source.stop()
    still_by_tar(site, "kept", engine, first, "source-away")
    site.operator.stop()
    registry.stop()
    site.source.start()
    still_by_tar(site, "kept", engine, first, "registry-away")
    site.operator.stop()
    registry.start()
    still_by_tar(site, "kept", engine, first, "both-back")
    assert not engine.happened("pull")

    site.fill(images[0], 2)
    site.until("kept", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert engine.happened("pull")


@pytest.mark.row("R1", "P7")
def test_what_is_there_stays_ready_while_the_registry_is_away(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry = new_registry()
    site.cache(registry)
    site.serve("there", containerd_engine, [site.image("there:1")])
    ready = condition(site.until("there", Ready="True"), "Ready")
    pulls, loads = containerd_engine.happened("pull"), containerd_engine.happened("load")
    registry.stop()
    body = site.until("there", RegistryAvailable="False/RegistryUnreachable", Ready="True")
    assert condition(body, "Ready") == ready
    site.until_cache(RegistryAvailable="False/RegistryUnreachable", Ready="False")
    registry.start()
    body = site.until("there", RegistryAvailable="True", Ready="True", TarFallback="False")
    assert condition(body, "Ready") == ready
    assert containerd_engine.happened("pull") == pulls
    assert containerd_engine.happened("load") == loads


@pytest.mark.row("R2", "P7", "P8")
def test_a_registry_that_hangs_gives_way_to_tar_and_holds_up_nobody_else(
    site: Site, registry: RegistryPart, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    hung = new_registry()
    site.cache(hung)
    hung.pause()
    site.serve("hangs", containerd_engine, [site.image("hangs:1")])
    with neighbour(site) as other:
        other.cache(registry)
        for each in NEIGHBOURS:
            other.serve(each, containerd_engine, [other.image(f"{each}:1")])
        for each in NEIGHBOURS:
            other.until(each, Ready="True/AllImagesPresent", TarFallback="False")
    body = site.until("hangs", Ready="True", TarFallback="True", seconds=90)
    assert body["status"]["tarDeliveries"][0]["reason"] == "RegistryUnreachable"
    site.until_cache(RegistryAvailable="False/RegistryUnreachable", Ready="False")
    hung.resume()
    site.until("hangs", RegistryAvailable="True", Ready="True", seconds=60)


@pytest.mark.row("D9")
def test_a_registry_that_the_engine_does_not_trust_gives_way_to_tar(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.cache(registry, registry={"pullHost": registry.outer_pull_host})
    site.serve("wary", containerd_engine, [site.image("wary:1")])
    body = by_tar(site, "wary", "RegistryNotTrusted")
    line = f'{{"insecure-registries": ["{registry.outer_pull_host}"]}}'
    assert line in condition(body, "TarFallback")["message"]


def test_tar_only_takes_nothing_from_the_registry_and_puts_nothing_into_it(
    site: Site, registry: RegistryPart, old_engine: EnginePart, new_proxy: NewProxy
) -> None:
    """The cache may ask it for a name all the same: it tells what is there and what is not."""
    images = [site.image("forced:1"), site.image("forced:2", 2)]
    way = new_proxy(registry.push_host)
    where = {"pushURL": f"http://{way.host}", "pullHost": way.host}
    site.cache(registry, registry=where)
    site.serve("forced", old_engine, images, delivery="TarOnly")
    by_tar(site, "forced", "ForcedBySpec")
    assert {each.method for each in way.exchanges} <= {"GET", "HEAD"}
    assert not [each.target for each in way.exchanges if "/blobs/" in each.target]
    assert not [line for line in old_engine.happened("pull") if site.name in line]


@pytest.mark.row("R1")
def test_registry_only_waits_for_a_registry_that_is_down(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry, images = new_registry(), [site.image("only:1")]
    registry.stop()
    site.cache(registry)
    site.serve("only", containerd_engine, images, delivery="RegistryOnly")
    body = site.until("only", Ready="False/RegistryUnreachable", Reconciling="True")
    assert condition(body, "TarFallback")["reason"] == "NotNeeded"
    seen_again(containerd_engine)
    assert not holds(containerd_engine, *images)
    registry.start()
    site.until("only", Ready="True", TarFallback="False", seconds=60)
    assert holds(containerd_engine, *images)


def test_a_layer_that_the_registry_lost_is_pushed_again_or_comes_by_tar(
    site: Site, new_registry: NewRegistry, new_engine: NewEngine
) -> None:
    registry, images = new_registry(), [site.image("lost:1")]
    site.cache(registry)
    first, second = new_engine(), new_engine()
    site.serve("first", first, images)
    site.until("first", Ready="True")
    blobs = (registry.data_root / "docker/registry/v2/blobs").rglob("data")
    max(blobs, key=lambda path: path.stat().st_size).unlink()
    site.serve("second", second, images)
    site.until("second", Ready="True", seconds=60)
    assert holds(second, *images)


def still_by_tar(
    site: Site, name: str, engine: EnginePart, before: dict[str, Any], token: str
) -> None:
    """An operator that starts now has looked, and the record is as it was."""
    site.operator.start()
    site.reconcile_now(token, site.path(name), site.cache_path)
    wait_for(
        lambda: {handled(site, path) for path in (site.path(name), site.cache_path)} == {token},
        "all looks to be over",
        60,
        site.operator.log,
    )
    seen_again(engine)
    again = by_tar(site, name, "RegistryUnreachable")
    assert again["status"]["tarDeliveries"] == before["status"]["tarDeliveries"]
    told = [condition(body, "TarFallback")["lastTransitionTime"] for body in (before, again)]
    assert told[0] == told[1]


def handled(site: Site, path: str) -> str | None:
    """The last pass that was asked for, and whose looks are over."""
    token: str | None = site.read(path)["status"].get("lastHandledReconcileAt")
    return token


NEIGHBOURS = [f"well-{number}" for number in range(10)]


@contextmanager
def neighbour(site: Site) -> Iterator[Site]:
    """Another user's part of the cluster, with the same operator and source."""
    other = Site(f"{site.name}-neighbour", site.api, site.operator, site.source)
    site.api.put_namespace(other.name, {"cyroid.io/ranges": "true"})
    try:
        yield other
    finally:
        other.remove_all()


def seen_again(engine: EnginePart) -> None:
    """Wait until the operator has looked at this engine twice more."""
    looks = finished_connections(engine.port)
    wait_for(lambda: len(finished_connections(engine.port) - looks) >= 8, "two more looks", 30)
