"""The readiness gate `cyroid.io/images-ready` of target pods that list it.

Whoever starts a range then waits for plain pod readiness. Several RangeImages may select
one pod, so each pass tells what it found, and the gate opens when all of them are content.
A pod that no RangeImages selects gets no condition, and so stays not ready.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from cyroid_images.errors import ApiUnavailable, Reason
from cyroid_images.model.clock import Clock
from cyroid_images.model.kinds.conditions import rfc3339
from cyroid_images.model.pod import READINESS_GATE, Pod
from cyroid_images.plan.gate import opens
from cyroid_images.report.ports import StatusAPI
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.keys import Key
from cyroid_images.store.store import Store

_log = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0
"""After an outage of the API."""
DEFECT_SECONDS = 60.0
"""Until the next attempt after a defect of the operator."""


class ReadinessGates:
    """Used from the event loop only. What it remembers is told again by the next passes."""

    def __init__(self, api: StatusAPI, store: Store, clock: Clock) -> None:
        self._api = api
        self._store = store
        self._clock = clock
        self._queue = WorkQueue[str]()
        self._told: dict[str, dict[Key, bool | None]] = {}
        """By pod UID: what the last pass of each object found there."""
        self._said: dict[str, str] = {}
        """By pod UID: the message that was written last."""

    def tell(self, key: Key, found: Mapping[str, bool | None]) -> None:
        """What a pass found in its targets, by UID: do they hold all that the object wants?"""
        for uid, is_content in found.items():
            pod = self._store.pods.get(uid)
            if pod is not None and pod.waits_for_images:
                self._told.setdefault(uid, {})[key] = is_content
                self._queue.wake(uid)
        for uid, told in self._told.items():
            # The pods that this object held up, and that its selector no longer means.
            if uid not in found and told.pop(key, True) is not True:
                self._queue.wake(uid)
        self._prune()

    def forget(self, key: Key) -> frozenset[Key]:
        """The object is gone; the others whose pods it held up, and which should look again."""
        touched: set[Key] = set()
        for uid, told in self._told.items():
            if told.pop(key, True) is not True:
                touched.update(told)
                self._queue.wake(uid)
        return frozenset(touched)

    async def run(self) -> None:
        """For ever: make the conditions say what they should."""
        while True:
            uid = await self._queue.take()
            again: float | None = DEFECT_SECONDS
            try:
                pod = self._store.pods.get(uid)
                is_done = pod is None or await self._write(pod)
                again = None if is_done else AGAIN_SECONDS
            except Exception:  # costs this pod its gate, and nobody else anything
                _log.exception("defect in writing the readiness gate of pod %s", uid)
            finally:
                self._queue.done(uid)
                if again is not None:
                    self._queue.wake(uid, after=again)

    async def _write(self, pod: Pod) -> bool:
        """Make the condition say what it should; False when the API could not be told."""
        wanting = self._store.ranges_on(pod)
        told = self._told.get(pod.uid, {})
        is_open = opens([told.get(key) for key in wanting])
        if is_open is None:  # what cannot be told stays as it was told
            return True
        status, message = str(is_open), _message({key: told.get(key) for key in wanting})
        if status == pod.gate and self._said.get(pod.uid, message) == message:
            return True
        condition = {
            "type": READINESS_GATE,
            "status": status,
            "reason": str(Reason.ALL_IMAGES_PRESENT if is_open else Reason.IMAGES_MISSING),
            "message": message,
            "lastTransitionTime": rfc3339(self._clock.now()),
        }
        try:
            await self._api.set_pod_condition(pod.namespace, pod.name, pod.uid, condition)
        except ApiUnavailable as exc:
            place = f"{pod.namespace}/{pod.name}"
            _log.info("readiness gate of %s not written; will retry: %s", place, exc)
            return False
        if pod.uid in self._store.pods:
            self._said[pod.uid] = message
            self._store.pods[pod.uid] = replace(self._store.pods[pod.uid], gate=status)
        return True

    def _prune(self) -> None:
        for uid in [uid for uid in self._told if uid not in self._store.pods]:
            del self._told[uid]
            self._said.pop(uid, None)


def _message(told: Mapping[Key, bool | None]) -> str:
    """Which objects lack images; all of them where none does. Of the others nothing is said."""
    lacking = ", ".join(key.name for key, is_content in told.items() if is_content is False)
    if lacking:
        return f"images of RangeImages {lacking} are missing"
    return f"every image of RangeImages {', '.join(key.name for key in told)} is present"
