"""B24: a list of many pods and ranges does not keep the event loop from everything else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest

from cyroid_images.store.keys import Kind
from tests.soak.crowd import Crowd, run_before_start
from tests.unit.plan.examples import metadata
from tests.unit.reconcile.stage import a_range
from tests.unit.reconcile.watched import pod

PODS, RANGES, IMAGES = 1000, 500, 13
MOST_OBJECTS_AT_ONCE = 100
"""Between two turns of the loop: an object takes about a millisecond to be read."""


def listed_pods() -> list[Mapping[str, Any]]:
    return [pod(f"dind-{number}", range_id=f"r{number // 2}") for number in range(PODS)]


def listed_ranges() -> list[Mapping[str, Any]]:
    images = [{"image": f"lag.example/tool-{number}:1"} for number in range(IMAGES)]
    bodies = list[Mapping[str, Any]]()
    for number in range(RANGES):
        selector = {"matchLabels": {"cyroid.io/range-id": f"r{number}"}}
        targets = {"selector": selector, "docker": {"insecure": True}}
        body = a_range(f"r{number}", targets=targets, images=images)
        body["metadata"] = metadata(f"r{number}", namespace="default")
        bodies.append(body)
    return bodies


@pytest.mark.slow
@pytest.mark.row("O7")
def test_b24_the_loop_turns_while_a_thousand_pods_and_five_hundred_ranges_are_listed(
    record_property: Callable[[str, object], None],
) -> None:
    """Counted, not timed: a slow machine turns as often. The longest absence is for people."""
    turns: list[float] = []

    async def turn() -> None:
        while True:
            turns.append(time.monotonic())
            await asyncio.sleep(0)

    async def start(crowd: Crowd) -> None:
        crowd.list_first({Kind.POD: listed_pods(), Kind.RANGE_IMAGES: listed_ranges()})
        turning = asyncio.create_task(turn())
        turns.append(time.monotonic())
        await crowd.start()
        turns.append(time.monotonic())
        turning.cancel()
        with suppress(asyncio.CancelledError):
            await turning

    run_before_start(start)
    longest = max(after - before for before, after in pairwise(turns))
    record_property("longest absence of the loop [ms]", round(1000 * longest))
    assert len(turns) >= (PODS + RANGES) / MOST_OBJECTS_AT_ONCE
