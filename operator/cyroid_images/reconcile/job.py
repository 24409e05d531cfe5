"""One move that is to be done, that runs, or that has ended; and all that run, found quickly."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.model.fault import Fault
from cyroid_images.model.progress import Observer, Progress
from cyroid_images.scheduling.cancel_scope import CancelScope as Cancellation
from cyroid_images.scheduling.cancel_scope import CancelScope as Canceller


@dataclass(frozen=True, slots=True)
class Move:
    """One blocking piece of work and what bounds it."""

    key: Hashable
    """What must not run twice at a time: (engine, name) or (registry, repository, tag)."""
    action: Any = field(compare=False)
    """The step of the plan that it carries out; it comes back with the outcome."""
    version: Hashable
    """Another version of the same key is other work: the old is cancelled first."""
    lanes: tuple[str, ...] = field(compare=False)
    """The limits it counts against, the narrowest first."""
    run: Callable[[Cancellation, Observer], Any] = field(compare=False)
    total_seconds: float = field(compare=False)

    @property
    def parts(self) -> tuple[Hashable, ...]:
        """What its key is made of."""
        return self.key if isinstance(self.key, tuple) else ()


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a move: its result, or the fault."""

    move: Move
    result: Any
    fault: Fault | None
    seconds: float


@dataclass(slots=True)
class Job:
    """A move on its way, and who wants it."""

    move: Move
    owners: set[Hashable]
    canceller: Canceller
    task: asyncio.Task[None] | None = None
    progress: Progress | None = None
    """None until it has left the queue of its lanes."""
    started: float = 0.0
    id: str = field(default_factory=lambda: secrets.token_hex(4))

    @property
    def has_moved(self) -> bool:
        """Has a first byte been seen?"""
        return self.progress is not None and self.progress.done > 0

    @property
    def rate(self) -> float:
        """Bytes per second since the start."""
        spent = time.monotonic() - self.started
        return self.progress.done / spent if self.progress and spent > 0 else 0.0


class Underway:
    """The jobs that wait or run, by key, by owner, by lane and by part of their keys.

    A pass asks for its own few among thousands.
    """

    def __init__(self) -> None:
        self._jobs: dict[Hashable, Job] = {}
        self._of: dict[Hashable, dict[Hashable, Job]] = {}
        self._lanes: Counter[str] = Counter()
        self._parts: Counter[Hashable] = Counter()

    def __iter__(self) -> Iterator[Job]:
        return iter(tuple(self._jobs.values()))

    def at(self, key: Hashable) -> Job | None:
        """The job with this key."""
        return self._jobs.get(key)

    def of(self, owner: Hashable) -> tuple[Job, ...]:
        """The jobs that this owner waits for."""
        return tuple(self._of.get(owner, {}).values())

    def in_lane(self, lane: str) -> int:
        """How many count against this limit."""
        return self._lanes[lane]

    def with_part(self, part: Hashable) -> int:
        """How many have a key with this part."""
        return self._parts[part]

    def add(self, job: Job) -> None:
        """A new one, with its owners."""
        self._jobs[job.move.key] = job
        self._lanes.update(job.move.lanes)
        self._parts.update(job.move.parts)
        for owner in job.owners:
            self._of.setdefault(owner, {})[job.move.key] = job

    def join(self, owner: Hashable, job: Job) -> None:
        """One more waits for it."""
        job.owners.add(owner)
        self._of.setdefault(owner, {})[job.move.key] = job

    def leave(self, owner: Hashable, job: Job) -> None:
        """One less."""
        job.owners.discard(owner)
        if mine := self._of.get(owner):
            mine.pop(job.move.key, None)
            if not mine:
                del self._of[owner]

    def end(self, job: Job) -> frozenset[Hashable]:
        """It is over; returns who waited for it to the end."""
        del self._jobs[job.move.key]
        _less(self._lanes, job.move.lanes)
        _less(self._parts, job.move.parts)
        waited = frozenset(job.owners)
        for owner in waited:
            self.leave(owner, job)
        return waited


def _less(counted: Counter[Any], ended: tuple[Any, ...]) -> None:
    for each in ended:
        counted[each] -= 1
        if not counted[each]:
            del counted[each]
