"""Full disks: an engine's leads to no tar, which would need more of it; a registry's to one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.save_tars import noise
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow
STORES = pytest.mark.parametrize("containerd_store", [False, True], ids=["classic", "containerd"])


@pytest.mark.row("D6")
@STORES
def test_p_e4_a_full_engine_disk_leads_to_no_tar(
    site: Site, registry: RegistryPart, new_engine: NewEngine, containerd_store: bool
) -> None:
    """One try, told as what it is, and left alone for five minutes."""
    full = new_engine(containerd_store=containerd_store, data_size="40m")
    name = f"{site.name}.example/large:1"
    site.source.load_image(name, ({"noise": noise(50_000_000, 11)},))
    saves = site.source.happened("save")
    site.cache(registry, images=[{"image": name}])
    site.until_cache(Ready="True", seconds=60)
    given = site.source.happened("save")
    site.serve("full", full, [name])
    body = site.until("full", Ready="False/InsufficientStorage", Reconciling="True", seconds=60)
    assert condition(body, "TarFallback")["reason"] == "NotNeeded"
    (failure,) = body["status"]["failures"]
    assert (failure["route"], failure["attempts"]) == ("Registry", 1)
    due = datetime.fromisoformat(failure["nextAttemptTime"])
    assert due - datetime.now(UTC) > timedelta(minutes=3)
    site.reconcile_now("look", site.cache_path)
    site.until("full", Ready="False/InsufficientStorage")
    assert len(given) - len(saves) <= 1  # the push, where it is a stream
    assert site.source.happened("save") == given
    assert not holds(full, name)


@pytest.mark.row("R6", "P7")
def test_a_full_registry_is_told_and_the_range_is_filled_by_tar(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    """`/v2/` answers 200 all the while; it is left alone for five minutes."""
    registry = new_registry(disk_bytes=64 * 1024)
    images = [site.image("toomuch:1")]
    site.cache(registry, images=[{"image": images[0]}])
    site.serve("toomuch", containerd_engine, images)
    body = site.until("toomuch", Ready="True/AllImagesPresent", TarFallback="True", seconds=60)
    assert {each["reason"] for each in body["status"]["tarDeliveries"]} == {"RegistryFull"}
    cache = site.until_cache(RegistryAvailable="False/RegistryFull", Ready="False/RegistryFull")
    (failure,) = cache["status"]["failures"]
    due = datetime.fromisoformat(failure["nextAttemptTime"])
    assert due - datetime.now(UTC) > timedelta(minutes=3)
    assert {each["type"] for each in site.events("RegistryFull")} == {"Warning"}
    assert holds(containerd_engine, *images)
