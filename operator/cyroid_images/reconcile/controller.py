"""The controller: events in, passes by workers, and a sweep that heals what watches lose."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.defects import AGAIN_SECONDS, defect_in
from cyroid_images.errors import ApiUnavailable
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.metadata import Metadata
from cyroid_images.model.telemetry.log_context import about
from cyroid_images.model.telemetry.measured import PassResult
from cyroid_images.plan.status.initial_status import stalled
from cyroid_images.reconcile.caches.image_cache import CacheReconciler
from cyroid_images.reconcile.parts import Parts
from cyroid_images.reconcile.ports import Lists
from cyroid_images.reconcile.ranges.range_images import RangeReconciler
from cyroid_images.report.log_fields import about_object
from cyroid_images.scheduling import garbage
from cyroid_images.scheduling.supervisor import Supervisor
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.relists import Relists
from cyroid_images.store.store import Broken

_log = logging.getLogger(__name__)

FIRST_LIST = (Kind.NAMESPACE, Kind.POD, Kind.IMAGE_CACHE, Kind.RANGE_IMAGES)
"""Pods before ranges: a pass that knows no pods yet would say NoTargets."""
HELD_SECONDS = 1.0
"""While the Lease is in doubt nothing begins; it is known again within seconds."""
LIST_AGAIN_SECONDS = 2.0
"""After a list that failed at the start: nothing can be done before there is one."""
RELIST_SECONDS = 2.0
"""After a watch had to list again: the other watches do so in the same moment."""
FIRST_SWEEP_SECONDS = 10.0
"""After the start: kopf's watches begin after our first list, and what is deleted in between
no watch tells."""
SWEEP_AGAIN_SECONDS = 30.0
"""At most, after a sweep that failed: a deletion that a watch lost is not known until then."""
YIELD_SECONDS = 0.01
"""A list of thousands of objects is taken over in steps: the loop goes on in between."""
STATUS_WRITERS = 8
"""Statuses on their way at a time: each waits for the API server, and none for another."""
GATE_WRITERS = 4
STUCK_SECONDS = 900.0
"""Threads that are all busy with the same calls for so long have been lost: every call out
has a deadline that is far shorter."""


@dataclass(slots=True)
class Controller:
    """Starts and stops everything that runs."""

    parts: Parts
    api: Lists
    supervisor: Supervisor
    workers: int
    sweep_seconds: float
    may_act: Callable[[], bool] = lambda: True
    """Is this operator the active one? Else passes wait, and transfers end."""
    _swept: float = field(default_factory=time.monotonic)
    _relists: Relists = field(default_factory=Relists)
    _relisted: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """List everything once, then work; returns when the list is there."""
        garbage.begin()
        while not await self._list_all():
            garbage.collect_all()  # what a list that failed has left behind
            await asyncio.sleep(LIST_AGAIN_SECONDS)
        start, parts = self.supervisor.start, self.parts
        for number in range(self.workers):
            start(f"worker {number + 1}", self._work())
        for number in range(STATUS_WRITERS):
            start(f"status writer {number + 1}", parts.writer.run())
        for number in range(GATE_WRITERS):
            start(f"gate writer {number + 1}", parts.gates.run())
        start("turns", parts.executor.keep_turns())
        start("sweep", self._sweep())

    async def stop(self) -> None:
        """Take no more work and cancel running transfers; no status is written for that."""
        stopping = asyncio.create_task(self.supervisor.stop(5.0))
        self.parts.close_observers()
        await self.parts.executor.close()
        await stopping
        self.parts.close_threads()

    def changed(self, kind: str, event_type: str | None, body: Mapping[str, Any]) -> None:
        """One event of a watch: store it, and queue the objects that it concerns."""
        self.parts.measures.heard()
        if self._relists.shows(Kind(kind), event_type, body):
            self._relisted.set()
            self.parts.measures.relisted()
        touched = self.parts.store.changed(Kind(kind), event_type, body)
        self._wake(touched)
        if event_type == "DELETED":
            self._let_go(touched)

    def has_swept(self) -> bool:
        """Does the sweep still run? A sweep that failed has run all the same."""
        return time.monotonic() - self._swept < 3 * self.sweep_seconds + 60

    def has_threads(self) -> bool:
        """Is there a purpose all of whose threads have been lost in calls that never end?"""
        return not any(each.is_stuck(STUCK_SECONDS) for each in self.parts.looking)

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.parts.queue.wake(key)

    def _let_go(self, touched: Iterable[Key]) -> None:
        """Cut the transfers of what is gone at once."""
        for key in touched:
            if self.parts.store.find(key) is None:
                self.parts.executor.drop(key)

    async def _work(self) -> None:
        while True:
            key = await self.parts.queue.take()
            try:
                with about(**about_object(key, self._metadata(key))):
                    pause = await self._pass(key)
            finally:
                self.parts.queue.done(key)
            if pause is not None:
                self.parts.queue.wake(key, after=pause)
            # Neither a full queue nor a pass waits for anything: 500 of them, one after the
            # other, would hold the loop for seconds.
            await asyncio.sleep(0)

    async def _pass(self, key: Key) -> float | None:
        """One pass; a defect in it is told on its object and stops nobody else."""
        if not self.may_act():
            return HELD_SECONDS
        began = time.monotonic()
        try:
            pause = await self._reconciled(key)
        except Exception as exc:
            fault = defect_in(f"the pass of {key}", exc)
            with contextlib.suppress(Exception):
                self._tell_stalled(key, fault)
            result, pause = PassResult.DEFECT, AGAIN_SECONDS
        else:
            result = PassResult.DONE if self._metadata(key) else PassResult.GONE
        self.parts.measures.passed(str(key.kind), result, time.monotonic() - began)
        return pause

    async def _reconciled(self, key: Key) -> float | None:
        broken = self.parts.store.broken.get(key)
        if broken is not None:
            self._tell_broken(key, broken)
            return None
        return await self._reconciler(key).reconcile(key)

    def _reconciler(self, key: Key) -> RangeReconciler | CacheReconciler:
        return self.parts.ranges if key.kind is Kind.RANGE_IMAGES else self.parts.caches

    def _metadata(self, key: Key) -> Metadata | None:
        found = self.parts.store.find(key)
        return found.metadata if found else None

    def _tell_broken(self, key: Key, broken: Broken) -> None:
        """An object that breaks a rule of its kind: it moves, looks at and wants nothing."""
        self._reconciler(key).forget(key)
        self._tell_stalled(key, broken.fault)

    def _tell_stalled(self, key: Key, fault: Fault) -> None:
        item = self.parts.store.find(key)
        if item is None:
            return
        is_range, generation = key.kind is Kind.RANGE_IMAGES, item.metadata.generation
        before = self.parts.writer.latest(key, item.metadata, item.status)
        now = self.parts.clock.now()
        conditions = stalled(before.conditions, generation, fault, now, is_range=is_range)
        update = {"conditions": conditions, "observed_generation": generation}
        status = before.model_copy(update=update)
        self.parts.writer.put(key, item.metadata, status, token=())

    async def _sweep(self) -> None:
        pause, again = min(FIRST_SWEEP_SECONDS, self.sweep_seconds), RELIST_SECONDS
        loop = asyncio.get_running_loop()
        collected = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._relisted.wait()
                    await asyncio.sleep(RELIST_SECONDS)
            self._relisted.clear()
            is_done = await self._list_all()
            again = RELIST_SECONDS if is_done else min(2 * again, SWEEP_AGAIN_SECONDS)
            pause = self.sweep_seconds if is_done else again
            self._swept = time.monotonic()
            if loop.time() - collected >= self.sweep_seconds:
                garbage.collect_all()
                collected = loop.time()

    async def _list_all(self) -> bool:
        """List every kind anew; False, with a line in the log, where that failed."""
        try:
            for kind in FIRST_LIST:
                await self._list(kind)
        except ApiUnavailable as exc:
            _log.warning("list failed; will retry: %s", exc)
            return False
        return True

    async def _list(self, kind: Kind) -> None:
        store = self.parts.store
        store.expect_list()
        async for page in self.api.pages(kind):
            await self._take_over(store.listed(kind, page))
            garbage.set_aside()
            await asyncio.sleep(0)  # a page of a few objects is no wait of its own
        await self._take_over(store.list_ended(kind))

    async def _take_over(self, steps: Iterable[frozenset[Key]]) -> None:
        since = time.monotonic()
        for touched in steps:
            self._wake(touched)
            if time.monotonic() - since > YIELD_SECONDS:
                await asyncio.sleep(0)
                since = time.monotonic()
