"""How soon a new pod is served, and how quiet it is when nothing is left to do."""

from __future__ import annotations

import time
from contextlib import closing
from functools import partial

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.company import Fleet, NewFleet, new_fleet, stand_ins, want
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition

__all__ = ["new_fleet", "stand_ins"]

pytestmark = pytest.mark.slow

BEGUN_SECONDS = 2.0
"""From a pod's arrival to the pull of what the registry has already."""
WATCHED_SECONDS = 20
"""Longer than the registry is asked whether it is there."""


@pytest.mark.row("P11")
def test_a_pull_begins_within_two_seconds_of_a_pods_arrival(
    site: Site, registry: RegistryPart, new_fleet: NewFleet
) -> None:
    """The median of five pods: the machine of a test may be busy with others for a moment."""
    fleet, image = new_fleet(5), site.image("soon:1")
    site.cache(registry, images=[{"image": image}])
    site.until_cache(Ready="True")
    site.ranges("soon", fleet.engines[0].port, [image], interval="10m")
    site.until("soon", Ready="False/NoTargets")
    spent = []
    for at, engine in enumerate(fleet.engines):
        arrived = time.time()
        site.pod("soon", engine.address, f"-{at}")
        wait_for(partial(has_begun, fleet, at), "the pull", 30, site.operator.log)
        spent.append(fleet.asked("first_pull")[at] - arrived)
    assert sorted(spent)[2] < BEGUN_SECONDS, spent
    site.until("soon", Ready="True/AllImagesPresent")


@pytest.mark.row("P11")
def test_what_is_ready_is_looked_at_at_its_interval_only_and_not_written(
    site: Site, registry: RegistryPart, new_fleet: NewFleet
) -> None:
    """Neither the pings of the registry nor the passes that heal are anybody's news."""
    engine, image = new_fleet(), site.image("still:1")
    site.cache(registry, images=[{"image": image}], refresh={"interval": "10m"})
    want(site, "still", engine, [image], interval="10m")
    site.until("still", Ready="True")
    site.until_cache(Ready="True")
    (looks,) = engine.asked("infos")
    with closing(site.api.versions(site.path("still"), WATCHED_SECONDS)) as versions:
        seen = list(versions)
    assert len(seen) == 1, [each.get("status") for each in seen]
    assert condition(seen[0], "Ready")["status"] == "True"
    (after,) = engine.asked("infos")
    assert after - looks <= 1  # the one that a transfer which has ended asks for


def has_begun(fleet: Fleet, at: int) -> bool:
    """Was one of these engines asked to pull?"""
    return fleet.asked("first_pull")[at] > 0
