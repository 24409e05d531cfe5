"""What went wrong, as values: a fault that was seen, and a failure that will be tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cyroid_images.errors import Reason, TransferError


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
class Failure:
    """A transfer that failed: how often so far, and not before which moment (UTC) again."""

    fault: Fault
    attempts: int
    next_attempt: datetime

    @property
    def reason(self) -> Reason:
        return self.fault.reason
