"""Several ways to do one thing, run in turn, so that none finds a better machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.lab.progress import Progress

RUNS = 3
"""The fewest that have a median and a spread."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The figures of one way, one per run."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    def __str__(self) -> str:
        """How far they lie apart, such as `9.1-9.8`."""
        return f"{_short(min(self.values))}-{_short(max(self.values))}"


def contest(
    ways: Mapping[str, Callable[[], float]],
    tell: Progress,
    *,
    runs: int = RUNS,
    settle: Callable[[], object] = os.sync,
) -> dict[str, Samples]:
    """Run each way once per round; every other round in the reverse order.

    `settle` comes before each run: what the one before left to be written is its own work.
    """
    found: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(runs):
        for name in order(tuple(ways), number):
            settle()
            found[name].append(ways[name]())
            tell(f"  {number + 1}/{runs} {name}: {found[name][-1]:.2f}")
    return {name: Samples(tuple(values)) for name, values in found.items()}


def order(names: Sequence[str], number: int) -> Sequence[str]:
    """Who goes first changes from round to round."""
    return names if number % 2 == 0 else names[::-1]


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
