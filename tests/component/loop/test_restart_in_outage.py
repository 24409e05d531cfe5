"""The operator restarts while nobody can tell what an image is: what is there stays Ready."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.proxy import Answer, NewProxy
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.site import Site, condition

pytestmark = pytest.mark.slow

WATCHED_SECONDS = 20
"""Longer than any time-out of a question to a registry."""
STORAGE_DOWN = Answer(500, body=b'{"errors":[{"code":"UNKNOWN","message":"s3: refused"}]}')

OUTAGES: dict[str, Callable[[RegistryPart], None]] = {
    "refuses": lambda registry: registry.stop(),
    "hangs": lambda registry: registry.pause(),
    "storage-down": lambda registry: registry.break_storage(),
}


@pytest.mark.row("P7", "R1", "R2")
@pytest.mark.parametrize("begin", OUTAGES.values(), ids=OUTAGES.keys())
def test_b1_what_is_there_stays_ready_over_a_restart_in_an_outage(
    site: Site,
    new_registry: NewRegistry,
    containerd_engine: EnginePart,
    begin: Callable[[RegistryPart], None],
) -> None:
    """The registry is away, the source has pruned the image, and the operator is a new one."""
    image, over = site.image("there:1"), new_registry()
    site.cache(over, images=[{"image": image}])
    site.serve("there", containerd_engine, [image])
    site.until("there", Ready="True/AllImagesPresent")
    site.until_cache(Ready="True")
    begin(over)
    site.source.docker("rmi", image)
    warned = warnings(site)
    site.operator.stop()
    site.operator.start()
    site.reconcile_now("after", site.path("there"))
    with closing(site.api.versions(site.path("there"), WATCHED_SECONDS)) as versions:
        seen = list(versions)
    assert seen[-1]["status"]["lastHandledReconcileAt"] == "after"
    told = [condition(each, "Ready") for each in seen]
    assert {each["status"] for each in told} == {"True"}, told[-1]
    assert not any(condition(each, "Stalled") for each in seen)
    # The outage itself may be told, and once; nothing is told to be missing.
    new = warnings(site) - warned
    outage = condition(seen[-1], "RegistryAvailable")["reason"]
    assert {reason for reason, _ in new} <= {outage}, new
    assert len(new) <= 1, new


@pytest.mark.row("R4", "P7")
def test_b2_a_registry_that_fails_manifests_only_is_away_and_nothing_is_called_missing(
    site: Site, registry: RegistryPart, new_proxy: NewProxy
) -> None:
    """/v2/ is answered with 200 all the while, as with a storage that is down."""
    way, images = new_proxy(registry.push_host), [site.image(f"held-{n}:1", n) for n in range(5)]
    listed = [{"image": image} for image in images]
    site.cache(registry, images=listed, registry={"pushURL": f"http://{way.host}"})
    site.until_cache(Ready="True")
    site.source.docker("rmi", *images)
    way.on(".*", "/v2/.+", STORAGE_DOWN)
    site.operator.stop()
    site.operator.start()
    site.until_cache(RegistryAvailable="False")
    before = len(way.seen(".*", "/v2/.+"))
    with closing(site.api.versions(site.cache_path, WATCHED_SECONDS)) as versions:
        seen = list(versions)
    asked = len(way.seen(".*", "/v2/.+")) - before
    assert "ImageNotFound" not in reasons(seen)
    assert {condition(each, "RegistryAvailable")["status"] for each in seen} == {"False"}
    assert asked <= 2 * WATCHED_SECONDS  # one a second and image would be five times as many
    way.heal()
    site.until_cache(Ready="True", RegistryAvailable="True", seconds=60)


@pytest.mark.row("P7")
def test_b2_a_range_is_filled_by_tar_while_the_registry_fails_manifests_only(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    over, image = new_registry(), site.image("tar:1")
    site.cache(over)
    site.until_cache(Ready="True")
    over.break_storage()
    site.serve("tar", containerd_engine, [image])
    site.until("tar", Ready="True", TarFallback="True", RegistryAvailable="False")
    over.mend_storage()
    wait_for(
        lambda: condition(site.read(site.cache_path), "RegistryAvailable")["status"] == "True",
        "the registry to be well",
        60,
        site.operator.log,
    )


def reasons(seen: list[dict[str, Any]]) -> set[str]:
    """Every reason that any of these statuses gave."""
    return {
        each["reason"]
        for body in seen
        for part in ("conditions", "failures", "imageStatuses")
        for each in (body.get("status") or {}).get(part) or ()
        if each.get("reason")
    }


def warnings(site: Site) -> set[tuple[str, str]]:
    """What was warned of in ranges, and how often: the reason, and all of it."""
    path, found = f"/apis/events.k8s.io/v1/namespaces/{site.name}/events", set()
    for each in site.api.call("GET", path)["items"]:
        if each["type"] == "Warning" and each["regarding"].get("kind") == "RangeImages":
            times = (each.get("series") or {}).get("count", 1)
            text = f"{each['metadata']['name']} x{times}: {each.get('note')}"
            found.add((each["reason"], text))
    return found
