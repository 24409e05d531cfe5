"""How the ends of the tests' processes are counted, and what a person reads of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.mutants.__main__ import Mutant, report, score
from tests.mutants.changes import changes
from tests.mutants.trial import Verdict, verdict

ENDS = {
    "all-tests-passed": (0, Verdict.SURVIVED),
    "a-test-failed": (1 << 8, Verdict.KILLED),
    "it-cannot-be-imported": (2 << 8, Verdict.KILLED),
    "it-crashed": (int(signal.SIGSEGV), Verdict.KILLED),
    "its-processor-time-is-over": (int(signal.SIGPROF), Verdict.TIMEOUT),
    "it-hangs": (int(signal.SIGALRM), Verdict.TIMEOUT),
}


@pytest.mark.parametrize(("status", "expected"), ENDS.values(), ids=ENDS)
def test_the_end_of_a_process_is_a_verdict(status: int, expected: Verdict) -> None:
    assert verdict(status) is expected


@pytest.mark.parametrize("code", [4, 5], ids=["usage-error", "no-test-ran"])
def test_a_run_that_asked_no_test_is_no_verdict(code: int) -> None:
    with pytest.raises(RuntimeError, match="no mutant can be judged so"):
        verdict(code << 8)


def _mutants() -> list[Mutant]:
    text = b"LIMIT = 3\n\ndef f(x):\n    return x < LIMIT\n"
    path = Path("operator/cyroid_images/plan/a.py")
    return [Mutant(path, "cyroid_images.plan.a", change) for change in changes(text)]


def test_a_mutant_that_hangs_the_tests_was_noticed_as_well() -> None:
    killed, hung = _mutants()
    assert score({killed: Verdict.KILLED, hung: Verdict.TIMEOUT}) == 1.0
    assert score({killed: Verdict.SURVIVED, hung: Verdict.TIMEOUT}) == 0.5
    assert score({}) == 0.0


def test_survivors_are_told_by_file_line_and_what_was_written_instead() -> None:
    killed, survived = _mutants()
    text = report({killed: Verdict.KILLED, survived: Verdict.SURVIVED}, of=5)
    assert "operator/cyroid_images/plan/a.py:4: x < LIMIT -> (x <= LIMIT)" in text
    assert "plan/a.py:1" not in text
    assert "1 of 2 noticed, 50.0% (at least 90%); 3 of 5 not tried for lack of time" in text
