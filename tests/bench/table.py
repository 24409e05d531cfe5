"""One row per measure, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.bench.contest import Samples


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, and what it is held against; None where there is nothing of the kind."""

    measure: str
    """What was measured, with its unit."""
    ours: float
    theirs: float | None = None
    """The same work done by hand, in the same run."""
    bar: float | None = None
    """The most that the ratio may be, or without `theirs` the most that `ours` may be;
    `inclusive` says whether the bar itself still holds."""
    bound: str = ""
    """How it was measured, how far the runs lay apart, and what bounds it."""
    inclusive: bool = True

    @property
    def ratio(self) -> float | None:
        """Ours against theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def holds(self) -> bool | None:
        """Whether the bar is kept; None without a bar."""
        if self.bar is None:
            return None
        judged = self.ours if self.ratio is None else self.ratio
        return judged <= self.bar if self.inclusive else judged < self.bar


@dataclass(frozen=True, slots=True)
class Allowance:
    """A bar against the manual way: so many times its time, and this many seconds more."""

    times: float
    plus: float = 0.0

    def bar(self, theirs: float) -> float:
        """As a ratio to what the manual way took in this run."""
        return self.times + self.plus / theirs

    def __str__(self) -> str:
        return f"{self.times:.2f}x" + (f" + {self.plus} s" if self.plus else "")


def compared(
    measure: str, ours: Samples, theirs: Samples, allowance: Allowance | None, what: str
) -> Row:
    """The row of two ways that were run in turn: medians, spreads, and the bar if there is one."""
    medians = (ours.median, theirs.median)
    bar = allowance.bar(theirs.median) if allowance else None
    runs = f"medians of {len(ours.values)} and {len(theirs.values)}: {ours} against {theirs}"
    asked = f"; bar {allowance}" if allowance and allowance.plus else ""
    return Row(measure, *medians, bar=bar, bound=f"{what}; {runs}{asked}")


def as_text(rows: Sequence[Row]) -> str:
    """The table, one line per row, with as wide columns as the widest cell needs."""
    head = ("measure", "ours", "theirs", "ratio", "bar", "holds", "bound")
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_json(rows: Sequence[Row]) -> str:
    """A list of objects with the keys measure, ours, theirs, ratio, bar, bound and holds."""
    wanted = []
    for row in rows:
        fields = {key: value for key, value in asdict(row).items() if key != "inclusive"}
        wanted.append({**fields, "ratio": row.ratio, "holds": row.holds})
    return json.dumps(wanted, indent=2) + "\n"


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Write the rows where a program finds them."""
    path.write_text(as_json(rows))


def _cells(row: Row) -> tuple[str, ...]:
    holds = {None: "-", True: "yes", False: "NO"}[row.holds]
    numbers = (_number(row.ours), _number(row.theirs), _number(row.ratio))
    return (row.measure, *numbers, _bar(row), holds, row.bound)


def _bar(row: Row) -> str:
    """With an `x` where it is a ratio."""
    if row.bar is None:
        return "-"
    sign, times = ("<=" if row.inclusive else "<"), ("x" if row.ratio is not None else "")
    return f"{sign} {_number(row.bar)}{times}"


def _number(value: float | None) -> str:
    """Three digits that mean something, without an exponent."""
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
