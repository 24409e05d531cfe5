"""How long a stream may be silent, per phase; slow but moving is always fine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """Seconds of silence that are allowed; the total is the caller's CancelScope."""

    stall_seconds: float = 120
    """No byte for so long in mid-stream: nobody will send another one."""
    first_byte_seconds: float = 1800
    """Before the first byte of save: a classic engine writes the whole image to disk first
    (docker-py #2097: 60 s killed big saves)."""
    reply_seconds: float = 1800
    """After the last byte of load, and after the last layer of pull has come: the containerd
    store unpacks in silence (12 s for 3 GB seen on Docker 26.1)."""
