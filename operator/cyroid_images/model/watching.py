"""What the HTTP leaves tell of each request, for whoever counts: whom, what, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the seconds go until the answer begins, with the body that was sent."""

    host: str
    """`host[:port]` that was asked."""
    method: str
    path: str
    """Without query; it may hold names and digests."""
    code: int | None
    """Status of the answer; None where none came."""
    seconds: float


Watch = Callable[[Asked], None]
"""Called in the thread of the request; must be quick and must not raise."""


def unwatched(asked: Asked) -> None:
    """The Watch of nobody."""


@dataclass(frozen=True, slots=True)
class Watches:
    """One for each kind of peer."""

    engines: Watch = unwatched
    registries: Watch = unwatched
