"""The readiness gate `cyroid.io/images-ready` of target pods that list it.

Whoever starts a range then waits for plain pod readiness. Several RangeImages may select
one pod, so each pass tells what it found, and the gate opens when all of them are content.
A pod that no RangeImages selects gets no condition, and so stays not ready.
"""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from cyroid_images.errors import ApiUnavailable, Reason
from cyroid_images.model.actions import Step
from cyroid_images.model.conditions import rfc3339
from cyroid_images.model.observed import RangeSeen
from cyroid_images.model.pod import READINESS_GATE, Pod
from cyroid_images.plan.gate import holds_all, opens
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.ports import Clock, Cluster
from cyroid_images.reconcile.world import World

_log = logging.getLogger(__name__)


class Gates:
    """Used from the event loop only. What it remembers is told again by the next passes."""

    def __init__(self, cluster: Cluster, world: World, clock: Clock) -> None:
        self._cluster = cluster
        self._world = world
        self._clock = clock
        self._told: dict[str, dict[Key, bool | None]] = {}
        """By pod UID: what the last pass of each object found there."""

    async def tell(self, key: Key, seen: RangeSeen, steps: Mapping[str, Sequence[Step]]) -> bool:
        """What a pass found in its targets; False where the API must be told again."""
        is_done = True
        for each in seen.targets:
            uid = each.target.uid
            pod = self._world.pods.get(uid)
            if pod is None or not pod.waits_for_images:
                continue
            self._told.setdefault(uid, {})[key] = holds_all(each, steps.get(uid, ()))
            is_done = await self._write(pod) and is_done
        for pod in self._let_go(key, {each.target.uid for each in seen.targets}):
            is_done = await self._write(pod) and is_done
        self._prune()
        return is_done

    def forget(self, key: Key) -> frozenset[Key]:
        """The object is gone; the others whose pods it held up, and which should look again."""
        touched: set[Key] = set()
        for told in self._told.values():
            if told.pop(key, True) is not True:
                touched.update(told)
        return frozenset(touched)

    def _let_go(self, key: Key, targets: Container[str]) -> list[Pod]:
        """The pods that this object held up, and that its selector no longer means."""
        return [
            self._world.pods[uid]
            for uid, told in self._told.items()
            if uid not in targets and told.pop(key, True) is not True and uid in self._world.pods
        ]

    async def _write(self, pod: Pod) -> bool:
        """Make the condition say what it should; False when the API could not be told."""
        wanting = self._world.ranges_on(pod)
        told = self._told.get(pod.uid, {})
        is_open = opens([told.get(key) for key in wanting])
        status = pod.gate if is_open is None else str(is_open)
        if status in (None, pod.gate):
            return True
        names = ", ".join(key.name for key in wanting)
        condition = {
            "type": READINESS_GATE,
            "status": status,
            "reason": str(Reason.ALL_IMAGES_PRESENT if is_open else Reason.IMAGES_MISSING),
            "message": f"wanted by RangeImages {names}",
            "lastTransitionTime": rfc3339(self._clock.now()),
        }
        try:
            await self._cluster.set_pod_condition(pod.namespace, pod.name, pod.uid, condition)
        except ApiUnavailable as exc:
            _log.info("readiness gate of %s/%s not written yet: %s", pod.namespace, pod.name, exc)
            return False
        if pod.uid in self._world.pods:
            self._world.pods[pod.uid] = replace(self._world.pods[pod.uid], gate=status)
        return True

    def _prune(self) -> None:
        for uid in [uid for uid in self._told if uid not in self._world.pods]:
            del self._told[uid]
