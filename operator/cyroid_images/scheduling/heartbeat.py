"""Liveness of the event loop: a task that notes when it last ran."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

BEAT_SECONDS = 1.0


class Heartbeat:
    """Of one event loop."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def age(self) -> float:
        """Seconds since the last beat."""
        return self._clock() - self._last

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            self._last = self._clock()
            await asyncio.sleep(BEAT_SECONDS)
