"""What was checked how often, and what went wrong how often: counts, a table, JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from tests.chaos.faults import Kind


class Invariant(StrEnum):
    """What must hold; the ids of tests/matrix.py where there is one."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"
    P5 = "P5"
    P6 = "P6"
    P7 = "P7"
    P8 = "P8"
    STATUS = "status"
    LOG = "log"


TEXTS = {
    Invariant.P1: "Ready=True after a pass that was asked for: each image, by content, in each"
    " engine",
    Invariant.P2: "a further pass moves no layer, saves and loads nothing",
    Invariant.P3: "after the last fault everything becomes Ready and tidy, nobody helps",
    Invariant.P4: "a wanted name stands for a whole image of its source, and can be run",
    Invariant.P5: "one name has one content in every engine, by whatever route it came",
    Invariant.P6: "images that nobody lists are still there",
    Invariant.P7: "what is there stays Ready, without a warning, while both registries are away,"
    " the source has pruned it and the operator restarts",
    Invariant.P8: "while others hang and lie, a range that uses nothing of theirs becomes Ready",
    Invariant.STATUS: "each status that is read keeps every rule",
    Invariant.LOG: "the log of the operator holds no defect and no password",
}


class Broken(AssertionError):
    """An invariant does not hold."""

    def __init__(self, invariant: Invariant, message: str) -> None:
        super().__init__(f"{invariant}: {message}")
        self.invariant = invariant


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: an invariant, or a kind of fault."""

    name: str
    text: str
    count: int
    """How often it was checked, or happened."""
    holds: bool | None
    """None for a kind of fault."""


class Tally:
    """Counts while it goes on."""

    def __init__(self) -> None:
        self._checked: Counter[Invariant] = Counter()
        self._faults: Counter[Kind] = Counter()
        self._broken: set[Invariant] = set()
        self.quiet_seconds: list[float] = []
        """From each end of the faults to the same end as ever."""

    def hold(self, invariant: Invariant, differences: list[str], times: int = 1) -> None:
        """Count a check; raises Broken where there are differences."""
        self._checked[invariant] += times
        if differences:
            self._broken.add(invariant)
            raise Broken(invariant, "\n- ".join(["does not hold:", *differences]))

    def happened(self, kind: Kind) -> None:
        """Count a fault."""
        self._faults[kind] += 1

    def checked(self, invariant: Invariant) -> int:
        """How often it was checked."""
        return self._checked[invariant]

    def rows(self) -> list[Row]:
        """Invariants in their order, then the faults that happened."""
        invariants = [
            Row(each, TEXTS[each], self._checked[each], each not in self._broken)
            for each in Invariant
        ]
        return invariants + [
            Row("fault", kind, self._faults[kind], None) for kind in Kind if self._faults[kind]
        ]

    def as_text(self) -> str:
        """The table for people."""
        lines = ["invariant  holds  checked  what is promised"]
        lines += [
            f"{row.name:<10} {_word(row):<5} {row.count:>8}  {row.text}"
            for row in self.rows()
            if row.holds is not None
        ]
        lines += ["", "   times  fault"]
        lines += [f"{row.count:>8}  {row.text}" for row in self.rows() if row.holds is None]
        lines.append(f"{self._faults.total():>8}  in all")
        if self.quiet_seconds:
            worst, number = max(self.quiet_seconds), len(self.quiet_seconds)
            usual = sorted(self.quiet_seconds)[number // 2]
            lines.append(
                f"\nall well again {number} times: after {usual:.1f} s in the median,"
                f" {worst:.1f} s at worst"
            )
        return "\n".join(lines)

    def write_json(self, path: Path) -> None:
        """The rows for programs."""
        path.write_text(json.dumps([asdict(row) for row in self.rows()], indent=1) + "\n")


def _word(row: Row) -> str:
    if not row.count:
        return "-"
    return "yes" if row.holds else "NO"
