"""How long a range may wait and how often it may look: what it asks for, within its limits."""

from __future__ import annotations

from dataclasses import dataclass

from cyroid_images.model.kinds.limits import Limits
from cyroid_images.model.kinds.range_images import RangeImagesSpec


@dataclass(frozen=True, slots=True)
class RangeLimits:
    """The operator's own limits, for what an ImageCache does not say; all in seconds."""

    stall: float
    total: float
    interval: float


@dataclass(frozen=True, slots=True)
class EffectiveTimeouts:
    """What counts for the transfers and looks of one range, in seconds."""

    stall: float
    total: float
    interval: float


def effective_timeouts(
    spec: RangeImagesSpec, limits: Limits | None, usual: RangeLimits
) -> EffectiveTimeouts:
    """The timeouts of a range whose cache has these limits; None: it is not known yet.

    A limit of the cache counts instead of the operator's own: both are the platform's, and
    the cache is more specific. `stall` is never longer than `total`, whichever was cut.
    """
    limits = limits or Limits()
    total = min(spec.timeouts.total, _given(limits.total, usual.total))
    stall = min(spec.timeouts.stall, _given(limits.stall, usual.stall), total)
    interval = max(spec.interval, _given(limits.interval, usual.interval))
    return EffectiveTimeouts(stall, total, interval)


def _given(limit: float | None, usual: float) -> float:
    return usual if limit is None else limit
