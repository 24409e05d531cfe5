"""Texts from elsewhere become one printable, bounded line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyroid_images.model.text import clean_message


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("  two\r\n\tlines \n", "two lines"),
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("\x1b(Bx\x1bcy", "xy"),
        ("\x9b31mx", "31mx"),
        ("abc\u202edef\u2066\u200b", "abcdef"),
        ("a\x00b\x08", "a b"),
        ("a\u2028b", "a b"),
        ("\ud800x", "x"),
        ("M\u00fcller \u65e5\u672c", "M\u00fcller \u65e5\u672c"),
    ],
)
def test_only_what_a_person_can_read_stays(text: str, shown: str) -> None:
    assert clean_message(text, 100) == shown


def test_an_ellipsis_tells_that_something_was_cut() -> None:
    assert clean_message("x" * 10, 10) == "x" * 10
    assert clean_message("x" * 11, 10) == "x" * 9 + "…"
    assert clean_message("aaaa bbbbbb", 6) == "aaaa…"


def test_a_text_of_megabytes_is_cut_without_being_read() -> None:
    assert clean_message("\n" * 5_000_000 + "end", 256) == "…"


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(st.text(), st.integers(1, 40))
def test_whatever_comes_in_a_short_printable_line_comes_out(text: str, limit: int) -> None:
    line = clean_message(text, limit)
    assert len(line) <= limit
    assert not [char for char in line if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")]
    assert clean_message(line, limit) == line
