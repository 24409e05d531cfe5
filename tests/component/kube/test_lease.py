"""The Lease on a real API server: versions decide, and nobody waits in front of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from cyroid_images.kube import Cluster
from cyroid_images.kube.api import BURST, PER_SECOND
from cyroid_images.model.lease import Lease
from tests.parts.asking import ask

pytestmark = pytest.mark.slow


def test_a_lease_is_written_by_version_only(operator: Path) -> None:
    async def both(cluster: Cluster) -> None:
        seen = await cluster.lease()
        mine = await cluster.put_lease(replace(seen or Lease("", 0, "", 0, ""), holder="me"))
        assert mine is not None
        assert (mine.holder, await cluster.lease()) == ("me", mine)
        theirs = await cluster.put_lease(replace(mine, holder="other"))
        assert theirs is not None
        assert await cluster.put_lease(replace(mine, holder="me")) is None
        assert await cluster.put_lease(replace(theirs, holder="")) is not None

    ask(operator, both)


def test_a_renewal_does_not_wait_behind_a_crowd_of_calls(operator: Path) -> None:
    crowd = int(BURST + 10 * PER_SECOND)  # ten seconds of turns

    async def beside(cluster: Cluster) -> None:
        waiting = [asyncio.create_task(cluster.secret("absent")) for _ in range(crowd)]
        _, waiting_still = await asyncio.wait(waiting, timeout=1)  # the burst is over
        assert waiting_still, "there is no crowd"
        try:
            async with asyncio.timeout(5):
                await cluster.lease()
            assert not all(task.done() for task in waiting_still), "the crowd went before it"
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    ask(operator, beside)
