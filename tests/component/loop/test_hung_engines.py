"""Engines that hang take their own share of time and places, and no other namespace's."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.company import PATIENT, Fleet, NewFleet, new_fleet, other, stand_ins, want
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition, holds
from tests.parts.stand_in import Lie

__all__ = ["new_fleet", "other", "stand_ins"]

pytestmark = pytest.mark.slow

SECONDS = 40.0
"""Alone it takes two; a share is half of what all others may take for hours."""
SLOW_ENGINES = 40
"""More than the threads that look at engines."""
WATCHED_SECONDS = 40


@pytest.fixture
def users(site: Site, other: Site, registry: RegistryPart) -> tuple[Site, Site]:
    """Two users, each with a cache."""
    for each in (site, other):
        each.cache(registry)
        each.until_cache(Ready="True")
    return site, other


def hang_in_transfers(site: Site, fleet: Fleet, lie: Lie) -> None:
    """Each of them takes as many transfers as it is given, and ends none."""
    images = [site.image(f"held-{number}:1", number) for number in range(4)]
    fleet.tell(lie)
    want(site, "held", fleet, images, timeouts=PATIENT)
    wait_for(
        lambda: sum(number > 5 for number in fleet.asked()) >= 2,
        "two of them to be given something",
        60,
        site.operator.log,
    )


@pytest.mark.row("D3", "P8")
@pytest.mark.parametrize("lie", [Lie.HANGS_IN_PULL, Lie.DRIPS])
def test_b5_s4_engines_that_end_no_transfer_hold_nobody_else_up(
    users: tuple[Site, Site], new_fleet: NewFleet, containerd_engine: EnginePart, lie: Lie
) -> None:
    """Three of them, with time-outs of hours, which whoever may write a range may ask for."""
    (site, other), bad = users, new_fleet(3)
    hang_in_transfers(other, bad, lie)
    image = site.image("mine:1")
    site.serve("mine", containerd_engine, [image])
    site.until("mine", Ready="True", seconds=SECONDS)
    assert holds(containerd_engine, image)
    held = other.read(other.path("held"))
    assert condition(held, "Ready")["status"] == "False"
    bad.tell(Lie.NONE)
    other.until("held", Ready="True", seconds=90)


@pytest.mark.row("D3", "P8")
def test_s5_slow_engines_of_one_namespace_do_not_blind_the_operator(
    users: tuple[Site, Site], new_fleet: NewFleet, containerd_engine: EnginePart
) -> None:
    """Plain pods with the label, more of them than threads that look at engines; each lists its
    images a byte a second, so that no time-out of a single read ends the look."""
    (site, other), slow = users, new_fleet(SLOW_ENGINES)
    slow.tell(Lie.CRAWLS)
    want(other, "slow", slow, [f"{other.name}.example/none:1"])
    wait_for(
        lambda: sum(number > 0 for number in slow.asked()) >= 16,
        "the slow engines to be asked",
        60,
        site.operator.log,
    )
    site.serve("mine", containerd_engine, [site.image("mine:1")])
    site.until("mine", Ready="True", seconds=SECONDS)


@pytest.mark.row("D3")
def test_b13_an_engine_that_hangs_is_told_once_and_not_again_and_again(
    site: Site, registry: RegistryPart, new_fleet: NewFleet
) -> None:
    engine = new_fleet()
    site.cache(registry, refresh={"interval": "10m"})
    want(site, "hangs", engine, [site.image("hangs:1")])
    site.until("hangs", Ready="True")
    engine.tell(Lie.HANGS)
    with closing(site.api.versions(site.path("hangs"), WATCHED_SECONDS)) as versions:
        seen = [condition(each, "TargetsAvailable") for each in versions]
    words = [f"{each['status']}/{each['reason']}" for each in seen]
    changes = sum(before != after for before, after in pairwise(words))
    assert words[-1] == "False/EngineUnreachable", words
    assert changes <= 2, words  # it may be in doubt once
    assert len(words) <= 6, words
    warnings = [each for each in site.events("EngineUnreachable") if each["type"] == "Warning"]
    assert len(warnings) == 1
    assert (warnings[0].get("series") or {}).get("count", 1) <= 2
    engine.tell(Lie.NONE)
    site.until("hangs", Ready="True", seconds=60)
