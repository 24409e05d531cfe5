"""The port Clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime


class SystemClock:
    """The port Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def spread(self) -> float:
        return random.uniform(-1, 1)  # noqa: S311 - keeps retries apart, guards nothing
