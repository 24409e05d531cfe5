"""Which connections this machine's kernel still knows, to prove that none was left open."""

from __future__ import annotations

from pathlib import Path

_OPEN_FOR_US = {"01", "08"}
"""ESTABLISHED and CLOSE_WAIT (include/net/tcp_states.h): what our side has not closed."""


def open_connections(port: int) -> int:
    """Our connections to that port, by IPv4, in the network of the tests."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[3] in _OPEN_FOR_US for row in rows if row[2].endswith(f":{port:04X}"))


def finished_connections(port: int) -> frozenset[str]:
    """Our ends of connections to that port that we have closed within the last minute, by IPv4.

    To count new ones take the difference of two calls: old ones are forgotten meanwhile.
    """
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    to_port = [row for row in rows if row[2].endswith(f":{port:04X}")]
    return frozenset(row[1] for row in to_port if row[3] == "06")  # TIME_WAIT
