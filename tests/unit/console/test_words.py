"""Sizes, times, bars and widths as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from cyroid_images.console.screen.words import (
    age,
    bar,
    count,
    fitting,
    progress,
    size,
    span,
    width_of,
    without_host,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (9_940, "9.9 KB"),
        (9_960, "10 KB"),
        (999_499, "999 KB"),
        (999_500, "1.0 MB"),
        (170_000_000, "170 MB"),
        (4_200_000_000, "4.2 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_a_size_has_its_unit(number: int | None, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0.4, "0s"),
        (119, "119s"),
        (120, "2m"),
        (7199, "119m"),
        (7200, "2h"),
        (12_000, "3h20m"),
        (172_799, "47h59m"),
        (172_800, "2d"),
    ],
)
def test_a_span_has_its_largest_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_an_age_that_is_not_known_is_a_dash() -> None:
    assert age(None, NOW) == "-"
    assert age(NOW - timedelta(minutes=3), NOW) == "3m"


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_bar_is_full_only_when_all_is_there(is_plain: bool) -> None:
    almost, full = (bar(done, 1000, is_plain=is_plain) for done in (999, 1000))
    assert almost != full
    assert full == ("100%" if is_plain else "━" * 10)
    assert almost == ("99%" if is_plain else "━" * 9 + "╸")


@pytest.mark.parametrize("done", [0, 1, 99, 500, 999, 1000, 2000])
def test_every_bar_is_as_wide_as_another(done: int) -> None:
    assert len(bar(done, 1000, is_plain=False)) == 10


def test_progress_tells_as_much_as_is_known() -> None:
    assert progress(212_000_000, 450_000_000, 48_000_000, is_plain=True) == (
        "47% 212/450 MB 48 MB/s, 5s left"
    )
    assert progress(950_000, 2_100_000_000, 0, is_plain=True) == "0% 950 KB/2.1 GB"
    assert progress(5_000, None, 0, is_plain=True) == "5.0 KB"
    assert progress(5_000, None, 1_000, is_plain=True) == "5.0 KB 1.0 KB/s"
    assert progress(100, 100, 10, is_plain=True) == "100% 100/100 B 10 B/s"


@pytest.mark.parametrize(
    ("image", "text"),
    [
        ("127.0.0.1:5000/cyroid/kali:1", "cyroid/kali:1"),
        ("ghcr.io/a/b", "a/b"),
        ("localhost/a", "a"),
        ("dockurr/windows:latest", "dockurr/windows:latest"),
        ("nginx:1.25", "nginx:1.25"),
    ],
)
def test_an_image_is_called_without_its_host(image: str, text: str) -> None:
    assert without_host(image) == text


@pytest.mark.parametrize(
    ("text", "columns", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("a b c", 3, "a…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_a_text_is_cut_to_columns_not_to_characters(text: str, columns: int, shown: str) -> None:
    assert fitting(text, columns) == shown
    assert width_of(shown) <= max(columns, width_of(text) if text == shown else 0)


def test_what_stands_above_another_character_needs_no_column() -> None:
    assert width_of("e\u0301") == 1


def test_one_is_no_plural() -> None:
    assert [count(number, "range") for number in (0, 1, 2)] == ["0 ranges", "1 range", "2 ranges"]
