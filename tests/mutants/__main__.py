"""`make mutants`: tries changes in a seeded order until all were tried or the time is over."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Imported before the first fork, so that no mutant pays for it.
import hypothesis.internal.conjecture.engine
import hypothesis.strategies  # noqa: F401
import pydantic.main  # noqa: F401

from tests.mutants import scope, trial
from tests.mutants.changes import Change, changes
from tests.mutants.trial import Notes, Verdict

PROJECT = Path(__file__).parents[2]
MUST_KILL = 0.90
MINUTES = 25.0
_WORKERS = os.cpu_count() or 1
_PATIENCE = (10.0, 5.0)  # seconds, and times what the tests took without a mutant
_TELL = 30.0  # seconds between two lines about how far it is
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "component", "e2e")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module."""

    path: Path
    module: str
    change: Change

    def line(self) -> str:
        """As an editor can open it."""
        change = self.change
        return f"{self.path}:{change.line}: {change.old} -> {change.new}"


def main() -> int:
    """0 if enough were killed, 1 if not, 2 if the tests fail without any mutant."""
    asked = _parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="cyroid-mutants-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(PROJECT, copy, ignore=_LEFT_OUT, symlinks=True)
        os.chdir(copy)
        os.environ["TMPDIR"] = folder
        sys.dont_write_bytecode = False  # what is compiled for one mutant serves the next
        # Ours first: an editable install of the checkout comes later on the path.
        sys.path[:0] = [str(copy / scope.SOURCE_ROOT), str(copy)]
        for name in [name for name in sys.modules if name.split(".")[0] == scope.PACKAGE]:
            del sys.modules[name]
        return _run(copy, Path(folder), asked)


def _run(copy: Path, folder: Path, asked: argparse.Namespace) -> int:
    files = list(scope.modules(copy, asked.only))
    mutants = [
        Mutant(path.relative_to(copy), _module(path.relative_to(copy)), change)
        for path in files
        for change in changes(path.read_bytes())
    ]
    random.Random(asked.seed).shuffle(mutants)  # noqa: S311 - a sample, no secret
    print(f"{len(mutants)} mutants of {len(files)} modules; seed {asked.seed}", flush=True)
    started = time.monotonic()
    try:
        notes = trial.noted(scope.tests(copy), files, folder)
    except RuntimeError as exc:
        print(f"the tests fail without any mutant:\n{exc}")
        return 2
    seconds = time.monotonic() - started
    print(f"{len(notes.seconds)} tests pass without any, with their lines noted: {seconds:.0f} s")
    verdicts = dict(_tried(copy, mutants, notes, time.monotonic() + asked.minutes * 60))
    print(report(verdicts, len(mutants)))
    print(f"{time.monotonic() - started:.0f} s")
    return 0 if score(verdicts) >= MUST_KILL else 1


def _tried(
    copy: Path, mutants: list[Mutant], notes: Notes, deadline: float
) -> Iterator[tuple[Mutant, Verdict]]:
    """The verdicts as they come; as many mutants at a time as there are processors."""
    running: dict[int, Mutant] = {}
    waiting, done, told = list(reversed(mutants)), 0, time.monotonic()
    while running or (waiting and time.monotonic() < deadline):
        while waiting and len(running) < _WORKERS and time.monotonic() < deadline:
            mutant = waiting.pop()
            child = _begun(copy, mutant, notes)
            if child is None:
                yield mutant, Verdict.SURVIVED
            else:
                running[child] = mutant
        if running:
            child, status = os.wait()
            yield running.pop(child), trial.verdict(status)
        done = len(mutants) - len(waiting) - len(running)
        if time.monotonic() > told + _TELL:
            told = time.monotonic()
            print(f"  {done} of {len(mutants)} tried", flush=True)


def _begun(copy: Path, mutant: Mutant, notes: Notes) -> int | None:
    """The process that tries the mutant; None if no test runs its line."""
    path, change = copy / mutant.path, mutant.change
    tests = notes.tests_of(path, change.lines, is_in_function=change.is_in_function)
    if not tests:
        return None
    least, times = _PATIENCE
    seconds = least + times * sum(notes.seconds[test] for test in tests)
    return trial.start(mutant.module, path, change.applied(path.read_bytes()), tests, seconds)


def _module(path: Path) -> str:
    parts = path.with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def score(verdicts: dict[Mutant, Verdict]) -> float:
    """The share that the tests noticed: a test that never ends is noticed too."""
    noticed = sum(verdict is not Verdict.SURVIVED for verdict in verdicts.values())
    return noticed / len(verdicts) if verdicts else 0.0


def report(verdicts: dict[Mutant, Verdict], of: int) -> str:
    """The table by module, the survivors, the score."""
    counts: dict[Path, Counter[Verdict]] = {}
    for mutant, verdict in verdicts.items():
        counts.setdefault(mutant.path, Counter())[verdict] += 1
    lines = ["", "killed  survived  timed out  module"]
    for path, count in sorted(counts.items()):
        killed, survived, timeout = (count[verdict] for verdict in Verdict)
        lines.append(f"{killed:6}  {survived:8}  {timeout:9}  {path}")
    survivors = [mutant for mutant, verdict in verdicts.items() if verdict is Verdict.SURVIVED]
    survivors.sort(key=lambda mutant: (mutant.path, mutant.change.start))
    lines += ["", "survivors:", *(mutant.line() for mutant in survivors or ())] if survivors else []
    noticed = len(verdicts) - len(survivors)
    lines.append("")
    lines.append(
        f"{noticed} of {len(verdicts)} noticed, {score(verdicts):.1%} (at least {MUST_KILL:.0%}); "
        f"{of - len(verdicts)} of {of} not tried for lack of time"
    )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the order in which they are tried")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="no new one after these")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="modules, as plan/*.py")
    return parser


if __name__ == "__main__":
    sys.exit(main())
