"""The moves that run: started, kept or cancelled so that they equal what the plans want.

One move at a time per key (single flight): passes of several objects that want the same
one share it, and it is cancelled only when the last of them no longer wants it. A move
whose key is taken by another version (the tag moved meanwhile) waits until that one has
ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from cyroid_images.errors import Cancelled, CyroidError, Reason, TransferError
from cyroid_images.model.fault import Fault
from cyroid_images.model.log_context import about
from cyroid_images.model.measured import Transferred
from cyroid_images.model.progress import Progress
from cyroid_images.reconcile.audit import tell_ended
from cyroid_images.reconcile.job import Ended, Job, Move, Underway
from cyroid_images.reconcile.measures import Measures, Unmeasured, way_of
from cyroid_images.reconcile.pool import Pool
from cyroid_images.reconcile.telling import about_action
from cyroid_images.scheduling.cancel_scope import CancelScope as Canceller

_log = logging.getLogger(__name__)


class Jobs:
    """Used from the event loop; the moves themselves run in the pool's threads."""

    def __init__(
        self,
        pool: Pool,
        limits: Mapping[str, int],
        wake: Callable[[Hashable], None],
        measures: Measures | None = None,
    ) -> None:
        self._pool = pool
        self._limits = limits
        self._wake = wake
        self._measures = measures or Unmeasured()
        self._jobs = Underway()
        self._ended: dict[Hashable, list[Ended]] = {}
        self._blocked: dict[Hashable, set[Hashable]] = {}
        """Owners that want another version of a key than the one that still runs."""
        self._lanes: dict[str, asyncio.Semaphore] = {}

    def settle(self, owner: Hashable, moves: Iterable[Move]) -> None:
        """Make the moves of this owner equal to `moves`: start, keep, cancel."""
        wanted = {move.key: move for move in moves}
        for job in self._jobs.of(owner):
            if wanted.get(job.move.key) != job.move:
                self._leave(owner, job)
        for key, move in wanted.items():
            held = self._jobs.at(key)
            if held is None:
                self._start(owner, move)
            elif held.move == move:
                self._jobs.join(owner, held)
            else:
                self._blocked.setdefault(key, set()).add(owner)

    def running(self, owner: Hashable) -> tuple[Job, ...]:
        """The jobs that this owner waits for."""
        return self._jobs.of(owner)

    def has_just_ended(self, owner: Hashable, key: Hashable) -> bool:
        """Has it ended since this owner last took outcomes? Then what was seen may be older."""
        return any(ended.move.key == key for ended in self._ended.get(owner, ()))

    def busy_with(self, part: Hashable) -> bool:
        """Does a move run whose key names this part (a target's uid)?"""
        return self._jobs.with_part(part) > 0

    def uses(self, lane: str) -> bool:
        """Does a move run, or wait, that counts against this limit?"""
        return self._jobs.in_lane(lane) > 0

    def under_way(self) -> tuple[Job, ...]:
        """What has left the queue of its lanes."""
        return tuple(job for job in self._jobs if job.progress is not None)

    def take_ended(self, owner: Hashable) -> tuple[Ended, ...]:
        """What has ended for this owner since it last asked."""
        return tuple(self._ended.pop(owner, ()))

    def drop(self, owner: Hashable) -> None:
        """The owner is gone: nobody waits for its moves any more."""
        self.settle(owner, ())
        self._ended.pop(owner, None)

    async def close(self) -> None:
        """Cut everything and wait until the threads have let go."""
        tasks = [job.task for job in self._jobs if job.task]
        for job in self._jobs:
            for owner in tuple(job.owners):
                self._leave(owner, job)  # the last one cuts it
        if tasks:
            await asyncio.wait(tasks, timeout=5)

    def _start(self, owner: Hashable, move: Move) -> None:
        job = Job(move, {owner}, Canceller())
        self._jobs.add(job)
        with about(transfer_id=job.id, **about_action(move.action)):
            job.task = asyncio.create_task(self._work(job))
        job.task.add_done_callback(lambda _: self._has_never_begun(job))

    def _leave(self, owner: Hashable, job: Job) -> None:
        self._jobs.leave(owner, job)
        if not job.owners:
            self._cancel(job)

    def _cancel(self, job: Job) -> None:
        job.canceller.cancel()
        if job.progress is None and job.task:
            job.task.cancel()  # still waiting for a lane: there is no thread to cut

    async def _work(self, job: Job) -> None:
        """Wait for the lanes, run, hand out the outcome."""
        try:
            async with contextlib.AsyncExitStack() as lanes:
                for lane in job.move.lanes:
                    await lanes.enter_async_context(self._lane(lane))
                ended = await self._run(job)
        except asyncio.CancelledError:
            ended = None
        self._finish(job, ended)

    async def _run(self, job: Job) -> Ended | None:
        """The outcome; None when the move was cancelled by us."""
        job.started, job.progress = time.monotonic(), Progress(0)
        clock = asyncio.get_running_loop().call_later(
            job.move.total_seconds, job.canceller.cancel, _took_too_long(job.move)
        )

        def observe(progress: Progress) -> None:
            job.progress = _further(job.progress, progress)

        result: Any = None
        fault: Fault | None = None
        try:
            result = await self._pool.run(lambda: job.move.run(job.canceller, observe))
        except Cancelled:
            return None
        except TransferError as exc:
            fault = Fault.of(exc)
        except CyroidError as exc:
            fault = Fault(Reason.INVALID_REFERENCE, str(exc))
        except Exception as exc:
            # A defect in one move must not end the loop; it is told like any other failure.
            _log.exception("move %s ended with a defect", job.move.key)
            fault = Fault(Reason.INTERNAL_ERROR, f"a defect of the operator: {type(exc).__name__}")
        finally:
            clock.cancel()
        return Ended(job.move, result, fault, time.monotonic() - job.started)

    def _finish(self, job: Job, ended: Ended | None) -> None:
        owners = self._jobs.end(job)
        for lane in job.move.lanes:
            if not self._jobs.in_lane(lane):
                self._lanes.pop(lane, None)  # engines come and go
        self._tell(job, ended)
        for owner in owners:
            if ended is not None:
                self._ended.setdefault(owner, []).append(ended)
            self._wake(owner)
        for owner in self._blocked.pop(job.move.key, ()):
            self._wake(owner)

    def _tell(self, job: Job, ended: Ended | None) -> None:
        """One line and one count of each move of an image that had begun."""
        if job.progress is None:
            return
        way = way_of(job.move.action, ended.result if ended else None)
        fault = ended.fault if ended else None
        if way is None:
            if fault is not None:
                what = type(job.move.action).__name__
                _log.warning("%s failed: %s: %s", what, fault.reason, fault.message)
            return
        told = Transferred(
            id=job.id,
            way=way,
            seconds=time.monotonic() - job.started,
            done=job.progress.done,
            reason=fault.reason if fault else None,
            is_cut=ended is None,
        )
        tell_ended(job.move.action, told, fault.message if fault else "")
        self._measures.transferred(told)

    def _has_never_begun(self, job: Job) -> None:
        """A task that is cancelled before its first step does not get to finish its job."""
        if self._jobs.at(job.move.key) is job:
            self._finish(job, None)

    def _lane(self, name: str) -> asyncio.Semaphore:
        kind = name.partition(":")[0]
        return self._lanes.setdefault(name, asyncio.Semaphore(self._limits[kind]))


def _further(before: Progress | None, now: Progress) -> Progress:
    """Progress never goes back, also where a move begins anew by another way."""
    done = max(now.done, before.done if before else 0)
    return Progress(done, None if now.total is None else max(now.total, done))


def _took_too_long(move: Move) -> TransferError:
    return TransferError(
        Reason.TIMEOUT, f"not done within timeouts.total ({move.total_seconds:.0f} s)"
    )
