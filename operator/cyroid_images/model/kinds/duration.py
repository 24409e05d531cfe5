"""Durations as Kubernetes writes them (`5m`, `1h30m`, `500ms`), read into seconds.

The grammar is the part of Go's `time.ParseDuration` that makes sense here: no sign, no
units below a millisecond. The API server compares them with `duration()` of CEL, which is
the same Go function, so both sides reckon in whole nanoseconds.
"""

from __future__ import annotations

import re
from decimal import Decimal

PATTERN = r"([0-9]+(\.[0-9]+)?(ms|s|m|h))+"
"""The form of a duration, for a full match; without anchors."""

LONGEST = 32
"""Characters of a duration in a spec; `2562047h47m16s` is the largest that Go can hold."""

_FORM = re.compile(PATTERN, re.ASCII)
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)", re.ASCII)
_NANOSECONDS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_MOST_NANOSECONDS = 2**63 - 1


def parse_duration(text: str) -> float:
    """The seconds that a duration means; raises ValueError for anything else.

    >>> parse_duration("1h30m")
    5400.0
    """
    if len(text) > LONGEST or not _FORM.fullmatch(text):
        raise ValueError("not a duration (such as 500ms, 90s, 5m or 1h30m)")
    total = sum(int(Decimal(number) * _NANOSECONDS[unit]) for number, unit in _PART.findall(text))
    if total > _MOST_NANOSECONDS:
        raise ValueError("a duration longer than 292 years")
    return total / 10**9


def format_duration(seconds: float) -> str:
    """The duration that means so many seconds, to the millisecond.

    >>> format_duration(5400.0)
    '1h30m'
    """
    rest = round(seconds * 1000)
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"
