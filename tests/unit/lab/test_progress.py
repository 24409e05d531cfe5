"""Who waits for minutes is told what for, since when and about how long."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import pytest

from tests.lab.estimates import SECONDS
from tests.lab.progress import Teller, about, clock_face, told
from tests.lab.tools import GO

LONG = {"building x": 300.0}


@dataclass
class Stream(io.StringIO):
    """Text that somebody looks at, on a terminal or in a file."""

    is_terminal: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def isatty(self) -> bool:
        return self.is_terminal


@dataclass
class Watcher:
    """A teller, its stream and its clock."""

    is_terminal: bool = False
    now: float = 0.0
    stream: Stream = field(init=False)
    teller: Teller = field(init=False)

    def __post_init__(self) -> None:
        self.stream = Stream(self.is_terminal)
        self.teller = Teller(self.stream, lambda: self.now)

    @property
    def text(self) -> str:
        return self.stream.getvalue()


def test_long_work_is_told_when_it_begins_with_an_estimate() -> None:
    watcher = Watcher()
    watcher.teller.begin("building x", LONG)
    assert watcher.text == "building x: about 5 min on 2 cores\n"


def test_without_a_terminal_each_beat_is_a_line_and_the_end_another_one() -> None:
    watcher = Watcher()
    work = watcher.teller.begin("building x", LONG)
    work.says("k8s.io/api/core/v1\n")
    watcher.now = 90.0
    watcher.teller.beat(work)
    watcher.now = 312.0
    watcher.teller.end(work, is_good=True)
    assert watcher.text.splitlines()[1:] == [
        "building x: 1:30 so far, k8s.io/api/core/v1",
        "building x: done in 312 s",
    ]


def test_on_a_terminal_one_line_moves_and_is_gone_at_the_end() -> None:
    watcher = Watcher(is_terminal=True)
    work = watcher.teller.begin("building x", LONG)
    work.says("k8s.io/api/core/v1")
    watcher.now = 61.0
    watcher.teller.beat(work)
    watcher.teller.end(work, is_good=True)
    _, moving, last = watcher.text.replace("\n", "").split("\r\x1b[K")[1:]
    assert moving == "  1:01 of about 5:00  building x  k8s.io/api/core/v1"
    assert last == "building x: done in 61 s"


def test_a_moving_line_fits_a_terminal_of_a_hundred_columns() -> None:
    watcher = Watcher(is_terminal=True)
    work = watcher.teller.begin("building x", {})
    work.says("x" * 400)
    watcher.teller.beat(work)
    assert len(watcher.text) == len("\r\x1b[K") + 100


def test_a_line_moves_twice_a_second_and_a_file_gets_one_each_half_minute() -> None:
    assert Watcher(is_terminal=True).teller.pause == 0.5
    assert Watcher().teller.pause == 30.0


def test_short_work_that_nobody_was_told_of_leaves_no_line() -> None:
    watcher = Watcher()
    work = watcher.teller.begin("installing y", LONG)
    watcher.now = 0.9
    watcher.teller.end(work, is_good=True)
    assert watcher.text == ""


def test_work_without_an_estimate_is_told_at_its_end_if_it_took_long() -> None:
    watcher = Watcher()
    work = watcher.teller.begin("installing y", LONG)
    watcher.now = 4.0
    watcher.teller.end(work, is_good=True)
    assert watcher.text == "installing y: done in 4 s\n"


def test_of_work_inside_of_work_the_inner_one_is_shown() -> None:
    watcher = Watcher()
    outer = watcher.teller.begin("building image x", {})
    inner = watcher.teller.begin("building x", {})
    watcher.teller.beat(outer)
    assert watcher.text == ""
    watcher.teller.beat(inner)
    watcher.teller.end(inner, is_good=True)
    watcher.teller.beat(outer)
    assert watcher.text == "building x: 0:00 so far\nbuilding image x: 0:00 so far\n"


def test_what_fails_is_told_as_failed_and_the_error_goes_on() -> None:
    watcher = Watcher()

    def build() -> None:
        with told("building x", watcher.teller):
            watcher.now = 7.0
            raise ValueError("no space")

    with pytest.raises(ValueError, match="no space"):
        build()
    assert watcher.text == "building x: failed after 7 s\n"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(20.0, "about 20 s"), (89.0, "about 89 s"), (90.0, "about 2 min on 2 cores")],
    ids=["seconds", "still-seconds", "minutes"],
)
def test_an_estimate_is_told_in_minutes_from_a_minute_and_a_half(seconds: float, text: str) -> None:
    assert about(seconds) == text


def test_seconds_have_two_digits_beside_minutes() -> None:
    assert [clock_face(seconds) for seconds in (0, 61, 725)] == ["0:00", "1:01", "12:05"]


def test_every_program_that_takes_long_to_build_has_an_estimate() -> None:
    assert {f"building {name}" for name in GO if name != "pause"} <= set(SECONDS)
