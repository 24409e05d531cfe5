"""One pass of an ImageCache: observe, plan, apply, report; and tell the ranges what it knows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import assert_never

from cyroid_images.model.actions import Cached, CacheStep, Copy, Fill, Push
from cyroid_images.model.fault import Route
from cyroid_images.model.knowledge import (
    CacheView,
    HeldByArchive,
    HeldByEngine,
    HeldByUpstream,
)
from cyroid_images.model.milestones import Milestone
from cyroid_images.model.observed import CacheSeen, Running
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.plan import cache_report
from cyroid_images.plan.cache import know, plan_image
from cyroid_images.plan.initial_status import initial_cache_status
from cyroid_images.plan.push_order import due
from cyroid_images.reconcile.cache_memory import CacheMemory
from cyroid_images.reconcile.cache_outcomes import CacheOutcomes
from cyroid_images.reconcile.job import Job, Move
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.memories import Memories
from cyroid_images.reconcile.observe_cache import CacheObserver
from cyroid_images.reconcile.pace import next_look_of_cache
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.tidying import tidy_sources

_log = logging.getLogger(__name__)

FILL_SECONDS = 3600.0
"""The same bound that a range has by default for one transfer in all."""


class CacheReconciler:
    """Keeps the memories of all ImageCaches; one pass at a time per key."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._observer = CacheObserver(site)
        self._outcomes = CacheOutcomes(site)
        self._memories = Memories[CacheMemory](lambda item: CacheMemory.of(item, site.clock.now()))

    async def reconcile(self, key: Key) -> float | None:
        """One pass; returns the seconds until the next look, None for a gone object."""
        item = self._site.world.caches.get(key.name)
        if item is None:
            self._forget(key)
            return None
        memory = self._memories.at(key, item)
        if not item.status.conditions:  # the first word comes before any I/O
            word = initial_cache_status(item, self._site.clock.now())
            if await self._site.reporter.report(key, item.metadata, item.status, word) is None:
                _log.info("%s: first status", key, extra={"step": Milestone.STATUS_FIRST})
            item = self._site.world.caches.get(key.name, item)
        await self._outcomes.take(key, item, memory)
        seen, endpoint = await self._observer.observe(key, item, memory)
        if memory.looks_first():
            _log.info("%s: looked", key, extra={"step": Milestone.LOOKED})
        steps = [plan_image(wish, seen, endpoint) for wish in seen.wishes]
        await self._outcomes.tell_moved_tags(key, seen, memory)
        await self._outcomes.tell_foreign_tags(key, seen, memory)
        self._apply(key, seen, steps)
        self._publish(key, seen, endpoint, memory)
        asked = [s for s in steps if seen.wishes[s.wish] or isinstance(s, Cached)]
        return await self._report(key, seen, asked, memory)

    def _apply(self, key: Key, seen: CacheSeen, steps: Sequence[CacheStep]) -> None:
        """Make what runs into the registry equal to the plan."""
        if seen.item.spec.suspend:
            self._site.jobs.settle(key, ())
            return
        moves = {job.move.key: job.move for job in self._going_on(key, steps)}
        running = [move.action for move in moves.values()]
        wanted = [s for s in steps if isinstance(s, Push | Copy) and seen.wishes[s.wish]]
        open_ones = [step for step in wanted if _slot_key(step) not in moves]
        for step in due(open_ones, running):
            if not self._site.jobs.has_just_ended(key, _slot_key(step)):
                moves[_slot_key(step)] = self._move(step)
        jobs, movers = self._site.jobs, self._site.movers
        jobs.settle(key, [*moves.values(), *tidy_sources(seen, moves.values(), jobs, movers)])

    def _going_on(self, key: Key, steps: Sequence[CacheStep]) -> list[Job]:
        """Pushes that may end: nobody wants other content under their name meanwhile.

        One whose image is in the registry already still has to prove it and to tidy up.
        """
        wanted = {step.wish: step for step in steps}
        return [
            job
            for job in self._site.jobs.running(key)
            if isinstance(job.move.action, Push | Copy)
            and (step := wanted.get(job.move.action.wish)) is not None
            and not (isinstance(step, Push | Copy) and step.source.id != job.move.action.source.id)
        ]

    def _move(self, fill: Fill) -> Move:
        movers = self._site.movers
        return Move(
            key=_slot_key(fill),
            action=fill,
            version=fill.source.id,
            lanes=(_lane(fill), f"registry:{fill.to.registry.host}", "all"),
            run=partial(movers.push, fill)
            if isinstance(fill, Push)
            else partial(movers.copy, fill),
            total_seconds=FILL_SECONDS,
        )

    def _publish(
        self, key: Key, seen: CacheSeen, endpoint: RegistryEndpoint | None, memory: CacheMemory
    ) -> None:
        """Tell the ranges; those that it concerns get a pass."""
        view = CacheView(
            pull_host=seen.item.spec.registry.pull_host,
            looked=memory.has_looked,
            registry=memory.registry,
            endpoint=endpoint,
            images={wish: know(wish, seen) for wish in seen.wishes},
        )
        if endpoint is not None:
            self._site.measures.serves(key.name, endpoint.host)
        for concerned in self._site.board.publish(key.name, view):
            self._site.queue.wake(concerned)

    async def _report(
        self, key: Key, seen: CacheSeen, steps: Sequence[CacheStep], memory: CacheMemory
    ) -> float:
        running = tuple(
            _running(job.move.action, job)
            for job in self._site.jobs.running(key)
            if isinstance(job.move.action, Push | Copy)
        )
        item = self._site.world.caches.get(key.name, seen.item)
        status = cache_report.report(seen, steps, running)
        again = await self._site.reporter.report(key, item.metadata, item.status, status)
        pause = next_look_of_cache(seen, steps, memory, is_running=bool(running))
        return min(pause, again) if again is not None else pause

    def _forget(self, key: Key) -> None:
        """The cache is gone: its pushes stop; nothing is removed from registry or engines."""
        self._memories.forget(key)
        self._site.jobs.drop(key)
        self._site.measures.serves(key.name, None)
        self._site.reporter.forget(key)
        for concerned in self._site.board.publish(key.name, None):
            self._site.queue.wake(concerned)


def _slot_key(fill: Fill) -> tuple[str, str, str, str]:
    """What must not happen twice at a time: one tag of one registry."""
    return ("fill", fill.to.registry.host, fill.to.repository, fill.to.tag)


def _lane(fill: Fill) -> str:
    """The limit of where it comes from."""
    match fill.source:
        case HeldByEngine():
            return f"source:{fill.source.endpoint}"
        case HeldByUpstream():
            return f"upstream:{fill.source.upstream.host}"
        case HeldByArchive():
            return f"archive:{fill.source.image.archive}"
        case _:
            assert_never(fill.source)


def _running(fill: Fill, job: Job) -> Running:
    return Running(fill.wish, None, Route.REGISTRY, job.progress, job.rate)
