"""Sizes, ages, bars and marks as people read them."""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta

UNITS = ("B", "KB", "MB", "GB", "TB")
MINUTE, HOUR, DAY = 60, 3600, 86400
BAR = 10


def size(count: int | None) -> str:
    """Bytes with their unit (1 MB = 10^6 B), `?` where they are not known."""
    if count is None:
        return "?"
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 1 if value < 9.95 and unit else 0
    return f"{value:.{digits}f} {UNITS[unit]}"


def span(seconds: float) -> str:
    """A length of time in its largest unit, with two where that tells more: `2m`, `3h20m`."""
    whole = max(0, round(seconds))
    if whole < 2 * MINUTE:
        return f"{whole}s"
    if whole < 2 * HOUR:
        return f"{whole // MINUTE}m"
    if whole < 2 * DAY:
        hours, minutes = divmod(whole // MINUTE, 60)
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    return f"{whole // DAY}d"


def age(since: datetime | None, now: datetime) -> str:
    """How long ago that was; `-` where it is not known."""
    return "-" if since is None else span((now - since) / timedelta(seconds=1))


def progress(done: int, total: int | None, speed: int, *, is_plain: bool) -> str:
    """`━━━━╸───── 212/450 MB 48 MB/s, 5s left`, as far as it is known."""
    if not total:
        moved = size(done)
        return f"{moved} {size(speed)}/s" if speed else moved
    left = f", {span((total - done) / speed)} left" if speed and done < total else ""
    rate = f" {size(speed)}/s{left}" if speed else ""
    return f"{bar(done, total, is_plain=is_plain)} {_part(done, total)}{rate}"


def _part(done: int, total: int) -> str:
    """`212/450 MB`, or `950 KB/2.1 GB` where the units differ."""
    (number, unit), whole = size(done).split(), size(total)
    return f"{number}/{whole}" if whole.endswith(f" {unit}") else f"{number} {unit}/{whole}"


def without_host(image: str) -> str:
    """As people call an image: the host of a name is what they know anyway."""
    first, slash, rest = image.partition("/")
    return rest if slash and ("." in first or ":" in first or first == "localhost") else image


def bar(done: int, total: int, *, is_plain: bool, width: int = BAR) -> str:
    """How much of it; full only when all is there."""
    if is_plain:
        return f"{100 * done // total if total else 0}%"
    full = min(width, width * done // total) if total else 0
    return "━" * full + ("╸" + "─" * (width - full - 1) if full < width else "")


def width_of(text: str) -> int:
    """Columns that a terminal needs for it."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def fitting(text: str, columns: int) -> str:
    """As much of it as fits, with an ellipsis where it was cut."""
    if width_of(text) <= columns:
        return text
    kept = text[: max(0, columns - 1)]
    while kept and width_of(kept) > columns - 1:
        kept = kept[:-1]
    return f"{kept.rstrip()}…" if columns > 0 else ""


def count(number: int, what: str) -> str:
    """`1 range`, `2 ranges`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def own_version() -> str:
    """Of this package, as it was installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes a while

    try:
        return version("cyroid-images")
    except PackageNotFoundError:
        return "unknown"
