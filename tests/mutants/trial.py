"""One run of the tests in a process of its own: with every test's lines noted, or with a mutant.

Whoever calls has imported the big packages, and forks: the child imports only ours anew, so no
value that was made with the unchanged text is left in a test module.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import Any

import hypothesis
import pytest

from tests.mutants.scope import OF_CONSTANTS

_MEMORY = 4 << 30  # bytes of address space: a list that grows for ever fails a test, no more
_NO_PROCESSOR = 10  # as many seconds may pass as this times the seconds of processor
_PLUGINS = ("-p", "_hypothesis_pytestplugin", "-p", "pytest_timeout", "-p", "no:cacheprovider")
_OPTIONS = ("-q", "-x", "-o", "timeout=0", "--hypothesis-profile=mutants")
_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # of what the parent has imported


class Verdict(Enum):
    """What the tests said of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timed out"


@dataclass(slots=True)
class Notes:
    """What a run without any mutant showed: for each test the seconds, and the lines it ran."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """File -> test -> lines. The test "" is the import of all modules."""

    def tests_of(self, path: Path, lines: range, *, is_in_function: bool) -> list[str]:
        """The tests that may notice a change of these lines, the quick ones first."""
        by_test = self.lines.get(str(path), {})
        runs = {test for test, seen in by_test.items() if not set(lines).isdisjoint(seen)}
        if "" in runs or not is_in_function:  # a constant: whoever runs this module, else all
            runs |= set(by_test) - {""} or set(self.seconds)
            runs |= {test for test in self.seconds if test.startswith(OF_CONSTANTS)}
        return sorted(runs - {""}, key=lambda test: (self.seconds[test], test))


class Tracer:
    """A plugin of pytest that notes for each test which lines of the chosen files it runs."""

    def __init__(self, files: Sequence[Path]) -> None:
        self.notes = Notes(lines={str(path): {} for path in files})
        self._test = ""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        self._test, started = item.nodeid, time.perf_counter()
        try:
            sys.settrace(self.trace)  # hypothesis may have taken it away
            return (yield)
        finally:
            self._test = ""
            self.notes.seconds[item.nodeid] = time.perf_counter() - started

    def trace(self, frame: FrameType, _event: str, _arg: object) -> Callable[..., Any] | None:
        """As `sys.settrace` wants it."""
        by_test = self.notes.lines.get(frame.f_code.co_filename)
        if by_test is None:
            return None
        seen = by_test.setdefault(self._test, [])

        def line(frame: FrameType, event: str, _arg: object) -> Callable[..., Any]:
            if event == "line" and frame.f_lineno not in seen:
                seen.append(frame.f_lineno)
            return line

        return line


class _Chosen:
    """A plugin of pytest that runs these tests in this order and no others."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._ranks = {test: rank for rank, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._ranks]
        items.sort(key=lambda item: self._ranks[item.nodeid])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int) -> None:
        os._exit(exitstatus)  # all is said; to clear up would take as long as to try


class _Changed(importlib.machinery.SourceFileLoader):
    """Imports one module from a changed text; also the finder of just that module."""

    def __init__(self, name: str, path: Path, text: bytes) -> None:
        super().__init__(name, str(path))
        self._text = text

    def find_spec(
        self, name: str, _path: object = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - as the loaders have it
        return compile(self._text, self.path, "exec")  # never from a compiled file


def noted(tests: Sequence[str], files: Sequence[Path], folder: Path) -> Notes:
    """Run the tests without any mutant. Raises RuntimeError with their output if one fails."""
    result, output = folder / "notes.json", folder / "output"

    def run() -> int:
        tracer = Tracer(files)
        sys.settrace(tracer.trace)
        code = _pytest(tests, tracer)
        sys.settrace(None)
        notes = {"seconds": tracer.notes.seconds, "lines": tracer.notes.lines}
        result.write_text(json.dumps(notes))
        return code

    _, status = os.waitpid(forked(run, output), 0)
    if status != 0:
        raise RuntimeError(output.read_text(errors="replace"))
    return Notes(**json.loads(result.read_text()))


def start(name: str, path: Path, text: bytes, tests: Sequence[str], seconds: float) -> int:
    """The process that runs these tests with this text as that module."""

    def run() -> int:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        # By the processor's clock, so that a busy machine kills no mutant.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * _NO_PROCESSOR)
        sys.meta_path.insert(0, _Changed(name, path, text))
        files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        return _pytest(files, _Chosen(tests))

    return forked(run, Path(os.devnull))


def verdict(status: int) -> Verdict:
    """What the end of such a process means. Raises RuntimeError if it ran no test."""
    if os.WIFSIGNALED(status):
        signals = (signal.SIGPROF, signal.SIGALRM)
        return Verdict.TIMEOUT if os.WTERMSIG(status) in signals else Verdict.KILLED
    match os.waitstatus_to_exitcode(status):
        case pytest.ExitCode.OK:
            return Verdict.SURVIVED
        case pytest.ExitCode.USAGE_ERROR | pytest.ExitCode.NO_TESTS_COLLECTED as code:
            raise RuntimeError(f"pytest ended with {code!r}: no mutant can be judged so")
        case _:  # also a module that cannot be imported any more
            return Verdict.KILLED


def forked(run: Callable[[], int], output: Path) -> int:
    """A child that does this with its output in a file; it ends with the code that it gives."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, 1)
        os.dup2(file, 2)
        code = run()
        sys.stdout.flush()
    finally:
        os._exit(code)


def _pytest(arguments: Sequence[str], plugin: object) -> int:
    """Few examples, always the same ones, none kept: a failure need not be made small."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # others cost a second for each mutant
    hypothesis.settings.register_profile(
        "mutants",
        max_examples=30,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    return int(pytest.main([*_PLUGINS, *_OPTIONS, *_QUIET, *arguments], plugins=[plugin]))
