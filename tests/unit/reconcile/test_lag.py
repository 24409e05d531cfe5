"""Who else lives on the event loop gets its turn, however many passes wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from cyroid_images.model.telemetry.measured import PassResult
from cyroid_images.model.telemetry.measures import Unmeasured
from cyroid_images.store.keys import Kind
from tests.unit.reconcile.stage import Stage, tried
from tests.unit.reconcile.town import range_for

RANGES = 200
WORKERS = 4
"""Of a stage."""


@dataclass(slots=True)
class Count(Unmeasured):
    """How many passes there were."""

    passes: int = 0

    def passed(self, kind: str, result: PassResult, seconds: float) -> None:
        del kind, result, seconds
        self.passes += 1


def test_others_have_their_turn_between_the_passes_of_a_long_queue() -> None:
    """Such as the probes: a liveness that is not answered in time ends the operator."""
    count, seen = Count(), list[int]()

    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.POD] = []
        await stage.loop.start()
        for number in range(RANGES):
            stage.loop.changed("RangeImages", "ADDED", range_for(f"range-{number}"))
        while count.passes < RANGES:
            seen.append(count.passes)
            await asyncio.sleep(0)

    tried(scenario, partial(Stage, measures=count))
    assert max((after - before for before, after in pairwise(seen)), default=RANGES) <= WORKERS
