"""The readiness gate by what passes told: nobody holds a pod up that they no longer mean."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from cyroid_images.errors import ApiUnavailable
from cyroid_images.report.readiness_gates import (
    AGAIN_SECONDS,
    DEFECT_SECONDS,
    ReadinessGates,
)
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.store import Store
from tests.unit.reconcile import clock
from tests.unit.reconcile.fakes import FakeClock, FakeCluster
from tests.unit.reconcile.stage import a_range
from tests.unit.reconcile.watched import pod, with_metadata

GATED = {"readinessGates": [{"conditionType": "cyroid.io/images-ready"}]}
FIRST, SECOND = (Key(Kind.RANGE_IMAGES, "default", name) for name in "ab")
ELSEWHERE = {
    "selector": {"matchLabels": {"cyroid.io/range-id": "elsewhere"}},
    "docker": {"port": 2375, "insecure": True},
}


@dataclass(slots=True)
class Desk:
    """Two ranges that select one pod, which waits for its images."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    store: Store = field(default_factory=Store)
    gates: ReadinessGates = field(init=False)
    uid: str = "uid of dind"

    def __post_init__(self) -> None:
        self.gates = ReadinessGates(self.cluster, self.store, FakeClock())
        self.store.changed(Kind.POD, None, pod(spec=GATED))
        for name in "ab":
            self.store.changed(Kind.RANGE_IMAGES, None, a_range(name))

    async def tell(self, key: Key, *, is_content: bool | None) -> list[str]:
        """What the conditions said, one after the other, after this word."""
        self.gates.tell(key, {self.uid: is_content})
        return await self.written()

    async def written(self) -> list[str]:
        for _ in range(10):
            await asyncio.sleep(0)
        return [status for uid, status in self.cluster.gates if uid == self.uid]


def tried(scenario: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        desk = Desk()
        running = asyncio.create_task(desk.gates.run())
        await scenario(desk)
        assert not running.done()
        running.cancel()

    clock.run(whole())


def test_a_closed_gate_names_who_lacks_images_and_is_told_anew_when_that_changes() -> None:
    """Of whom it cannot be told nothing is said, and no write says the same again."""

    async def scenario(desk: Desk) -> None:
        await desk.tell(FIRST, is_content=None)
        await desk.tell(SECOND, is_content=False)
        await desk.tell(SECOND, is_content=False)
        assert desk.cluster.said == ["images of RangeImages b are missing"]
        await desk.tell(FIRST, is_content=False)
        await desk.tell(SECOND, is_content=True)
        await desk.tell(FIRST, is_content=None)
        await desk.tell(FIRST, is_content=True)
        assert desk.cluster.said[1:] == [
            "images of RangeImages a, b are missing",
            "images of RangeImages a are missing",
            "every image of RangeImages a, b is present",
        ]

    tried(scenario)


def test_the_gate_opens_when_everybody_is_content() -> None:
    async def scenario(desk: Desk) -> None:
        assert await desk.tell(FIRST, is_content=True) == []  # nobody knows of the other yet
        assert await desk.tell(SECOND, is_content=False) == ["False"]
        assert await desk.tell(SECOND, is_content=False) == ["False"]
        assert await desk.tell(SECOND, is_content=True) == ["False", "True"]

    tried(scenario)


def test_an_object_that_no_longer_selects_a_pod_lets_it_go() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.tell(FIRST, is_content=True)
        await desk.tell(SECOND, is_content=False)
        edited = with_metadata(a_range("b", targets=ELSEWHERE), generation=4)
        desk.store.changed(Kind.RANGE_IMAGES, "MODIFIED", edited)
        desk.gates.tell(SECOND, {})
        assert await desk.written() == ["False", "True"]

    tried(scenario)


def test_an_object_that_is_gone_lets_its_pods_go_and_names_the_others() -> None:
    async def scenario(desk: Desk) -> None:
        await desk.tell(FIRST, is_content=True)
        await desk.tell(SECOND, is_content=False)
        desk.store.changed(Kind.RANGE_IMAGES, "DELETED", a_range("b"))
        assert desk.gates.forget(SECOND) == {FIRST}
        assert await desk.written() == ["False", "True"]

    tried(scenario)


def test_a_pod_that_asks_for_no_gate_gets_no_condition() -> None:
    async def scenario(desk: Desk) -> None:
        desk.store.changed(Kind.POD, "MODIFIED", pod())
        for key in (FIRST, SECOND):
            assert await desk.tell(key, is_content=True) == []

    tried(scenario)


@pytest.mark.parametrize(
    ("error", "pause"),
    [(ApiUnavailable("away"), AGAIN_SECONDS), (ZeroDivisionError("odd"), DEFECT_SECONDS)],
    ids=["an-outage", "a-defect"],
)
def test_what_could_not_be_written_is_tried_again(error: Exception, pause: float) -> None:
    async def scenario(desk: Desk) -> None:
        await desk.tell(FIRST, is_content=True)
        desk.cluster.errors.append(error)
        assert await desk.tell(SECOND, is_content=True) == []
        await asyncio.sleep(pause - 1)
        assert await desk.written() == []
        await asyncio.sleep(1)
        assert await desk.written() == ["True"]

    tried(scenario)
