"""Other users of the same operator: sites of their own, and engines that hang or lie for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import pytest

from tests.parts.site import Site
from tests.parts.stand_in import Lie, StandInEngine, StandIns

PATIENT = {"stall": "10m", "total": "2h"}
"""What somebody may write who has a right to his own namespace only."""

_numbers = count(1)


@contextmanager
def beside(site: Site) -> Iterator[Site]:
    """Another user: a namespace and a cache of another name, the same operator and source."""
    other = Site(f"{site.name}-{next(_numbers)}", site.api, site.operator, site.source)
    other.api.put_namespace(other.name, {"cyroid.io/ranges": "true"})
    try:
        yield other
    finally:
        other.remove_all()


@dataclass(frozen=True, slots=True)
class Fleet:
    """Engines of one owner, which answer, hang or lie together."""

    running: StandIns
    engines: tuple[StandInEngine, ...]

    def tell(self, lie: Lie, **about: str) -> None:
        """All of them do so from now on."""
        for engine in self.engines:
            engine.tell(lie, **about)

    def asked(self, what: str = "requests") -> list[float]:
        """How often each was asked so, as `server.Tally` counts it."""
        told = self.running.tally()
        return [told.get(engine.address, {}).get(what, 0) for engine in self.engines]


class NewFleet(Protocol):
    """Engines that nobody has had before."""

    def __call__(self, number: int = 1) -> Fleet: ...


def want(site: Site, name: str, fleet: Fleet, images: Sequence[str], **spec: Any) -> None:
    """A range whose pods have these engines."""
    for at, engine in enumerate(fleet.engines):
        site.pod(name, engine.address, f"-{at}")
    site.ranges(name, fleet.engines[0].port, images, **spec)


@pytest.fixture(scope="session")
def stand_ins() -> Iterator[StandIns]:
    """Engines that hang and lie when they are told to."""
    with StandIns().running() as running:
        yield running


@pytest.fixture
def new_fleet(stand_ins: StandIns) -> NewFleet:
    """Makes engines by the number."""

    def make(number: int = 1) -> Fleet:
        block = next(_numbers)
        where = f"127.{8 + block // 200}.{block % 200}"
        return Fleet(stand_ins, tuple(stand_ins.at(f"{where}.{at + 1}") for at in range(number)))

    return make


@pytest.fixture
def other(site: Site) -> Iterator[Site]:
    """Another user of the operator."""
    with beside(site) as made:
        yield made
