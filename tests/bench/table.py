"""One row per measure, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """A figure, and what it is held against; None where there is nothing of the kind."""

    measure: str
    """What was measured, with its unit."""
    ours: float
    theirs: float | None = None
    """The same work done by somebody else's tool."""
    bar: float | None = None
    """The most that `ours` may be; `inclusive` says whether the bar itself still holds."""
    bound: str = ""
    """How it was measured, and how far the runs lay apart."""
    inclusive: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours against theirs."""
        return self.ours / self.theirs if self.theirs else None

    @property
    def holds(self) -> bool | None:
        """Whether the bar is kept; None without a bar."""
        if self.bar is None:
            return None
        return self.ours <= self.bar if self.inclusive else self.ours < self.bar


def as_text(rows: Sequence[Row]) -> str:
    """The table, one line per row, with as wide columns as the widest cell needs."""
    head = ("measure", "ours", "theirs", "ratio", "bar", "holds", "what it is")
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
    sign = "<= " if row.inclusive else "< "
    bar = "-" if row.bar is None else sign + _number(row.bar)
    holds = {None: "-", True: "yes", False: "NO"}[row.holds]
    numbers = (_number(row.ours), _number(row.theirs), _number(row.ratio))
    return (row.measure, *numbers, bar, holds, row.bound)


def _number(value: float | None) -> str:
    """Three digits that mean something, without an exponent."""
    if value is None:
        return "-"
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
