"""What is remembered of the images that leave a registry: attempts, and since when they are unused.

Since when an image is unused survives a restart in status; all else is found by asking again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cyroid_images.errors import InvalidReference
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs, stored_as
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.removal import Removed, Tried, Wanters
from cyroid_images.plan import backoff

AGAIN_SECONDS = 60.0
"""At least, until a tag that is gone is looked for again: somebody may push it anew."""
MOST_SECONDS = 3600.0
"""At most, after a tag came again and again: whoever pushes it and we would fight for ever."""
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
JUMP = timedelta(seconds=60)
"""What the clock of the day goes ahead of the other one is a jump, and no time that passed."""


@dataclass(slots=True)
class RemovalState:
    """Of one ImageCache."""

    tried: dict[StoredAs, Tried] = field(default_factory=dict)
    since: dict[Wish, datetime] = field(default_factory=dict)
    who: tuple[int, Mapping[StoredAs, Wanters]] | None = None
    """Who wants what, as of which revision of the store."""
    holds_pushes: bool = False
    """Does a push wait for a removal in its repository?"""
    _clocks: tuple[datetime, float] | None = None

    @classmethod
    def of(cls, item: ImageCache, now: datetime) -> RemovalState:
        """What the status of the object still tells."""
        state = cls()
        for row in item.status.unused_images:
            if (reference := _read(row.image)) is not None:
                state.since[Wish(reference, row.platform)] = row.since
        if item.status.observed_generation != item.metadata.generation:
            return state  # the rows may speak of another registry
        for each in item.status.removed_images:
            if each.is_removed and (reference := _read(each.image)) is not None:
                state.tried[stored_as(reference, item.spec.aliases)] = Tried(is_gone=True, next=now)
        return state

    def begin(self, *, is_asked: bool) -> None:
        """A changed spec: what failed is tried again; a manual token: all is looked at anew."""
        for place, tried in list(self.tried.items()):
            if tried.failure is not None:
                del self.tried[place]
            elif is_asked:
                self.tried[place] = replace(tried, next=LONG_AGO)

    def moves(self) -> None:
        """To another registry, of which nothing is known."""
        self.tried.clear()

    def passes(self, now: datetime, at: float) -> None:
        """A pass begins: a clock of the day that was put forward makes nothing older.

        `at` is by the clock of the event loop. One that is put back makes it younger.
        """
        if self._clocks is not None:
            jump = (now - self._clocks[0]) - timedelta(seconds=at - self._clocks[1])
            if jump > JUMP:
                self.since = {wish: moment + jump for wish, moment in self.since.items()}
        self._clocks = now, at

    def decided(self, since: Mapping[Wish, datetime], places: Collection[StoredAs]) -> None:
        """The times of what is unused now; what is to leave no more is forgotten."""
        self.since = dict(since)
        self.tried = {place: each for place, each in self.tried.items() if place in places}

    def removed(self, place: StoredAs, what: Removed, now: datetime, pause: float) -> None:
        """It is gone, proven; looked for again after `pause` seconds, and later where it
        comes again and again."""
        before = self.tried.get(place)
        returns = before.returns + before.is_gone if before is not None and what.is_found else 0
        wait = max(AGAIN_SECONDS, pause)
        if what.is_found:
            wait = min(AGAIN_SECONDS * 2.0 ** min(returns, 16), MOST_SECONDS)
        again = now + timedelta(seconds=wait)
        self.tried[place] = Tried(is_gone=True, next=again, returns=returns)

    def failed(self, place: StoredAs, fault: Fault, now: datetime, spread: float) -> int:
        """One more attempt in vain; how many there were in a row."""
        before = self.tried.get(place)
        failure = backoff.failed(before.failure if before else None, fault, now, spread=spread)
        returns = before.returns if before else 0
        self.tried[place] = Tried(
            is_gone=False, next=failure.next_attempt, failure=failure, returns=returns
        )
        return failure.attempts


def _read(image: str) -> Reference | None:
    try:
        return Reference.parse(image)
    except InvalidReference:
        return None
