"""For all tests: no deadline of hypothesis, and a line of JSON per test for the fault matrix."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("busy machine", deadline=None)
settings.load_profile("busy machine")  # how long an example takes is no property of it

MATRIX_FILE = "CYROID_MATRIX"
"""The variable with the path that lines are added to; absent: nobody wants them."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After each phase of a test with rows: its outcome and seconds."""
    report = yield
    rows = [str(row) for mark in item.iter_markers("row") for row in mark.args]
    path = os.environ.get(MATRIX_FILE)
    if rows and path:
        line = {"test": item.nodeid, "rows": rows, "outcome": report.outcome}
        with Path(path).open("a") as file:
            file.write(json.dumps({**line, "seconds": report.duration}) + "\n")
    return report
