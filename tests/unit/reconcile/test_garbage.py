"""What lives long is passed over by collections, and what became unreachable still goes."""

from __future__ import annotations

import asyncio
import gc
import weakref

from cyroid_images.reconcile.controller import FIRST_SWEEP_SECONDS
from tests.unit.reconcile import clock
from tests.unit.reconcile.stage import Stage


class Knot:
    """Unreachable when nobody else has it, and freed by a collection only."""

    def __init__(self) -> None:
        self.me = self


def test_collections_pass_over_what_was_listed_until_a_later_sweep() -> None:
    async def scenario() -> None:
        stage, knot = Stage(), Knot()
        is_there = weakref.ref(knot)
        await stage.loop.start()
        assert gc.get_freeze_count() > 0
        del knot
        gc.collect()
        assert is_there() is not None
        await asyncio.sleep(2 * FIRST_SWEEP_SECONDS)
        gc.collect()
        assert is_there() is not None  # the first sweep comes while everything is looked at
        await asyncio.sleep(2 * stage.loop.sweep_seconds)
        await clock.spun(lambda: is_there() is None)
        assert gc.get_freeze_count() > 0
        await stage.loop.stop()

    clock.run(scenario())
