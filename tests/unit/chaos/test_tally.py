"""What is counted is told, and a broken invariant both raises and stays in the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chaos.faults import Kind
from tests.chaos.tally import Broken, Invariant, Tally


def test_a_table_tells_what_held_how_often_and_what_happened() -> None:
    tally = Tally()
    tally.hold(Invariant.P1, [], 3)
    tally.happened(Kind.TAG_MOVED)
    lines = tally.as_text().splitlines()
    assert next(line for line in lines if line.startswith("P1 ")).split()[1:3] == ["yes", "3"]
    assert next(line for line in lines if line.startswith("P6 ")).split()[1:3] == ["-", "0"]
    assert f"{1:>8}  tag moved at the source" in lines


def test_a_broken_invariant_ends_the_run_and_says_no_in_the_table(tmp_path: Path) -> None:
    tally = Tally()
    with pytest.raises(Broken, match="tool-1 is not there"):
        tally.hold(Invariant.P1, ["tool-1 is not there"])
    tally.write_json(tmp_path / "rows.json")
    rows = json.loads((tmp_path / "rows.json").read_text())
    found = {row["name"]: row["holds"] for row in rows}
    assert found["P1"] is False
    assert found["P2"] is True
    assert " NO " in tally.as_text()
