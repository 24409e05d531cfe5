"""The time of day, as whoever decides or reports is given it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The time of day (UTC), for status; durations are measured by the event loop."""

    def now(self) -> datetime: ...

    def spread(self) -> float:
        """A number from -1 to 1 that keeps retries of many objects apart."""
        ...
