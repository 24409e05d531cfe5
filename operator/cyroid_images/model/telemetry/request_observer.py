"""What the HTTP leaves report of each request for metrics: host, call and outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestDone:
    """One request: the seconds go until the response begins, with the body that was sent."""

    host: str
    """`host[:port]` that was asked."""
    method: str
    path: str
    """Without query; it may hold names and digests."""
    code: int | None
    """Status of the response; None where none came."""
    seconds: float


RequestObserver = Callable[[RequestDone], None]
"""Called in the thread of the request; must be quick and must not raise."""


def unobserved(done: RequestDone) -> None:
    """The RequestObserver of nobody."""


@dataclass(frozen=True, slots=True)
class RequestObservers:
    """One for each kind of peer."""

    engines: RequestObserver = unobserved
    registries: RequestObserver = unobserved
