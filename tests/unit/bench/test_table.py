"""The table tells what was measured and whether it holds, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.rest import whole_passes
from tests.bench.table import Row, as_json, as_text, write_json
from tests.bench.traces import Call, Trace, engine_calls, registry_calls
from tests.bench.transfers import most_at_a_time

ROWS = (
    Row("pull-start [ms]", 812.4, bar=2000, bound="median of 10"),
    Row("parallel [s]", 3.0, theirs=6.0),
    Row("blob bytes", 1, bar=0, inclusive=True),
)


def test_the_table_says_which_bars_hold() -> None:
    lines = as_text(ROWS).splitlines()
    assert lines[0].split()[:6] == ["measure", "ours", "theirs", "ratio", "bar", "holds"]
    assert lines[1].split()[2:7] == ["812", "-", "-", "<", "2000"]
    assert "yes" in lines[1]
    assert lines[2].split() == ["parallel", "[s]", "3", "6", "0.50", "-", "-"]
    assert lines[3].split()[2:] == ["1", "-", "-", "<=", "0", "NO"]


def test_json_has_the_same_seven_keys_in_each_row(tmp_path: Path) -> None:
    write_json(ROWS, tmp_path / "rows.json")
    text = (tmp_path / "rows.json").read_text()
    assert text == as_json(ROWS)
    keys = {"measure", "ours", "theirs", "ratio", "bar", "bound", "holds"}
    assert [set(row) for row in json.loads(text)] == [keys] * 3
    assert [row["holds"] for row in json.loads(text)] == [True, None, False]
    assert [row["ratio"] for row in json.loads(text)] == [None, 0.5, None]


@pytest.mark.parametrize(
    ("ours", "inclusive", "holds"), [(1.0, True, True), (1.0, False, False), (0.9, False, True)]
)
def test_a_bar_that_is_just_met_holds_only_where_it_is_included(
    ours: float, inclusive: bool, holds: bool
) -> None:
    assert Row("x", ours, bar=1.0, inclusive=inclusive).holds is holds


def test_transfers_at_a_time_are_those_begun_and_not_ended() -> None:
    assert most_at_a_time([0, 1, 2, 5], [3, 4, 6, 7]) == 3
    assert most_at_a_time([0, 2], [1, 3]) == 1
    assert most_at_a_time([], []) == 0


def test_a_trace_begins_where_the_log_ended(tmp_path: Path) -> None:
    log = tmp_path / "dockerd.log"
    line = 'time="2026-11-23T22:57:27.652592207Z" level=debug msg="Calling GET {}" spanID=7\n'
    log.write_text(line.format("/v1.45/info"))
    trace = Trace(log)
    with log.open("a") as file:
        file.write(line.format("/v1.45/images/json?digests=1") + "level=info msg=other\n")
    (call,) = engine_calls(trace)
    assert (call.method, call.path) == ("GET", "/images/json?digests=1")
    assert call.time % 1 == pytest.approx(0.652592, abs=1e-5)


def test_the_registry_tells_the_bytes_of_its_answers(tmp_path: Path) -> None:
    log = tmp_path / "pull.log"
    trace = Trace(log)
    start = (
        '127.0.0.1 - - [23/Nov/2026:22:57:27 +0000] "{} /v2/a/blobs/sha256:1 HTTP/1.1" 200 77 ""'
    )
    log.write_text("\n".join([start.format("HEAD"), start.format("GET"), "level=warning"]))
    assert [(call.method, call.size) for call in registry_calls(trace)] == [
        ("HEAD", 0),
        ("GET", 77),
    ]


def test_passes_that_the_window_cuts_are_left_out() -> None:
    paths = ["/images/json?digests=1", "/info", "/images/json?digests=1", "/info"]
    calls = [Call("GET", path) for path in paths]
    assert whole_passes(calls) == calls[1:3]
    assert whole_passes(calls[:1]) == []
