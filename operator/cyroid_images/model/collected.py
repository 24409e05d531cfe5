"""What came of a collection of a registry's disk: what it freed, how long pushes waited."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Collected:
    """One collection, over or under way, as the collector tells it."""

    id: str
    """Who asked for it, in their own words; empty: there was none yet."""
    is_dry_run: bool
    is_over: bool
    freed_bytes: int = 0
    """Bytes that were freed, or would be; while it is under way, as far as it knows."""
    blobs: int = 0
    paused_seconds: float = 0.0
    error: str = ""
    """Why it failed; empty when it did not."""
    kept: int = 0
    """Repositories that were kept as they are, since something in them is not understood."""
    why_kept: str = ""
    """Of the first of them: its name and why."""
