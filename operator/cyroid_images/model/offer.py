"""Offers: named images that engine sources hold, whether anybody wants them or not."""

from __future__ import annotations

from dataclasses import dataclass

from cyroid_images.model.fault import Failure
from cyroid_images.model.knowledge import HeldByEngine, Stored, Wish


@dataclass(frozen=True, slots=True)
class Offer:
    """One name in a source engine, and whether the registry has that content under it."""

    wish: Wish
    held: HeldByEngine
    stored: Stored | None = None
    """That content in the registry under that name, as it was last seen."""
    is_looked_up: bool = False
    """The registry was asked, and has answered at least once."""
    is_lacking: bool = False
    """Its last answer was that it has not."""
    failure: Failure | None = None
    """The last push of it that nobody asked for and that failed."""

    @property
    def in_registry(self) -> bool | None:
        """None: not known."""
        return self.stored is not None if self.is_looked_up else None


@dataclass(frozen=True, slots=True)
class Offers:
    """What the engine sources of a cache offer."""

    listed: tuple[Offer, ...] = ()
    """What appeared last first, then the newest; bounded."""
    omitted: int = 0
    """Names beyond those listed."""
    is_settled: bool = True
    """False: the first round of looks is under way, so what was said before stands."""


NO_OFFERS = Offers()
