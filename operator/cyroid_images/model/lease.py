"""The Lease of which one operator at a time is the holder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lease:
    """A Lease (coordination.k8s.io/v1) as it was read."""

    holder: str
    """Who holds it; empty when it was given back."""
    seconds: int
    """How long after a renewal others may take it."""
    renewed: str
    """The moment of the last renewal by the holder's clock: compared, never computed with."""
    transitions: int
    version: str
    """Its resourceVersion: a write of an older one is refused."""
    uid: str = ""
