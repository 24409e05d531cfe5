"""Makes the running transfers equal to the wanted ones.

One transfer at a time per key (single flight): objects that want the same one share it, and
it is cancelled only when the last of them no longer wants it. A transfer whose key is taken
by another version (the tag moved meanwhile) waits until that one has ended.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

from cyroid_images.defects import defect_in
from cyroid_images.errors import Cancelled, CyroidError, Reason, TransferError
from cyroid_images.execute.in_flight import InFlight
from cyroid_images.execute.transfer import Ended, Job, Transfer
from cyroid_images.model.fault import Fault
from cyroid_images.model.telemetry.log_context import about
from cyroid_images.model.telemetry.progress import Progress, furthest
from cyroid_images.scheduling.fair_turns import FairTurns, Limit
from cyroid_images.scheduling.threads import Threads

TURN_SECONDS = 30.0
"""Who moved nothing for so long gives its place to others that wait."""
UNPACK_SECONDS = 120.0
"""The same once all its bytes are there: an engine unpacks a large layer without reporting."""
LEAST_BYTES = 256 * 1024
"""What counts as progress in that time: a line now and then is none."""
CHECK_SECONDS = 5.0
"""Between two looks at who keeps others waiting."""
CLOSE_SECONDS = 5.0
"""How long cancelled transfers may take to end their threads when the process stops."""

Told = Callable[[Job, Ended | None], None]
"""Is told of every transfer that had begun and is over; None: it was cancelled."""


class Executor:
    """Used from the event loop; the transfers run in threads."""

    def __init__(
        self,
        threads: Threads,
        limits: Mapping[str, Limit],
        wake: Callable[[Hashable], None],
        *,
        log_fields: Callable[[Any], Mapping[str, Any]] = lambda _: {},
        told: Told = lambda *_: None,
    ) -> None:
        """`limits` by kind: the part of a limit's name before the colon."""
        self._threads = threads
        self._wake = wake
        self._log_fields = log_fields
        self._told = told
        self._in_flight = InFlight()
        self._turns = FairTurns[Job](lambda name: limits[name.partition(":")[0]])
        self._tasks: dict[Job, asyncio.Task[None]] = {}
        self._ended: dict[Hashable, list[Ended]] = {}
        self._blocked: dict[Hashable, set[Hashable]] = {}
        """Owners that want another version of a key than the one that still runs."""
        self._is_closing = False

    def sync(self, owner: Hashable, wanted: Iterable[Transfer]) -> None:
        """Make the transfers of this owner equal to `wanted`: start, keep, cancel."""
        if self._is_closing:  # a pass that was under way goes on for a moment
            wanted = ()
        by_key = {transfer.key: transfer for transfer in wanted}
        for job in self._in_flight.of(owner):
            if by_key.get(job.transfer.key) != job.transfer:
                self._leave(owner, job)
        for key, transfer in by_key.items():
            held = self._in_flight.at(key)
            if held is None:
                self._add(owner, transfer)
            elif held.transfer == transfer:
                self._in_flight.join(owner, held)
            else:
                self._blocked.setdefault(key, set()).add(owner)
        self._begin()

    def running(self, owner: Hashable) -> tuple[Job, ...]:
        """The jobs that this owner waits for."""
        return self._in_flight.of(owner)

    def is_busy_with(self, part: Hashable) -> bool:
        """Does a transfer wait or run whose key names this part (a target's UID)?"""
        return self._in_flight.with_part(part) > 0

    def uses(self, limit: str) -> bool:
        """Does a transfer wait or run that counts against this limit?"""
        return self._in_flight.against(limit) > 0

    def under_way(self) -> tuple[Job, ...]:
        """Those whose turn has come."""
        return tuple(job for job in self._in_flight if job.progress is not None)

    def take_ended(self, owner: Hashable) -> tuple[Ended, ...]:
        """What has ended for this owner since it last asked."""
        return tuple(self._ended.pop(owner, ()))

    def drop(self, owner: Hashable) -> None:
        """The owner is gone: nobody waits for its transfers any more."""
        self.sync(owner, ())
        self._ended.pop(owner, None)

    async def keep_turns(self) -> None:
        """For ever: take the turn of who moves nothing while others wait."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.check_turns()

    def check_turns(self) -> None:
        """Cut what made no real progress for a turn and holds a place that others wait for."""
        now = asyncio.get_running_loop().time()
        for job in self.under_way():
            if self._has_moved(job, now) or not self._turns.is_in_the_way(job):
                continue
            text = f"no progress for {now - job.moved:.0f} s while others wait; will retry"
            job.scope.cancel(TransferError(Reason.TIMEOUT, text))

    async def close(self) -> None:
        """Cancel everything and wait until the threads have ended."""
        self._is_closing = True
        tasks = list(self._tasks.values())
        for job in self._in_flight:
            for owner in tuple(job.owners):
                self._leave(owner, job)  # the last one cuts it
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_SECONDS)

    def _add(self, owner: Hashable, transfer: Transfer) -> None:
        job = Job(transfer, {owner})
        self._in_flight.add(job)
        self._turns.wait(job, transfer.party, transfer.limits)

    def _begin(self) -> None:
        """Start those whose turn it is."""
        for job in self._turns.give():
            job.started, job.moved = time.monotonic(), asyncio.get_running_loop().time()
            job.progress = Progress(0)
            self._tasks[job] = job.context.run(self._start, job)

    def _start(self, job: Job) -> asyncio.Task[None]:
        with about(transfer_id=job.id, **self._log_fields(job.transfer.action)):
            return asyncio.create_task(self._work(job))

    def _leave(self, owner: Hashable, job: Job) -> None:
        self._in_flight.leave(owner, job)
        if job.owners:
            return
        job.scope.cancel()
        if job.progress is None:  # there is no thread to cut
            self._finish(job, None)

    async def _work(self, job: Job) -> None:
        ended: Ended | None = None
        try:
            ended = await self._run(job)
        finally:
            self._finish(job, ended)

    async def _run(self, job: Job) -> Ended | None:
        """The outcome; None when the transfer was cancelled by us."""
        transfer, loop = job.transfer, asyncio.get_running_loop()
        deadline = loop.call_later(
            transfer.total_seconds, job.scope.cancel, _took_too_long(transfer)
        )

        def observe(progress: Progress) -> None:
            job.progress = furthest(job.progress, progress)

        result: Any = None
        fault: Fault | None = None
        try:
            result = await self._threads.run(lambda: transfer.run(job.scope, observe))
        except Cancelled:
            return None
        except TransferError as exc:
            fault = Fault.of(exc)
        except CyroidError as exc:
            fault = Fault(Reason.INVALID_REFERENCE, str(exc))
        except Exception as exc:  # told like any other failure, and ends nothing else
            fault = defect_in(f"transfer {transfer.key}", exc)
        finally:
            deadline.cancel()
        return Ended(transfer, result, fault, time.monotonic() - job.started, loop.time())

    def _finish(self, job: Job, ended: Ended | None) -> None:
        self._tasks.pop(job, None)
        self._turns.leave(job)
        owners = self._in_flight.end(job)
        if job.progress is not None:
            self._told(job, ended)
        for owner in owners:
            if ended is not None:
                self._ended.setdefault(owner, []).append(ended)
            self._wake(owner)
        for owner in self._blocked.pop(job.transfer.key, ()):
            self._wake(owner)
        self._begin()

    def _has_moved(self, job: Job, now: float) -> bool:
        """Has it made real progress within a turn? What it tells beyond its size is none."""
        progress = job.progress or Progress(0)
        size = job.transfer.size or progress.total or 0
        done = min(progress.done, size) if size else progress.done
        is_over = 0 < size <= done
        if done - job.counted >= LEAST_BYTES or (is_over and job.counted < done):
            job.counted, job.moved = done, now
        return now - job.moved < (UNPACK_SECONDS if is_over else TURN_SECONDS)


def _took_too_long(transfer: Transfer) -> TransferError:
    return TransferError(
        Reason.TIMEOUT, f"not finished within timeouts.total ({transfer.total_seconds:.0f} s)"
    )
