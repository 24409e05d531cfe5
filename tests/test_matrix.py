"""Every row of the fault matrix and every promise is carried by a test, or says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.matrix import NOT_HERE, PROMISES, ROWS, promise_table, proofs
from tests.run import matrix

ROOT = Path(__file__).parents[1]
FOUND = proofs(ROOT / "tests")


@pytest.mark.parametrize("row", [*ROWS, *PROMISES])
def test_each_row_has_a_test_or_says_why_not(row: str) -> None:
    assert FOUND.get(row) or NOT_HERE.get(row), f"no test is marked with row {row!r}"


def test_no_test_names_a_row_that_does_not_exist() -> None:
    assert FOUND.keys() <= {*ROWS, *PROMISES}


def test_what_is_not_provoked_here_is_not_claimed_either() -> None:
    assert not FOUND.keys() & NOT_HERE.keys()


def test_the_readme_names_the_proof_of_each_promise() -> None:
    readme = (ROOT / "README.md").read_text()
    told = readme.partition("<!-- promises -->")[2].partition("<!-- end of promises -->")[0]
    assert told.strip() == promise_table(ROOT / "tests")


def test_one_failed_test_fails_its_row() -> None:
    good = {"test": "a", "rows": ["R1"], "outcome": "passed", "seconds": 1.0}
    bad = {"test": "b", "rows": ["R1", "R2"], "outcome": "failed", "seconds": 2.0}
    lines = matrix([good, bad]).splitlines()
    told = {line.split()[0]: line.split()[1:4] for line in lines if line[:1] == "R"}
    assert told == {"R1": ["failed", "3.0", "2"], "R2": ["failed", "2.0", "1"]}
