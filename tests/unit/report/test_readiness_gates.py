"""The readiness gate by what passes told: nobody holds a pod up that they no longer mean."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from cyroid_images.model.actions import Present, Pull, Step
from cyroid_images.model.observed import TargetSeen
from cyroid_images.reconcile.gates import Gates
from cyroid_images.store.keys import Key, Kind
from cyroid_images.reconcile.world import World
from tests.unit.plan.examples import content, info, range_seen, stored, target, view, wish
from tests.unit.reconcile.fakes import FakeClock, FakeCluster
from tests.unit.reconcile.test_loop import a_range
from tests.unit.reconcile.test_world import pod

THERE: tuple[Step, ...] = (Present(wish(), content()),)
COMING: tuple[Step, ...] = (Pull(wish(), target(), info(), stored(), "registry:5000"),)
GATED = {"readinessGates": [{"conditionType": "cyroid.io/images-ready"}]}


def test_an_object_that_no_longer_selects_a_pod_lets_it_go() -> None:
    cluster, world = FakeCluster(), World()
    body = pod()
    body["spec"] = {**body.get("spec", {}), **GATED}
    world.changed(Kind.POD, None, body)
    uid = body["metadata"]["uid"]
    ranges: dict[str, dict[str, Any]] = {name: a_range(name) for name in ("a", "b")}
    for each in ranges.values():
        world.changed(Kind.RANGE_IMAGES, None, each)
    gates = Gates(cluster, world, FakeClock())
    seen = range_seen(targets=(TargetSeen(replace(target(), uid=uid), view=view()),))
    first, second = (Key(Kind.RANGE_IMAGES, "default", name) for name in ("a", "b"))

    async def scenario() -> None:
        assert await gates.tell(first, seen, {uid: THERE})
        assert cluster.gates == []  # nobody knows of the other yet
        assert await gates.tell(second, seen, {uid: COMING})
        assert cluster.gates == [(uid, "False")]
        selector = {"matchLabels": {"cyroid.io/range-id": "elsewhere"}}
        docker = {"port": 2375, "insecure": True}
        elsewhere = a_range("b", targets={"selector": selector, "docker": docker})
        world.changed(Kind.RANGE_IMAGES, "MODIFIED", elsewhere)
        assert await gates.tell(second, range_seen(targets=()), {})
        assert cluster.gates == [(uid, "False"), (uid, "True")]

    asyncio.run(scenario())
