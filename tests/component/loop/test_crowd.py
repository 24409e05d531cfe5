"""Many who want the same, and a large transfer, while everything else goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest

from cyroid_images.archive import watched
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from cyroid_images.scheduling.threads import Threads
from tests.parts.engines import EnginePart
from tests.parts.range_engine import LIMITS
from tests.parts.registry import RegistryPart
from tests.parts.site import Site

pytestmark = pytest.mark.slow
LARGEST_LAG = 0.1
"""Seconds of processor that this process may use between two turns of its event loop.

Not seconds of the clock: on a busy machine a loop that nobody holds comes late as well.
"""


def test_p_c3_ten_ranges_that_want_one_image_cost_one_upload(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    image = site.image("wanted:1")
    reads = len(site.source.happened("save"))
    names = [f"range-{number}" for number in range(10)]
    for name in names:
        site.serve(name, containerd_engine, [image])
    site.cache(registry)
    for name in names:
        site.until(name, Ready="True/AllImagesPresent", TarFallback="False", seconds=60)
    assert len(site.events("ImagePushed")) == 1
    pushes = [line for line in site.source.happened("push") if site.name in line]
    assert len(pushes) + len(site.source.happened("save")) - reads == 1


def test_p_c1_the_event_loop_is_never_away_while_a_large_image_moves(
    classic_engine: EnginePart, containerd_engine: EnginePart, big_image: str
) -> None:
    """Save into load, the route on which every byte passes through this process.

    What keeps the loop away from in here uses the processor: work in its thread, or a lock of
    the interpreter that is not given back.
    """

    def move() -> None:
        name = Reference.parse(big_image)
        with classic_engine.engine.save(name, limits=LIMITS, cancellation=NEVER) as tar:
            containerd_engine.engine.load(watched(tar), ignore, limits=LIMITS, cancellation=NEVER)

    try:
        lags = asyncio.run(lags_during(move))
    finally:
        containerd_engine.try_docker("rmi", big_image)
    assert len(lags) > 20
    assert max(lags) < LARGEST_LAG, sorted(lags)[-5:]


async def lags_during(work: Callable[[], None]) -> list[float]:
    """What this process used between two turns of the loop, while a thread did the work."""
    threads, lags = Threads("lag", 1), list[float]()
    try:
        running = asyncio.ensure_future(threads.run(work))
        while not running.done():
            before = time.process_time()
            await asyncio.sleep(0.01)
            lags.append(time.process_time() - before)
        running.result()
    finally:
        threads.close()
    return lags
