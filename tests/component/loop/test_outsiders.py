"""Sources that go away, pods that are replaced, engines that are old or cut off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.component.faults.provoking import at, put_index
from tests.parts.apiserver import free_ports
from tests.parts.engines import EnginePart
from tests.parts.images import tiny_image
from tests.parts.range_engine import LIMITS
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


@pytest.mark.row("S1", "P7")
def test_a_source_that_is_away_matters_only_to_who_needs_it(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    first, second = site.image("kept:1"), site.image("never-pushed:1", 2)
    site.cache(registry)
    site.serve("has-it", containerd_engine, [first])
    site.until("has-it", Ready="True")
    (port,) = free_ports(1)
    away = {"endpoint": f"tcp://127.0.0.1:{port}", "insecure": True}
    site.edit_cache(sources=[{"name": "builder", "engine": away}])
    site.until_cache(SourceAvailable="False/SourceUnreachable")
    site.pod("comes-later", containerd_engine.address)
    site.ranges("comes-later", containerd_engine.port, [first])
    site.until("comes-later", Ready="True")
    site.edit("has-it", images=[{"image": first}, {"image": second}])
    body = site.until("has-it", Ready="False/SourceUnreachable", Reconciling="True")
    assert body["status"]["summary"]["images"] == "1/2"
    real = {"endpoint": site.source.endpoint.url, "insecure": True}
    site.edit_cache(sources=[{"name": "builder", "engine": real}])
    site.until("has-it", Ready="True")
    site.until_cache(SourceAvailable="True/Available")


@pytest.mark.row("D4")
def test_a_pod_of_the_same_name_is_a_new_target(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    images = [site.image("again:1")]
    site.cache(registry)
    site.serve("again", containerd_engine, images)
    before = site.until("again", Ready="True")["status"]["targetStatuses"][0]
    site.api.delete_pod(before["pod"], site.name)
    uid = site.pod("again", containerd_engine.address)
    assert uid != before["uid"]
    site.until("again", at=lambda body: _uid(body) == uid)
    body = site.until("again", Ready="True")
    (row,) = body["status"]["targetStatuses"]
    assert (row["pod"], row["uid"], row["present"]) == (before["pod"], uid, 1)
    assert holds(containerd_engine, *images)
    told = [each["note"] for each in site.events("TargetReplaced")]
    assert any(uid in note for note in told), told


@pytest.mark.row("D7")
def test_an_engine_that_reads_no_zstd_is_filled_by_tar(
    site: Site, registry: RegistryPart, old_engine: EnginePart
) -> None:
    images = [site.image("for-the-old:1")]
    site.cache(registry)
    site.serve("old", old_engine, images)
    body = site.until("old", Ready="True", TarFallback="True/CompressionUnsupported")
    assert "1.42" in condition(body, "TarFallback")["message"]
    assert holds(old_engine, *images)


@pytest.mark.row("D10")
def test_an_engine_that_cannot_reach_the_registry_is_filled_by_tar(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    images = [site.image("cut-off:1")]
    (port,) = free_ports(1)
    site.cache(registry, registry={"pullHost": f"127.0.0.1:{port}"})
    site.serve("cut-off", containerd_engine, images)
    site.until("cut-off", Ready="True", TarFallback="True/RegistryUnreachableFromTarget")
    assert condition(site.read(site.path("cut-off")), "RegistryAvailable")["status"] == "True"
    assert holds(containerd_engine, *images)


@pytest.mark.row("S7")
def test_of_an_index_that_is_there_in_part_what_is_there_is_delivered(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, classic_engine: EnginePart
) -> None:
    images = {
        f"linux/{machine}": tiny_image(
            [{"x": f"{machine} {site.name}".encode()}], architecture=machine
        )
        for machine in ("amd64", "arm64")
    }
    digest = put_index(registry, f"parts/{site.name}", images)
    name = f"{site.name}.example/partial:1"
    transport = at(registry.pull_host, f"parts/{site.name}", digest)
    containerd_engine.engine.pull(transport, ignore, limits=LIMITS, cancellation=NEVER)
    containerd_engine.engine.tag(transport, Reference.parse(name))
    containerd_engine.engine.untag(transport)
    source = {"endpoint": containerd_engine.endpoint.url, "insecure": True}
    site.cache(registry, sources=[{"name": "builder", "engine": source}])
    site.serve("partial", classic_engine, [name])
    site.until("partial", Ready="True")
    assert holds(classic_engine, name)
    told = [each["note"] for each in site.events("PartialPlatformImage")]
    assert any(name in note for note in told), told


def _uid(body: Mapping[str, Any]) -> str | None:
    rows = body["status"].get("targetStatuses", [])
    return rows[0]["uid"] if rows else None
