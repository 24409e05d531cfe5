"""Engines in which names could not be dropped: left alone for a while, with growing pauses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from cyroid_images.execute.transfer import Transfer
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.plan import backoff

MOST_ENGINES = 1024
"""Of one object that are remembered; the oldest are forgotten."""


class Untidy:
    """Of one object; without it an engine that refuses would be asked at each pass."""

    def __init__(self) -> None:
        self._failures: dict[EngineEndpoint, Failure] = {}

    def ended(
        self, endpoint: EngineEndpoint, fault: Fault | None, now: datetime, spread: float
    ) -> None:
        """What came of dropping names there."""
        before = self._failures.pop(endpoint, None)
        if fault is not None:
            self._failures[endpoint] = backoff.failed(before, fault, now, spread=spread)
        while len(self._failures) > MOST_ENGINES:
            del self._failures[next(iter(self._failures))]

    def due(self, wanted: Iterable[Transfer], now: datetime) -> list[Transfer]:
        """Of the transfers that drop names, those that may begin; the others wait."""
        return [
            each
            for each in wanted
            if (failure := self._failures.get(each.action.endpoint)) is None
            or not failure.holds(now)
        ]
