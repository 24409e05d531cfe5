"""A pod that lists the gate `cyroid.io/images-ready` is told when its images are there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site

pytestmark = pytest.mark.slow

GATE = "cyroid.io/images-ready"
LISTED = {"readinessGates": [{"conditionType": GATE}]}
SOON = 15.0


def gate(site: Site, pod: str) -> dict[str, Any] | None:
    """Our condition in a pod, if it has one."""
    body = site.api.call("GET", f"/api/v1/namespaces/{site.name}/pods/{pod}")
    found = [each for each in body["status"].get("conditions", []) if each["type"] == GATE]
    assert len(found) <= 1
    return found[0] if found else None


def until_gate(site: Site, pod: str, status: str) -> dict[str, Any]:
    def is_so() -> bool:
        found = gate(site, pod)
        return found is not None and found["status"] == status

    wait_for(is_so, f"gate of {pod} to be {status}", SOON)
    found = gate(site, pod)
    assert found is not None
    return found


def test_the_gate_opens_with_the_last_image_that_anybody_wants(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    first, second = site.image("gate-a:1"), site.image("gate-b:1", 2)
    site.cache(registry)
    site.pod("gated", containerd_engine.address, spec=LISTED)
    selector = {"selector": {"matchLabels": {"cyroid.io/range-id": "gated"}}}
    docker = {"port": containerd_engine.port, "insecure": True}
    site.ranges("gated", containerd_engine.port, [first])
    site.until("gated", Ready="True")
    opened = until_gate(site, "dind-gated", "True")
    assert opened["reason"] == "AllImagesPresent"
    assert opened["lastTransitionTime"]

    lost = "lost.example/nowhere:1"
    site.ranges("more", containerd_engine.port, [lost], targets={**selector, "docker": docker})
    site.until("more", Ready="False/ImageNotFound", Stalled="True/ImageNotFound")
    assert until_gate(site, "dind-gated", "False")["reason"] == "ImagesMissing"

    site.edit("more", images=[{"image": second}])
    site.until("more", Ready="True")
    until_gate(site, "dind-gated", "True")


def test_the_gate_opens_when_who_wanted_more_is_gone(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.cache(registry)
    site.pod("held", containerd_engine.address, spec=LISTED)
    site.ranges("held", containerd_engine.port, [site.image("held:1")])
    selector = {"selector": {"matchLabels": {"cyroid.io/range-id": "held"}}}
    docker = {"port": containerd_engine.port, "insecure": True}
    targets = {**selector, "docker": docker}
    site.ranges("never", containerd_engine.port, ["lost.example/none:1"], targets=targets)
    site.until("held", Ready="True")
    until_gate(site, "dind-held", "False")
    site.delete("never")
    until_gate(site, "dind-held", "True")


def test_a_pod_without_the_gate_gets_no_condition_of_ours(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.cache(registry)
    site.serve("plain", containerd_engine, [site.image("plain:1")])
    site.until("plain", Ready="True")
    assert gate(site, "dind-plain") is None
