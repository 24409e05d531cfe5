"""What went wrong, as values: a fault that was seen, and a failure that will be tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cyroid_images.errors import Reason, TransferError

LONGEST_PAUSE = timedelta(minutes=15)
"""Longer than any pause of ours; only the other side may ask for more."""


class Route(StrEnum):
    """How one image goes, or went, into an engine."""

    REGISTRY = "Registry"
    TAR = "Tar"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something could not be seen or done; `retry_after` in seconds, if the other side said."""

    reason: Reason
    message: str
    retry_after: float | None = None

    @classmethod
    def of(cls, error: TransferError) -> Fault:
        return cls(error.reason, error.message, error.retry_after)


@dataclass(frozen=True, slots=True)
class Absence(Fault):
    """Everyone who could have it was asked, has answered, and does not have it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A transfer that failed: how often so far, and not before which moment (UTC) again."""

    fault: Fault
    attempts: int
    next_attempt: datetime

    @property
    def reason(self) -> Reason:
        return self.fault.reason

    def holds(self, now: datetime) -> bool:
        """Is it too early for the next attempt?

        A moment that is further away than any pause was made before the clock was put back.
        """
        longest = max(LONGEST_PAUSE, timedelta(seconds=1.5 * (self.fault.retry_after or 0.0)))
        return now < self.next_attempt <= now + longest
