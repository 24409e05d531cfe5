"""The table tells what was measured and whether it holds, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.contest import Samples
from tests.bench.table import Allowance, Row, as_json, as_text, compared, write_json

ROWS = (
    Row("pull-start [ms]", 812.4, bar=2000, bound="median of 10", inclusive=False),
    Row("parallel [s]", 3.0, theirs=6.0),
    Row("blob bytes", 1, bar=0),
    Row("push [s]", 10.0, theirs=20.0, bar=0.65),
)


def test_the_table_says_which_bars_hold() -> None:
    lines = as_text(ROWS).splitlines()
    assert lines[0].split()[:6] == ["measure", "ours", "theirs", "ratio", "bar", "holds"]
    assert lines[1].split()[2:7] == ["812", "-", "-", "<", "2000"]
    assert "yes" in lines[1]
    assert lines[2].split() == ["parallel", "[s]", "3", "6", "0.50", "-", "-"]
    assert lines[3].split()[2:] == ["1", "-", "-", "<=", "0", "NO"]
    assert lines[4].split()[2:] == ["10", "20", "0.50", "<=", "0.65x", "yes"]


def test_json_has_the_same_seven_keys_in_each_row(tmp_path: Path) -> None:
    write_json(ROWS, tmp_path / "rows.json")
    text = (tmp_path / "rows.json").read_text()
    assert text == as_json(ROWS)
    keys = {"measure", "ours", "theirs", "ratio", "bar", "bound", "holds"}
    assert [set(row) for row in json.loads(text)] == [keys] * 4
    assert [row["holds"] for row in json.loads(text)] == [True, None, False, True]
    assert [row["ratio"] for row in json.loads(text)] == [None, 0.5, None, 0.5]


@pytest.mark.parametrize(
    ("ours", "inclusive", "holds"), [(1.0, True, True), (1.0, False, False), (0.9, False, True)]
)
def test_a_bar_that_is_just_met_holds_only_where_it_is_included(
    ours: float, inclusive: bool, holds: bool
) -> None:
    assert Row("x", ours, bar=1.0, inclusive=inclusive).holds is holds


def test_a_bar_beside_a_manual_way_is_one_of_the_ratio() -> None:
    assert Row("x", ours=30.0, theirs=20.0, bar=1.5).holds
    assert not Row("x", ours=31.0, theirs=20.0, bar=1.5).holds


@pytest.mark.parametrize(("theirs", "bar"), [(1.0, 1.65), (10.0, 1.20)])
def test_some_seconds_more_weigh_less_the_longer_the_manual_way_takes(
    theirs: float, bar: float
) -> None:
    assert Allowance(1.15, plus=0.5).bar(theirs) == pytest.approx(bar)


def test_a_row_of_two_ways_has_their_medians_and_spreads() -> None:
    ours, theirs = Samples((1.0, 9.0, 2.0)), Samples((4.0, 3.0, 200.0))
    row = compared("push [s]", ours, theirs, Allowance(0.65, plus=1.0), "cold")
    assert (row.ours, row.theirs, row.ratio, row.bar) == (2.0, 4.0, 0.5, 0.9)
    assert row.holds
    assert row.bound == ("cold; medians of 3 and 3: 1.00-9.00 against 3.00-200; bar 0.65x + 1.0 s")


def test_a_row_of_two_ways_may_have_no_bar() -> None:
    row = compared("push [s]", Samples((1.0,)), Samples((2.0,)), None, "cold")
    assert row.bar is None
    assert row.holds is None
