"""What one delivery costs an engine, the operator and the API server, when all is well."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cyroid_images.model.telemetry.measured import PassResult
from cyroid_images.model.telemetry.measures import Unmeasured
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body
from tests.unit.reconcile.stage import RANGE, READY, SOURCES
from tests.unit.reconcile.town import IMAGE, Town, a_pod, lived, range_for
from tests.unit.reconcile.virtual_time import comes

SECOND = Key(Kind.RANGE_IMAGES, "default", "second")
ADDRESS = "10.0.0.2"
ENGINE = f"tcp://{ADDRESS}:2375"


@dataclass(slots=True)
class Passes(Unmeasured):
    """Counts the passes of ranges."""

    of_ranges: list[PassResult] = field(default_factory=list)

    def passed(self, kind: str, result: PassResult, seconds: float) -> None:
        del seconds
        if kind == str(Kind.RANGE_IMAGES):
            self.of_ranges.append(result)


@pytest.mark.parametrize("images", [1, 3])
def test_a_delivery_takes_one_look_one_pass_to_begin_and_one_when_something_was_seen(
    images: int,
) -> None:
    """Beside these there is one pass per transfer that ends; each of them proved its own image."""
    wanted = [f"tool-{number}:1" for number in range(images)]

    async def scenario(town: Town) -> None:
        town.measures = counted = Passes()
        town.holds[BUILDER.url] |= dict.fromkeys(wanted, "one")
        listed = [{"image": name} for name in (IMAGE, *wanted)]
        town.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=SOURCES, images=listed)]
        town.join()
        await town.become_ready()
        town.holds[ENGINE] = {}
        town.loop.changed("Pod", "ADDED", a_pod("second", address=ADDRESS))
        counted.of_ranges.clear()
        before = len(town.cluster.statuses)
        town.loop.changed("RangeImages", "ADDED", range_for("second", images=listed[1:]))
        await comes(lambda: town.told(SECOND).get("Ready") == READY)
        assert town.engines.looks.count(ENGINE) == 1
        assert len(counted.of_ranges) <= 2 + images
        written = [key for key, _, _ in town.cluster.statuses[before:]]
        assert 2 <= written.count(SECOND) <= 3
        assert RANGE not in written

    lived(scenario)
