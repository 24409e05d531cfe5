"""The disk of a real registry is freed by its annotation, while a range stays Ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cyroid_images import edits
from tests.parts.apiserver import wait_for
from tests.parts.collected_registry import CollectedRegistry, running_collected_registry
from tests.parts.engines import EnginePart
from tests.parts.images import tiny_image
from tests.parts.save_tars import noise
from tests.parts.site import MERGE, Site, condition, holds
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow


@pytest.fixture
def collected() -> Iterator[CollectedRegistry]:
    with running_collected_registry() as part:
        yield part


def collection(site: Site, token: str, *, dry_run: bool) -> Mapping[str, Any]:
    """Ask for one and wait for its end; status.collection."""
    patch = edits.collect(token, dry_run=dry_run)
    asked = patch["metadata"]["annotations"]["cyroid.io/collect"]
    site.api.call("PATCH", site.cache_path, patch, **MERGE)

    def told() -> Mapping[str, Any]:
        body = site.api.call("GET", site.cache_path)
        found: Mapping[str, Any] = body["status"].get("collection", {})
        return found

    wait_for(lambda: told().get("handled") == asked and "finished" in told(), "the end", 90)
    return told()


def test_what_nobody_needs_is_freed_and_what_a_range_wants_stays_and_is_never_lost(
    site: Site, collected: CollectedRegistry, containerd_engine: EnginePart
) -> None:
    wanted = site.image("wanted:1")
    site.cache(collected, registry={"collectorURL": collected.collector_url})
    site.serve("ready", containerd_engine, [wanted])
    site.until("ready", Ready="True/AllImagesPresent")
    collected.push("left/over", "1", tiny_image(({"left": noise(3_000_000, 9)},)))
    collected.drop_tag("left/over", "1")
    collected.age()
    counted = collection(site, "one", dry_run=True)
    assert counted["freedBytes"] > 3_000_000
    before = collected.used()
    done = collection(site, "two", dry_run=False)
    assert "reason" not in done, done
    assert done["freedBytes"] == counted["freedBytes"]
    assert 0 <= before - collected.used() - done["freedBytes"] < 100_000
    told = f"freed {done['freedBytes'] / 1e6:.1f} MB in {done['blobs']} blobs"
    wait_for(
        lambda: site.tells_of("Collected", site.name, told) and bool(site.events("Collected")),
        "the event",
        A_WHILE,
    )
    new = site.image("after:1", 2)
    site.edit("ready", images=[{"image": wanted}, {"image": new}])
    body = site.until("ready", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert condition(body, "RegistryAvailable")["status"] == "True"
    assert holds(containerd_engine, wanted, new)
    assert not site.events("RegistryUnreachable")
    assert not site.events("RegistryRecovered")


def test_a_collector_that_is_away_is_told_and_costs_nothing_else(
    site: Site, collected: CollectedRegistry, containerd_engine: EnginePart
) -> None:
    image = site.image("calm:1")
    site.cache(collected, registry={"collectorURL": collected.collector_url})
    site.serve("calm", containerd_engine, [image])
    site.until("calm", Ready="True/AllImagesPresent")
    collected.kill_collector()
    told = collection(site, "one", dry_run=False)
    assert told["reason"] == "RegistryUnreachable"
    assert "begin" in told["message"] or "ask the collector" in told["message"]
    site.until("calm", Ready="True/AllImagesPresent", seconds=A_WHILE)
