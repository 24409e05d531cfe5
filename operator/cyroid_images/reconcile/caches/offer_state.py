"""What is remembered of the offers of one ImageCache: what is new, what failed, where to look."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from cyroid_images.model.fault import Failure
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import TRANSPORT_HOST
from cyroid_images.model.knowledge import HeldByEngine, Wish
from cyroid_images.model.observed import EngineShown, SourceSeen
from cyroid_images.observe.places import ImagePlace

MOST_FRESH = 256
"""New images that people were not told of yet; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One offer, and where in the registry it is looked for."""

    wish: Wish
    held: HeldByEngine
    place: ImagePlace


@dataclass(slots=True)
class OfferState:
    """Of one ImageCache. Nothing of it outlives the process: all is found again by asking."""

    failures: dict[Wish, Failure] = field(default_factory=dict)
    """Pushes that nobody asked for and that failed."""
    chosen: tuple[Chosen, ...] = ()
    omitted: int = 0
    basis: tuple[object, ...] = field(default=(), repr=False)
    """What `chosen` was computed from: views that are the same object need not be read again."""
    token: str | None = None
    """Of the last manual pass, which has everything looked at anew."""
    is_settled: bool = False
    """The registry was asked once for everything that was there at the start."""
    appeared: dict[tuple[Reference, Digest], int] = field(default_factory=dict)
    """What was not there at the first look at its source, in the order in which it came."""
    fresh: dict[tuple[Reference, Digest], None] = field(default_factory=dict)
    """Of these: what people were not told of yet."""
    _seen: dict[str, dict[Reference, Digest]] = field(default_factory=dict)
    """By source: what it held at the last look."""
    _count: int = 0

    def notice(self, sources: Sequence[SourceSeen]) -> None:
        """Tell what is new since the last look; the first look at a source makes nothing new."""
        for source in sources:
            if isinstance(source.shown, EngineShown):
                self._notice(source.name, source.shown)
        names = {source.name for source in sources}
        self._seen = {name: held for name, held in self._seen.items() if name in names}
        if not self.appeared:
            return
        there = {each for held in self._seen.values() for each in held.items()}
        self.appeared = {each: at for each, at in self.appeared.items() if each in there}
        self.fresh = {each: None for each in self.fresh if each in there}

    def keep(self, wishes: Collection[Wish]) -> None:
        """Forget the failures of what is offered no more."""
        self.failures = {each: why for each, why in self.failures.items() if each in wishes}

    def _notice(self, name: str, shown: EngineShown) -> None:
        now = {
            each: image.id
            for each, image in shown.view.images.items()
            if each.host != TRANSPORT_HOST
        }
        before = self._seen.get(name)
        self._seen[name] = now
        if before is None:
            return
        for reference, found in now.items():
            if before.get(reference) != found:
                self._count += 1
                self.appeared[reference, found] = self._count
                self.fresh[reference, found] = None
        while len(self.fresh) > MOST_FRESH:
            del self.fresh[next(iter(self.fresh))]
