"""A short run of `make chaos`, always with the same faults: whatever breaks, promises hold."""

from __future__ import annotations

import pytest

from tests.chaos.driver import Driver
from tests.chaos.evidence import evidence
from tests.chaos.stack import beside
from tests.chaos.tally import Invariant
from tests.chaos.world import World
from tests.parts.apiserver import ApiServerPart
from tests.parts.operator import OperatorPart
from tests.parts.site import Site

pytestmark = pytest.mark.slow

SEED = 4
SECONDS = 20.0
"""Of faults and checks: less than the first three rounds take, one of each kind."""


@pytest.mark.row("P1", "P2", "P4", "P5", "P6", "P7", "P8")
def test_what_was_promised_holds_after_random_faults(
    apiserver: ApiServerPart, operator: OperatorPart
) -> None:
    with beside(apiserver, operator) as stack:
        site = Site("chaos-short", apiserver, operator, stack.source)
        apiserver.put_namespace(site.name, {"cyroid.io/ranges": "true"})
        world = World(stack, site)
        lines: list[str] = []
        driver = Driver(world, SEED, lines.append, stack.kinds)
        try:
            driver.run(SECONDS)
        except Exception:
            print(*lines, evidence(world), driver.tally.as_text(), sep="\n")
            raise
        finally:
            world.remove_all()
    assert not [each for each in Invariant if not driver.tally.checked(each)]
