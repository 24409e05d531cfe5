"""One pass of an ImageCache: observe, plan, apply, report; and tell the ranges what it knows."""

from __future__ import annotations

from collections.abc import Sequence

from cyroid_images.errors import Reason
from cyroid_images.model.actions import CacheStep, Push, Wait
from cyroid_images.model.fault import Route
from cyroid_images.model.image_cache import ImageCache
from cyroid_images.model.knowledge import CacheView
from cyroid_images.model.observed import CacheSeen, Running
from cyroid_images.plan import backoff, cache_report
from cyroid_images.plan.cache import drifted, know, plan_image
from cyroid_images.plan.first_word import first_word_of_cache
from cyroid_images.reconcile.cache_memory import CacheMemory
from cyroid_images.reconcile.jobs import Ended, Job, Move
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.observe_cache import CacheObserver
from cyroid_images.reconcile.reporter import PROGRESS_SECONDS
from cyroid_images.reconcile.site import Site

PUSH_SECONDS = 3600.0
"""The same bound that a range has by default for one transfer in all."""
RETRY_CAP_SECONDS = 5.0
"""A registry that is down is asked again at least so often: its return ends the tars."""
WAITING_SECONDS = 30.0
"""What no source has may be built at any moment; sources send no event."""


class CacheReconciler:
    """Keeps the memories of all ImageCaches; one pass at a time per key."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._observer = CacheObserver(site)
        self._memories: dict[Key, CacheMemory] = {}

    async def reconcile(self, key: Key) -> float | None:
        """One pass; returns the seconds until the next look, None for a gone object."""
        item = self._site.world.caches.get(key.name)
        if item is None:
            self._forget(key)
            return None
        memory = self._remember(key, item)
        if not item.status.conditions:  # the first word comes before any I/O
            word = first_word_of_cache(item, self._site.clock.now())
            await self._site.reporter.report(key, item.metadata, item.status, word)
            item = self._site.world.caches.get(key.name, item)
        await self._take_outcomes(key, item, memory)
        seen, endpoint = await self._observer.observe(key, item, memory)
        steps = [plan_image(wish, seen, endpoint) for wish in seen.wishes]
        await self._tell_moved_tags(key, seen, memory)
        self._apply(key, seen, steps)
        self._publish(key, seen, memory)
        return await self._report(key, seen, steps, memory)

    def _apply(self, key: Key, seen: CacheSeen, steps: Sequence[CacheStep]) -> None:
        """Make the running pushes equal to the plan."""
        if seen.item.spec.suspend:
            self._site.jobs.settle(key, ())
            return
        moves = {job.move.key: job.move for job in self._going_on(key, steps)}
        for step in steps:
            if isinstance(step, Push) and seen.wishes[step.wish]:
                move = self._move(step)
                if not self._site.jobs.has_just_ended(key, move.key):
                    moves.setdefault(move.key, move)
        self._site.jobs.settle(key, moves.values())

    def _going_on(self, key: Key, steps: Sequence[CacheStep]) -> list[Job]:
        """Pushes that may end: nobody wants other content under their name meanwhile.

        One whose image is in the registry already still has to prove it and to tidy up.
        """
        wanted = {step.wish: step for step in steps}
        return [
            job
            for job in self._site.jobs.running(key)
            if (step := wanted.get(job.move.action.wish)) is not None
            and not (isinstance(step, Push) and step.source.id != job.move.action.source.id)
        ]

    def _move(self, push: Push) -> Move:
        return Move(
            key=("push", push.to.registry.host, push.to.repository, push.to.tag),
            action=push,
            version=push.source.id,
            lanes=(f"source:{push.source.endpoint}", "all"),
            run=lambda cancellation, observer: self._site.movers.push(push, cancellation, observer),
            total_seconds=PUSH_SECONDS,
        )

    def _publish(self, key: Key, seen: CacheSeen, memory: CacheMemory) -> None:
        """Tell the ranges; those that it concerns get a pass."""
        view = CacheView(
            pull_host=seen.item.spec.registry.pull_host,
            looked=memory.has_looked,
            registry=memory.registry,
            images={wish: know(wish, seen) for wish in seen.wishes},
        )
        for concerned in self._site.board.publish(key.name, view):
            self._site.queue.wake(concerned)

    async def _report(
        self, key: Key, seen: CacheSeen, steps: Sequence[CacheStep], memory: CacheMemory
    ) -> float:
        running = tuple(
            _running(job.move.action, job)
            for job in self._site.jobs.running(key)
            if isinstance(job.move.action, Push)
        )
        item = self._site.world.caches.get(key.name, seen.item)
        status = cache_report.report(seen, steps, running)
        again = await self._site.reporter.report(key, item.metadata, item.status, status)
        pause = _next_look(seen, steps, memory, is_running=bool(running))
        return min(pause, again) if again is not None else pause

    async def _take_outcomes(self, key: Key, item: ImageCache, memory: CacheMemory) -> None:
        for ended in self._site.jobs.take_ended(key):
            push = ended.move.action
            if not isinstance(push, Push):
                continue
            if ended.fault is not None:
                before, now = memory.failures.get(push.wish), self._site.clock.now()
                spread = self._site.clock.spread()
                memory.refused(push.wish, backoff.failed(before, ended.fault, now, spread=spread))
                continue
            memory.pushed(push.wish, ended.result, self._site.queue.time())
            await self._tell_pushed(key, item, push, ended)

    async def _tell_pushed(self, key: Key, item: ImageCache, push: Push, ended: Ended) -> None:
        manifest = ended.result.manifest
        await self._site.reporter.note(
            key,
            item.metadata,
            Reason.IMAGE_PUSHED,
            f"{push.wish} is in the registry as {push.to.repository}@{manifest.digest}"
            f" ({manifest.size} bytes, from {push.source.source}, in {ended.seconds:.1f} s)",
            about=f"{push.wish}/{manifest.digest}",
        )

    async def _tell_moved_tags(self, key: Key, seen: CacheSeen, memory: CacheMemory) -> None:
        moved_tags = {wish: moved for wish in seen.wishes if (moved := drifted(wish, seen))}
        memory.told &= {(wish, found.id) for wish, (_, found) in moved_tags.items()}
        for wish, (stored, found) in moved_tags.items():
            if (wish, found.id) in memory.told:
                continue
            memory.told.add((wish, found.id))
            await self._site.reporter.note(
                key,
                seen.item.metadata,
                Reason.NEW_DIGEST,
                f"{wish} moved in {found.source}: from {stored.manifest.digest} to {found.id}",
                about=f"{wish}/{found.id}",
            )

    def _remember(self, key: Key, item: ImageCache) -> CacheMemory:
        memory = self._memories.get(key)
        if memory is None or memory.uid != item.metadata.uid:
            memory = CacheMemory.of(item, self._site.clock.now())
            self._memories[key] = memory
        memory.begin(item)
        return memory

    def _forget(self, key: Key) -> None:
        """The cache is gone: its pushes stop; nothing is removed from registry or engines."""
        self._memories.pop(key, None)
        self._site.jobs.drop(key)
        self._site.reporter.forget(key)
        for concerned in self._site.board.publish(key.name, None):
            self._site.queue.wake(concerned)


def _running(push: Push, job: Job) -> Running:
    return Running(push.wish, None, Route.REGISTRY, job.progress, job.rate)


def _next_look(
    seen: CacheSeen, steps: Sequence[CacheStep], memory: CacheMemory, *, is_running: bool
) -> float:
    """Seconds until the next pass without any event."""
    pauses = [seen.item.spec.refresh.interval]
    if is_running:
        pauses.append(PROGRESS_SECONDS)
    if memory.misses:
        pauses.append(min(2.0 ** (memory.misses - 1), RETRY_CAP_SECONDS))
    if any(isinstance(step, Wait) for step in steps):
        pauses.append(WAITING_SECONDS)
    pauses += [
        (each.next_attempt - seen.now).total_seconds()
        for each in seen.failures.values()
        if each.next_attempt > seen.now  # what is due runs already, or waits for something else
    ]
    return max(0.5, min(pauses))
