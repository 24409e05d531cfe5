"""The loop itself: events in, passes by workers, and a sweep that heals what watches lose."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cyroid_images.errors import ApiUnavailable, Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.log_context import about
from cyroid_images.model.measured import PassResult
from cyroid_images.model.metadata import Metadata
from cyroid_images.model.status import Status
from cyroid_images.plan.initial_status import stalled
from cyroid_images.reconcile.cache import CacheReconciler
from cyroid_images.reconcile.keys import Key, Kind
from cyroid_images.reconcile.pool import Pool
from cyroid_images.reconcile.ports import Cluster
from cyroid_images.reconcile.range import RangeReconciler
from cyroid_images.reconcile.relists import Relists
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.telling import about_object
from cyroid_images.reconcile.world import Broken

_log = logging.getLogger(__name__)

FIRST_LIST = (Kind.NAMESPACE, Kind.POD, Kind.IMAGE_CACHE, Kind.RANGE_IMAGES)
"""Pods before ranges: a pass that knows no pods yet would say NoTargets."""
AGAIN_SECONDS = 60.0
"""After a defect in a pass: it is not left alone for ever, and not hammered."""
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


class Loop:
    """Starts and stops everything that runs."""

    def __init__(
        self,
        site: Site,
        cluster: Cluster,
        *,
        workers: int,
        sweep_seconds: float,
        may_act: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_act`: is this operator the active one? Else passes wait, and moves end."""
        self._may_act = may_act
        self._site = site
        self._cluster = cluster
        self._workers = workers
        self._sweep_seconds = sweep_seconds
        self._ranges = RangeReconciler(site)
        self._caches = CacheReconciler(site)
        self._tasks: list[asyncio.Task[None]] = []
        self._swept = time.monotonic()
        self._relists = Relists()
        self._relisted = asyncio.Event()

    async def start(self) -> None:
        """List everything once, then work; returns when the list is there."""
        while not await self._list_all():
            await asyncio.sleep(LIST_AGAIN_SECONDS)
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        self._tasks.append(asyncio.create_task(self._sweep()))

    async def stop(self) -> None:
        """Take no more work, cut what runs; status says nothing of it."""
        for task in self._tasks:
            task.cancel()
        await self._site.jobs.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    def changed(self, kind: str, event_type: str | None, body: Mapping[str, Any]) -> None:
        """One event of a watch: remember it and wake whom it touches."""
        self._site.measures.heard()
        if self._relists.shows(Kind(kind), event_type, body):
            self._relisted.set()
            self._site.measures.relisted()
        touched = self._site.world.changed(Kind(kind), event_type, body)
        for key in touched:
            self._site.queue.wake(key)
        if event_type == "DELETED":
            self._let_go(touched)

    def is_alive(self) -> bool:
        """Does the sweep still run? A sweep that failed has run all the same."""
        return time.monotonic() - self._swept < 3 * self._sweep_seconds + 60

    def _let_go(self, touched: Iterable[Key]) -> None:
        """Cut the transfers of what is gone, though a pass of it may still wait for an answer."""
        world = self._site.world
        for key in touched:
            is_range = key.kind is Kind.RANGE_IMAGES
            if not (key in world.ranges if is_range else key.name in world.caches):
                self._site.jobs.drop(key)

    async def _work(self) -> None:
        while True:
            key = await self._site.queue.take()
            try:
                with about(**about_object(key, self._metadata(key))):
                    pause = await self._pass(key)
            finally:
                self._site.queue.done(key)
            if pause is not None:
                self._site.queue.wake(key, after=pause)

    async def _pass(self, key: Key) -> float | None:
        """One pass; a defect in it is told on its object and stops nobody else."""
        if not self._may_act():
            return HELD_SECONDS
        began = time.monotonic()
        try:
            pause = await self._reconciled(key)
        except Exception:
            number = secrets.token_hex(4)
            _log.exception("defect %s in the pass of %s", number, key)
            fault = Fault(
                Reason.INTERNAL_ERROR,
                f"a defect of the operator; its log tells more under {number}; tried again in"
                f" {AGAIN_SECONDS:.0f} s",
            )
            with contextlib.suppress(Exception):
                await self._tell_defect(key, fault)
            result, pause = PassResult.DEFECT, AGAIN_SECONDS
        else:
            result = PassResult.DONE if self._metadata(key) else PassResult.GONE
        self._site.measures.passed(str(key.kind), result, time.monotonic() - began)
        return pause

    async def _reconciled(self, key: Key) -> float | None:
        if key in self._site.world.broken:
            return await self._tell_broken(key, self._site.world.broken[key])
        if key.kind is Kind.RANGE_IMAGES:
            return await self._ranges.reconcile(key)
        return await self._caches.reconcile(key)

    def _metadata(self, key: Key) -> Metadata | None:
        world = self._site.world
        is_range = key.kind is Kind.RANGE_IMAGES
        item = world.ranges.get(key) if is_range else world.caches.get(key.name)
        found = item or world.broken.get(key)
        return found.metadata if found else None

    async def _tell_defect(self, key: Key, fault: Fault) -> None:
        world = self._site.world
        is_range = key.kind is Kind.RANGE_IMAGES
        item = world.ranges.get(key) if is_range else world.caches.get(key.name)
        if item is not None:
            await self._tell_stalled(key, item.metadata, item.status, fault)

    async def _tell_broken(self, key: Key, broken: Broken) -> float | None:
        """An object that breaks a rule of its kind: nothing of it runs until it is edited."""
        self._site.jobs.drop(key)
        return await self._tell_stalled(key, broken.metadata, broken.status, broken.fault)

    async def _tell_stalled(
        self, key: Key, metadata: Metadata, before: Status, fault: Fault
    ) -> float | None:
        now, is_range = self._site.clock.now(), key.kind is Kind.RANGE_IMAGES
        conditions = stalled(before.conditions, metadata.generation, fault, now, is_range=is_range)
        after = {"conditions": conditions, "observed_generation": metadata.generation}
        return await self._site.reporter.report(
            key, metadata, before, before.model_copy(update=after)
        )

    async def _sweep(self) -> None:
        pause, again = min(FIRST_SWEEP_SECONDS, self._sweep_seconds), RELIST_SECONDS
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._relisted.wait()
                    await asyncio.sleep(RELIST_SECONDS)
            self._relisted.clear()
            is_done = await self._list_all()
            again = RELIST_SECONDS if is_done else min(2 * again, SWEEP_AGAIN_SECONDS)
            pause = self._sweep_seconds if is_done else again
            self._swept = time.monotonic()

    async def _list_all(self) -> bool:
        """List every kind anew; False, with a line in the log, where that failed."""
        try:
            for kind in FIRST_LIST:
                self._site.world.expect_list()
                for key in self._site.world.replace(kind, await self._cluster.list(kind)):
                    self._site.queue.wake(key)
        except ApiUnavailable as exc:
            _log.warning("listing failed, tried again: %s", exc)
            return False
        return True


def pools(transfers: int) -> tuple[Pool, Pool, Pool]:
    """Threads for moves, for looks at engines, for questions to the registry.

    Apart, so that gigabytes on their way never delay a look, nor a hung engine a push.
    """
    return Pool("move", transfers), Pool("look", 32), Pool("ask", 16)
