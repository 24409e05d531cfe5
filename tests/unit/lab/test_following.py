"""A long command is followed line by line, and shows its last lines when it fails."""

from __future__ import annotations

import pytest

from tests.lab.errors import LabError
from tests.lab.shell import TAIL, follow


def test_each_line_is_told_of_both_outputs() -> None:
    said: list[str] = []
    follow(["sh", "-c", "echo one; echo two >&2"], said.append)
    assert said == ["one\n", "two\n"]


def test_a_failure_has_the_code_and_the_last_lines() -> None:
    lines = TAIL + 5
    with pytest.raises(LabError) as caught:
        follow(["sh", "-c", f"seq {lines}; exit 3"], lambda _: None)
    said = str(caught.value).splitlines()
    assert said[0].endswith("ended with 3")
    assert said[1:] == [str(number) for number in range(6, lines + 1)]


def test_a_program_that_is_absent_is_named() -> None:
    with pytest.raises(LabError, match="no-such-program is not there"):
        follow(["no-such-program"], lambda _: None)


def test_what_takes_longer_than_it_may_is_ended() -> None:
    with pytest.raises(LabError, match="took longer than 0 s"):
        follow(["sleep", "600"], lambda _: None, timeout=0.01)


def test_an_error_of_the_listener_ends_the_program() -> None:
    def says(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="one"):
        follow(["sh", "-c", "echo one; exec sleep 600"], says)
