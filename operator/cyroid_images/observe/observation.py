"""What was seen of one place: the last view or the fault in its way, and when that was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from cyroid_images.model.fault import Fault

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Observation(Generic[V]):
    """The last result for a place. Moments are those of the event loop's clock, in seconds."""

    began: float
    """When the look began that gave this result."""
    ended: float
    view: V | None = None
    """What it showed; while a fault stands, what it showed before."""
    seen: datetime | None = None
    """When the look began that the view comes from (UTC); None: there was no view yet."""
    fault: Fault | None = None
    """Why the last look showed nothing; None while looks succeed."""
    faults: int = 0
    """Looks in a row that ended in a fault."""
    faulty_since: float | None = None
    """When the first look of those began."""

    def is_fresh(self, since: float) -> bool:
        """Did its look begin at this moment or later?"""
        return self.began >= since

    def faulty_for(self, now: float) -> float:
        """For how many seconds no look has succeeded; 0.0 while they do."""
        return 0.0 if self.faulty_since is None else max(0.0, now - self.faulty_since)
