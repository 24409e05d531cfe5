"""What is missing is named, and work starts as soon as it appears, in any order."""

from __future__ import annotations

import pytest

from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow
SOON = 15.0
"""An event of the watch ends each wait; nobody waits for the next sweep."""


@pytest.mark.row("U5")
def test_a_range_before_its_cache_waits_and_converges(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.serve("early", containerd_engine, [site.image("early:1")])
    site.until("early", Ready="False/CacheNotFound", Reconciling="True/CacheNotFound")
    site.cache(registry)
    site.until("early", Ready="True", Reconciling="absent", seconds=SOON)


@pytest.mark.row("U3")
def test_a_cache_that_is_deleted_takes_nothing_along(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    images = [site.image("kept:1")]
    site.cache(registry)
    site.serve("kept", containerd_engine, images)
    site.until("kept", Ready="True")
    site.api.call("DELETE", site.cache_path)
    site.until("kept", Ready="False/CacheNotFound", seconds=SOON)
    assert holds(containerd_engine, *images)
    site.cache(registry)
    site.until("kept", Ready="True", seconds=SOON)


@pytest.mark.row("D13")
def test_a_range_without_a_pod_waits_and_converges(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.cache(registry)
    site.ranges("empty", containerd_engine.port, [site.image("empty:1")])
    body = site.until("empty", Ready="False/NoTargets", TargetsAvailable="False/NoTargets")
    assert body["status"]["summary"]["targets"] == "0/0"
    site.pod("empty")
    site.until("empty", Ready="True", seconds=SOON)
    site.api.delete_pod("dind-empty", site.name)
    site.until("empty", Ready="False/NoTargets", seconds=SOON)


@pytest.mark.row("H5")
def test_a_pod_without_our_label_is_no_target(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    images = [site.image("foreign:1")]
    site.cache(registry)
    labels = {"cyroid.io/range-id": "foreign"}
    site.api.put_pod("foreign", site.name, ip=containerd_engine.address, labels=labels)
    site.ranges("foreign", containerd_engine.port, images)
    site.until("foreign", Ready="False/NoTargets")
    assert not holds(containerd_engine, *images)


@pytest.mark.row("D1")
def test_a_pod_that_does_not_run_yet_is_waited_for(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.cache(registry)
    site.ranges("late", containerd_engine.port, [site.image("late:1")])
    site.api.put_pod(
        "dind-late",
        site.name,
        labels={"cyroid.io/component": "dind", "cyroid.io/range-id": "late"},
        ip=None,
        container_id=None,
    )
    site.until("late", Ready="False/PodNotReady", TargetsAvailable="Unknown/PodNotReady")
    site.pod("late")
    site.until("late", Ready="True", seconds=SOON)


@pytest.mark.row("H4")
def test_a_namespace_that_the_cache_does_not_allow_gets_nothing(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    images = [site.image("closed:1")]
    site.cache(registry, allowedNamespaces={"matchLabels": {"cyroid.io/trusted": "yes"}})
    site.serve("closed", containerd_engine, images)
    site.until("closed", Ready="False/NamespaceNotAllowed", Stalled="True/NamespaceNotAllowed")
    assert not holds(containerd_engine, *images)
    site.api.put_namespace(site.name, {"cyroid.io/trusted": "yes"})
    site.until("closed", Ready="True", Stalled="absent", seconds=SOON)


def test_a_suspended_range_moves_nothing_until_it_is_resumed(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    images = [site.image("paused:1")]
    site.cache(registry)
    site.serve("paused", containerd_engine, images, suspend=True)
    body = site.until("paused", Ready="False/Suspended", RegistryAvailable="True")
    assert condition(body, "Reconciling") == {}
    assert not holds(containerd_engine, *images)
    assert not site.events("ImagePushed")
    site.edit("paused", suspend=False)
    site.until("paused", Ready="True", seconds=SOON)
    site.edit("paused", suspend=True)
    site.until("paused", Ready="True/AllImagesPresent", seconds=SOON)
