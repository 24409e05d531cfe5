"""Whether a Lease may be taken: by what was seen of it, and for how long it has not changed.

Clocks of machines differ, so no moment in a Lease is ever compared with ours: who waits
measures by its own clock since when the record stands still (as client-go does).
"""

from __future__ import annotations

from enum import Enum

from cyroid_images.model.lease import Lease


class Claim(Enum):
    """What follows from a look at the Lease."""

    TAKE = "take"
    """Nobody has it, or its holder has not renewed it in time."""
    KEEP = "keep"
    """It is ours: renew it."""
    WAIT = "wait"
    """Somebody else holds it."""


def claim(seen: Lease | None, me: str, still_for: float) -> Claim:
    """`still_for`: for how many seconds, by our clock, it was seen unchanged."""
    if seen is None or not seen.holder:
        return Claim.TAKE
    if seen.holder == me:
        return Claim.KEEP
    return Claim.TAKE if still_for >= seen.seconds else Claim.WAIT
