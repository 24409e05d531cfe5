"""Everything that is checked, stage by stage, with a summary: `python -m tests.run [STAGE ...]`.

Stages are processes of their own, because component tests move into a network namespace
that the lab of the end-to-end tests could not be reached from.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import MATRIX_FILE
from tests.matrix import PROMISES, ROWS

PYTEST = (sys.executable, "-m", "pytest", "-q")
WORKERS = min(os.cpu_count() or 1, 4)
"""Processes for tests; of component tests each has an API server and engines: about 1 GB."""
BESIDE = ("-n", f"{WORKERS}", "--dist", "loadfile", "--no-loadscope-reorder")
"""A file at a time on each core, since the tests of a file share parts; long ones begin."""
FETCH = (sys.executable, "-m", "tests.parts.fetch")
"""What takes minutes on a fresh machine is made here, where it can be told of."""
SHIPPED = (sys.executable, "-m", "tests.lab.shipped")
"""The Python that the operator's image ships, with these arguments."""
ABOUT_THE_TREE = tuple(sorted(map(str, Path("tests").glob("test_*.py"))))
"""Layers, names, generated files, what the documents say: every file beside this one."""
STAGES: dict[str, tuple[tuple[str, ...], ...]] = {
    "check": (
        (sys.executable, "-m", "ruff", "check", "."),
        (sys.executable, "-m", "ruff", "format", "--check", "."),
        (sys.executable, "-m", "mypy"),
    ),
    "unit": (
        (*FETCH, "helm"),
        (*PYTEST, *BESIDE, "tests/unit"),
        (*PYTEST, *ABOUT_THE_TREE, "tests/chart"),
    ),
    "unit-shipped": ((*SHIPPED, *PYTEST[1:], *BESIDE, "tests/unit", "tests/test_layers.py"),),
    "component": (
        (*FETCH,),
        (*PYTEST, *BESIDE, "tests/component"),
    ),
    "soak": ((*PYTEST, "tests/soak"),),
    "lab": (
        (*FETCH, "lab"),
        (*PYTEST, "tests/lab"),
    ),
    "e2e": (
        (*FETCH, "lab"),
        (*PYTEST, "tests/e2e"),
    ),
}
ASKED_FOR = frozenset({"soak"})
"""Eight minutes of one core: `make soak`. Its short form is among the units."""
_COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped)")


@dataclass(slots=True)
class Result:
    """What one stage came to."""

    stage: str
    is_good: bool
    seconds: float
    counts: dict[str, int]

    def line(self) -> str:
        counts = ", ".join(f"{number} {word}" for word, number in sorted(self.counts.items()))
        verdict = "passed" if self.is_good else "FAILED"
        return f"  {self.stage:<13} {verdict}  {self.seconds:6.1f} s  {counts}"


def main() -> int:
    """Run the stages that are named, or all; 0 only when every one of them passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.run", description=__doc__)
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(STAGES)}")
    chosen = parser.parse_args().stages or [name for name in STAGES if name not in ASKED_FOR]
    if unknown := set(chosen) - set(STAGES):
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="cyroid-run-") as folder:
        told = Path(folder) / "rows"
        told.touch()
        os.environ[MATRIX_FILE] = str(told)
        results = [_stage(name) for name in chosen]
        print(matrix([json.loads(line) for line in told.read_text().splitlines()]))
    print("\nstage          result      time  counts")
    for result in results:
        print(result.line())
    total = {"passed": 0, "failed": 0, "skipped": 0}
    for result in results:
        for word, number in result.counts.items():
            total["failed" if word.startswith("error") else word] += number
    bad = sum(not result.is_good for result in results)
    print(f"{total['passed']} passed, {total['failed'] or bad} failed, {total['skipped']} skipped")
    return 1 if bad else 0


def matrix(told: list[dict[str, Any]]) -> str:
    """The rows of the fault matrix that were tried, with result and seconds."""
    lines = ["\nrow   result   seconds  tests  what breaks, or what is promised"]
    for row, text in {**ROWS, **PROMISES}.items():
        mine = [each for each in told if row in each["rows"]]
        if not mine:
            continue
        tests = len({each["test"] for each in mine})
        seconds = sum(each["seconds"] for each in mine)
        outcomes = {each["outcome"] for each in mine}
        verdict = next(word for word in ("failed", "skipped", "passed") if word in outcomes)
        lines.append(f"{row:<5} {verdict:<8} {seconds:7.1f}  {tests:5}  {text}")
    return "\n".join(lines)


def _stage(name: str) -> Result:
    """Run the commands of one stage, all of them even if the first one fails."""
    print(f"== {name}", flush=True)
    started, is_good, counts = time.monotonic(), True, dict[str, int]()
    for command in STAGES[name]:
        print("$", " ".join(("python", *command[1:])), flush=True)
        last = ""
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                last = line if line.strip() else last
        is_good = is_good and process.returncode == 0
        if "pytest" in command:
            for number, word in _COUNTS.findall(last):
                counts[word] = counts.get(word, 0) + int(number)
    return Result(name, is_good, time.monotonic() - started, counts)


if __name__ == "__main__":
    sys.exit(main())
