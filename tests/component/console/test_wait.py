"""`kubectl cyroid wait`: its exit codes, and what it shows meanwhile."""

from __future__ import annotations

import pytest

from tests.component.console.conftest import MERGE, Town, condition, status

pytestmark = pytest.mark.slow

STALLED = condition("Stalled", "True", "ImageNotFound", "no source has it")


def test_it_ends_with_0_when_all_are_ready(town: Town) -> None:
    town.ranges("a", status(2, 2))
    town.ranges("b", status(1, 2))
    with town.console.begun("wait", "-n", town.name) as begun:
        begun.until("b  no")
        town.tell("b", status(2, 2))
        assert begun.end() == 0
    assert begun.text.splitlines()[-1] == "2 of 2 ready"


def test_it_waits_for_a_pass_that_has_seen_the_newest_spec(town: Town) -> None:
    town.ranges("a", status(2, 2))
    town.api.call("PATCH", town.path("a"), {"spec": {"interval": "7m"}}, **MERGE)
    done = town.console.run("wait", f"{town.name}/a", "--timeout", "1s")
    assert done.returncode == 124
    assert "time is over" in done.stderr


def test_it_ends_with_1_when_nothing_more_comes_by_itself(town: Town) -> None:
    town.ranges("a", status(1, 2, STALLED))
    town.ranges("b", status(1, 2))
    with town.console.begun("wait", "a", "b", "-n", town.name) as begun:
        begun.until("a  failed", "b  no")
        town.tell("b", status(2, 2))
        assert begun.end() == 1
    assert "nothing more comes by itself" in begun.text


def test_a_range_that_is_deleted_meanwhile_never_becomes_ready(town: Town) -> None:
    town.ranges("a", status(1, 2))
    with town.console.begun("wait", "-n", town.name) as begun:
        begun.until("a  no")
        town.api.call("DELETE", town.path("a"))
        assert begun.end() == 1


def test_what_is_not_there_is_an_error_at_once(town: Town) -> None:
    assert "there is no RangeImages a" in town.console.complains("wait", "a", "-n", town.name)
    line = town.console.complains("wait", "--event", "none")
    assert "there are no ranges of event none to wait for" in line


@pytest.mark.parametrize("arguments", [["--timeout", "soon"], ["a", "-A"], ["--no-such-option"]])
def test_a_wrong_command_line_ends_with_2(town: Town, arguments: list[str]) -> None:
    assert "--help" in town.console.complains("wait", *arguments, code=2)


def test_a_terminal_shows_progress(town: Town) -> None:
    town.ranges("a", status(1, 2))
    with town.console.on_terminal("wait", "-n", town.name) as begun:
        begun.until("0 of 1 ready")
        town.tell("a", status(2, 2))
        assert begun.end() == 0
    assert "1 of 1 ready" in begun.text
