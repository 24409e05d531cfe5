"""Durations as Kubernetes writes them."""

from __future__ import annotations

import pytest

from cyroid_images.model.kinds.duration import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("1m1s1ms", 61.001),
        ("0s", 0),
        ("2562047h47m16s", 9223372036.0),
        ("0" * 30 + "5s", 5),
    ],
)
def test_a_duration_becomes_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "m",
        "-5m",
        "+5m",
        "5 m",
        "5d",
        "1us",
        "5m\n",
        "\u0665m",
        "2562048h",
        "1" * 31 + "ms",
        "0" * 31 + "5s",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_the_largest_is_what_go_can_hold_to_the_nanosecond() -> None:
    assert parse_duration("2562047h47m16.854775807s") == 9223372036.854775807
    with pytest.raises(ValueError, match="longer than 292 years"):
        parse_duration("2562047h47m16.854775808s")


@pytest.mark.parametrize("text", ["5m", "1h30m", "500ms", "168h", "1m30s", "0s"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    assert format_duration(parse_duration(text)) == text
