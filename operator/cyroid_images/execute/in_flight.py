"""The transfers that wait or run, found by key, by owner and by part of their keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator

from cyroid_images.execute.transfer import Job


class InFlight:
    """A pass asks for its own few among thousands."""

    def __init__(self) -> None:
        self._jobs: dict[Hashable, Job] = {}
        self._of: dict[Hashable, dict[Hashable, Job]] = {}
        self._parts: Counter[Hashable] = Counter()
        self._limits: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Job]:
        return iter(tuple(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def at(self, key: Hashable) -> Job | None:
        """The job with this key."""
        return self._jobs.get(key)

    def of(self, owner: Hashable) -> tuple[Job, ...]:
        """The jobs that this owner waits for."""
        return tuple(self._of.get(owner, {}).values())

    def with_part(self, part: Hashable) -> int:
        """How many have a key with this part."""
        return self._parts[part]

    def against(self, limit: str) -> int:
        """How many count against this limit."""
        return self._limits[limit]

    def add(self, job: Job) -> None:
        """A new one, with its owners."""
        self._jobs[job.transfer.key] = job
        self._parts.update(job.transfer.parts)
        self._limits.update(job.transfer.limits)
        for owner in tuple(job.owners):
            self.join(owner, job)

    def join(self, owner: Hashable, job: Job) -> None:
        """One more waits for it."""
        job.owners.add(owner)
        self._of.setdefault(owner, {})[job.transfer.key] = job

    def leave(self, owner: Hashable, job: Job) -> None:
        """One less."""
        job.owners.discard(owner)
        if mine := self._of.get(owner):
            mine.pop(job.transfer.key, None)
            if not mine:
                del self._of[owner]

    def end(self, job: Job) -> frozenset[Hashable]:
        """It is over; returns who waited for it to the end."""
        del self._jobs[job.transfer.key]
        _less(self._parts, job.transfer.parts)
        _less(self._limits, job.transfer.limits)
        waited = frozenset(job.owners)
        for owner in waited:
            self.leave(owner, job)
        return waited


def _less(counted: Counter[Hashable] | Counter[str], ended: tuple[Hashable, ...]) -> None:
    held: Counter[Hashable] = counted  # type: ignore[assignment]  # both count hashables
    for each in ended:
        held[each] -= 1
        if not held[each]:
            del held[each]
