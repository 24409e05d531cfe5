"""In whatever order things come, and whoever wants the same name: the end is the same."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow

SEEN_SECONDS = 1.0
"""How soon an edit is taken up."""


@pytest.fixture
def places(site: Site) -> Iterator[list[tuple[tuple[str, ...], Site]]]:
    """A site for each order in which operator, cache, pod and ranges may come."""
    orders = list(itertools.permutations(("operator", "cache", "pod", "ranges")))
    sites = [
        Site(f"{site.name}-{number}", site.api, site.operator, site.source)
        for number in range(len(orders))
    ]
    for each in sites:
        each.api.put_namespace(each.name)
    yield list(zip(orders, sites, strict=True))
    for each in sites:
        each.remove_all()


@pytest.mark.row("U5")
def test_all_orders_of_operator_cache_pod_and_ranges_end_the_same(
    site: Site,
    registry: RegistryPart,
    containerd_engine: EnginePart,
    places: list[tuple[tuple[str, ...], Site]],
) -> None:
    """All 24 at once: what comes before the operator is made while it is stopped."""
    image = site.image("order:1")

    def come(order: tuple[str, ...], place: Site) -> None:
        for what in order:
            match what:
                case "cache":
                    place.cache(registry)
                case "pod":
                    place.pod("r", containerd_engine.address)
                case "ranges":
                    place.ranges("r", containerd_engine.port, [image], interval="1m")

    site.operator.stop()
    for order, place in places:
        come(order[: order.index("operator")], place)
    site.operator.start()
    for order, place in places:
        come(order[order.index("operator") :], place)
    for order, place in places:
        body = place.until("r", Ready="True/AllImagesPresent", TarFallback="False", seconds=60)
        assert body["status"]["summary"] == {"images": "1/1", "targets": "1/1"}, order


@pytest.mark.row("U4")
def test_of_two_objects_that_want_one_name_with_two_contents_the_older_has_it(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    image = site.image("mine:1")
    other = f"{image}@sha256:{'0' * 64}"
    site.cache(registry)
    site.pod("shared", containerd_engine.address)
    shared = {
        "selector": {"matchLabels": {"cyroid.io/range-id": "shared"}},
        "docker": {"port": containerd_engine.port, "insecure": True},
    }
    site.ranges("older", containerd_engine.port, [image], targets=shared)
    first = site.until("older", Ready="True/AllImagesPresent")
    born = datetime.fromisoformat(first["metadata"]["creationTimestamp"])
    wait_for(lambda: datetime.now(UTC) > born + timedelta(seconds=1), "another second", 3)
    site.ranges("younger", containerd_engine.port, [other], targets=shared)
    body = site.until("younger", Ready="False/ConflictingImages", Stalled="True/ConflictingImages")
    assert "older RangeImages older" in condition(body, "Stalled")["message"]
    assert holds(containerd_engine, image)
    site.until("older", Ready="True/AllImagesPresent")
    assert site.events("ConflictingImages", "younger")
    assert not site.events("DriftCorrected")
    site.delete("older")
    site.edit("younger", images=[{"image": image}])
    site.until("younger", Ready="True/AllImagesPresent", Stalled="absent")


@pytest.mark.row("P11")
def test_a_change_is_seen_within_a_second(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """The median of five edits: the machine of a test may be busy with others for a moment."""
    site.cache(registry)
    site.serve("quick", containerd_engine, [site.image("quick:1")], interval="10m")
    site.until("quick", Ready="True/AllImagesPresent")
    spent = []
    for minutes in range(11, 16):
        began = time.monotonic()
        site.edit("quick", interval=f"{minutes}m")
        site.until("quick", Ready="True/AllImagesPresent")
        spent.append(time.monotonic() - began)
    assert sorted(spent)[2] < SEEN_SECONDS, spent


def test_kubectl_wait_believes_no_ready_of_the_spec_before(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """What stood there for the old generation must not end a wait for the new one."""
    here, missing = site.image("here:1", 1), f"{site.name}.example/late:1"

    def waits(seconds: int) -> bool:
        done = site.api.kubectl(
            "wait", "rimg/waited", f"--namespace={site.name}", "--for=condition=Ready",
            f"--timeout={seconds}s",
        )  # fmt: skip
        assert done.returncode == 0 or "timed out" in done.stderr, done.stderr
        return done.returncode == 0

    site.cache(registry)
    site.serve("waited", containerd_engine, [here])
    assert waits(20)
    site.operator.stop()  # whoever looks now sees the old status beside the new spec
    site.edit("waited", images=[{"image": here}, {"image": missing}])
    stale = site.read(site.path("waited"))
    assert condition(stale, "Ready")["status"] == "True"
    assert not waits(1)
    site.operator.start()
    site.until("waited", Ready="False/ImageNotFound")
    assert not waits(1)
    site.fill(missing, 2)
    assert waits(25)
