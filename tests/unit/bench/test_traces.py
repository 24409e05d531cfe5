"""What the logs of real parts say about calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.rest import whole_passes
from tests.bench.traces import Call, Trace, engine_calls, registry_calls


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
