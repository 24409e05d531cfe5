"""An archive volume that hangs (a dead NFS) is the trouble of those who need an archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.company import NewFleet, beside, new_fleet, other, stand_ins, want
from tests.parts.registry import RegistryPart
from tests.parts.silent_volume import SilentVolume, why_no_silence
from tests.parts.site import Site

__all__ = ["new_fleet", "other", "stand_ins"]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(why_no_silence() is not None, reason=str(why_no_silence())),
]

USERS, SOURCES = 5, 8
"""Caches and sources of each: together more than there are threads that look at anything."""
SECONDS = 40.0


@pytest.fixture
def dead(site: Site) -> Iterator[str]:
    """The path of a folder of the archive volume that hangs until the end of the test."""
    folder = site.operator.archives / f"{site.name}-dead"
    folder.mkdir()
    with SilentVolume(folder):
        yield folder.name


@pytest.mark.row("S4", "P8")
def test_b9_a_volume_that_hangs_holds_up_no_look_at_an_engine(
    site: Site, other: Site, registry: RegistryPart, new_fleet: NewFleet, dead: str
) -> None:
    """Another cache with sources of its own, and an engine that is looked at each second."""
    engine = new_fleet()
    other.cache(registry)
    want(other, "seen", engine, [other.image("seen:1")])
    other.until("seen", Ready="True")
    with ExitStack() as users:
        for user in range(USERS):
            owner = users.enter_context(beside(site))
            paths = [f"{dead}/set-{user}-{number}" for number in range(SOURCES)]
            sources = [
                {"name": f"dead-{number}", "archive": {"path": path}}
                for number, path in enumerate(paths)
            ]
            listed = [{"image": f"{owner.name}.example/{user}:1"}]
            owner.cache(registry, images=listed, sources=sources)
            owner.until_cache(Ready="False")
        (looks,) = engine.asked("infos")
        wait_for(
            lambda: engine.asked("infos")[0] >= looks + 4,
            "the engine to be looked at four times more",
            SECONDS,
            site.operator.log,
        )
        fresh = other.image("fresh:1")
        want(other, "fresh", new_fleet(), [fresh])
        other.until("fresh", Ready="True", seconds=SECONDS)
