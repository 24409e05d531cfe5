"""Which connections this machine's kernel still knows, to prove that none was left open."""

from __future__ import annotations

from pathlib import Path

_OPEN_FOR_US = {"01", "08"}
"""ESTABLISHED and CLOSE_WAIT (include/net/tcp_states.h): what our side has not closed."""


def open_connections(port: int) -> frozenset[str]:
    """Our ends of the connections to that port, by IPv4, in the network of the tests."""
    return frozenset(end for end, state in _to(port) if state in _OPEN_FOR_US)


def finished_connections(port: int) -> frozenset[str]:
    """Our ends of connections to that port that we have closed within the last minute, by IPv4.

    To count new ones take the difference of two calls: old ones are forgotten meanwhile.
    """
    return frozenset(end for end, state in _to(port) if state == "06")  # TIME_WAIT


def _to(port: int) -> list[tuple[str, str]]:
    """Our end and the state of each connection to that port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [(row[1], row[3]) for row in rows if row[2].endswith(f":{port:04X}")]
