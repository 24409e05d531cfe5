"""What is remembered of an ImageCache: what was proven in the registry, what failed, anchors."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cyroid_images.errors import InvalidReference, Mark, Reason
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.recorded_digests import read_digests
from cyroid_images.model.kinds.status import ImageStatus
from cyroid_images.model.knowledge import Stored, Wish
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.observe.places import ImagePlace
from cyroid_images.reconcile.caches.collection import CollectionState
from cyroid_images.reconcile.caches.offer_state import OfferState
from cyroid_images.reconcile.caches.removal_state import RemovalState
from cyroid_images.reconcile.untidy import Untidy

MOST_ANCHORS = 2000
"""Wished images whose proven digest is kept; those that nobody wants any more go first."""
_WRITE_SIDE = frozenset({Reason.REGISTRY_FULL, Reason.REGISTRY_READ_ONLY, Reason.UNAUTHORIZED})
_OF_THE_HOST = frozenset({Reason.RATE_LIMITED})
"""Our own registry may be the cause of anything else that fails in a copy."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What the registry was seen to hold, and when that look began, or its push ended."""

    stored: Stored
    at: float


@dataclass(slots=True)
class CacheState:
    """Of one ImageCache, by uid. All but the anchors is found again by asking."""

    uid: str
    generation: int
    token: str | None
    registry: str | None = None
    """URL of the registry that all this is known of."""
    proven: dict[Wish, Proven] = field(default_factory=dict)
    distrusted: set[Wish] = field(default_factory=set)
    """An engine could not pull it: pushed again, whatever the registry claims to have."""
    doubted: set[Wish] = field(default_factory=set)
    """An engine was given other bytes: once pushed again, every byte of it is read."""
    failures: dict[Wish, Failure] = field(default_factory=dict)
    hosts: dict[str, Failure] = field(default_factory=dict)
    """Upstream hosts that asked for a pause."""
    endpoint: RegistryEndpoint | None = field(default=None, repr=False)
    """How the registry was dialled last: with which credentials and CA."""
    write: Fault | None = None
    """The registry answers, but refused the last write."""
    was_away: bool = False
    has_status: bool = False
    """A first status was written."""
    looked_at: int = -1
    """The generation of which somebody was told that it was looked at."""
    untidy: Untidy = field(default_factory=Untidy)
    collection: CollectionState = field(default_factory=CollectionState)
    is_new: bool = True
    """A changed spec or a manual token: everything is to be looked at anew."""
    wanted_since: dict[Wish, float] = field(default_factory=dict)
    """By the clock of the event loop: what sources showed before does not count against it."""
    places: dict[Wish, ImagePlace] = field(default_factory=dict)
    """Where in the registry each wish is looked for."""
    told: set[tuple[Wish, Digest]] = field(default_factory=set)
    """Moved tags that people were told of, until the new content is in the registry."""
    refilling: set[Wish] = field(default_factory=set)
    """Was in the registry and no longer is: on its way back."""
    foreign: dict[Wish, Digest] = field(default_factory=dict)
    """Tags that somebody else moved in the registry, and what they name now."""
    warned: set[tuple[Wish, Digest]] = field(default_factory=set)
    """Of `foreign`: what people were told of."""
    damaged: dict[Wish, float] = field(default_factory=dict)
    """When a look that found damage ended: each is counted once."""
    anchors: dict[Wish, Digest] = field(default_factory=dict)
    """The digest that was proven against a source; the one state that survives a restart."""
    offers: OfferState = field(default_factory=OfferState)
    """What engine sources hold unasked."""
    removals: RemovalState = field(default_factory=RemovalState)
    _ours: set[Digest] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, item: ImageCache, now: datetime) -> CacheState:
        """What the status of the object still tells: attempts of failing pushes, and anchors."""
        state = cls(item.metadata.uid, item.metadata.generation, item.metadata.reconcile_at)
        state.has_status = bool(item.status.conditions)
        state.collection.told = item.status.collection
        for row in item.status.failures:
            for each in item.spec.images:
                if str(each.reference) == row.image:
                    fault = Fault(row.reason, row.message)
                    wish = Wish(each.reference, each.platform)
                    failure = Failure(fault, row.attempts, row.next_attempt_time or now)
                    state.failures[wish] = failure
        # An operator before this one recorded digests in the rows of images only.
        for each_row in () if item.status.digests else item.status.image_statuses:
            if each_row.digest is not None:
                for wish in _wishes_of(each_row):
                    state.anchors[wish] = each_row.digest
        state.anchors |= read_digests(item.status)
        state.removals = RemovalState.of(item, now)
        return state

    def begin(self, item: ImageCache) -> None:
        """A changed spec or a manual token: everything is asked and tried anew."""
        self._moves_to(item.spec.registry.push_url)
        asked = (item.metadata.generation, item.metadata.reconcile_at)
        if asked != (self.generation, self.token):
            self.removals.begin(is_asked=asked[1] != self.token)
            self.generation, self.token = asked
            self.failures.clear()
            self.offers.failures.clear()
            self.hosts.clear()
            self.write = None
            self.is_new = True

    def _moves_to(self, registry: str) -> None:
        """What one registry has says nothing of another one; the digests to believe stay."""
        if self.registry not in (None, registry):
            for held in (self.proven, self.foreign, self.places, self.damaged):
                held.clear()
            for kept in (self.distrusted, self.doubted, self.refilling):
                kept.clear()
            self.removals.moves()
            self.endpoint = self.write = self._ours = None
            self.was_away = False
        self.registry = registry

    def dials(self, endpoint: RegistryEndpoint) -> None:
        """Other credentials, or another CA: what was refused so far is worth another try."""
        if self.endpoint not in (None, endpoint):
            self.failures = {
                wish: failure
                for wish, failure in self.failures.items()
                if failure.reason.mark is not Mark.TERMINAL
            }
            self.offers.failures.clear()
            self.write = None
            self.removals.begin(is_asked=False)
        self.endpoint = endpoint

    def pushed(self, wish: Wish, stored: Stored, now: float) -> None:
        """An image is in the registry, proven against its source."""
        self._prove(wish, stored, now)
        self.anchor(wish, stored.manifest.digest)
        self.failures.pop(wish, None)
        self.distrusted.discard(wish)
        self.doubted.discard(wish)
        self.refilling.discard(wish)
        self.foreign.pop(wish, None)
        self.write = None

    def anchor(self, wish: Wish, digest: Digest) -> None:
        """Believe this digest while no source can be seen; the newest stand last."""
        if self.anchors.get(wish) != digest:
            self.anchors.pop(wish, None)
            self.anchors[wish] = digest

    def refused(self, wish: Wish, failure: Failure, host: str | None) -> None:
        """A push failed; an upstream host that asked for a pause gets it."""
        self.failures[wish] = failure
        is_of_both = host is not None and failure.reason is Reason.UNAUTHORIZED
        if failure.reason in _WRITE_SIDE and not is_of_both:  # the upstream may have said that
            self.write = failure.fault
        if host is not None and failure.reason in _OF_THE_HOST:
            self.hosts[host] = failure

    def looks_first(self) -> bool:
        """Is this the first look of this generation? Asked once per look."""
        before, self.looked_at = self.looked_at, self.generation
        return before != self.generation

    def want(self, wishes: Collection[Wish], now: float) -> None:
        """Forget what nobody wants any more (the registry keeps it), and note what is new."""
        for held in (
            self.proven,
            self.failures,
            self.foreign,
            self.places,
            self.damaged,
            self.wanted_since,
        ):
            for wish in [each for each in held if each not in wishes]:
                del held[wish]
                self._ours = None
        for kept in (self.distrusted, self.doubted, self.refilling):
            kept.intersection_update(wishes)
        if not any(each.reason in _WRITE_SIDE for each in self.failures.values()):
            self.write = None  # nobody is left whose next attempt could tell otherwise
        self.warned.intersection_update(self.foreign.items())
        for wish in wishes:
            self.wanted_since.setdefault(wish, now)
        self._bound_anchors(wishes)

    def found(self, wish: Wish, stored: Stored, at: float) -> None:
        """The registry has it, as it says."""
        self._prove(wish, stored, at)
        self.refilling.discard(wish)

    def lost(self, wish: Wish) -> None:
        """The registry no longer has it, or it cannot be trusted."""
        if self.proven.pop(wish, None) is not None:
            self._ours = None
            self.refilling.add(wish)

    def tagged(self, wish: Wish, digest: Digest | None) -> None:
        """What the tag of a stored image names now: what none of ours is, somebody else put."""
        if digest is None or digest in self._own_digests():
            self.foreign.pop(wish, None)
        else:
            self.foreign[wish] = digest

    def _own_digests(self) -> set[Digest]:
        """Every digest that means something proven; gathered anew only after a loss, since a
        pass asks once per image."""
        if self._ours is None:
            proven = self.proven.values()
            self._ours = {d for each in proven for d in each.stored.content.identities}
        return self._ours

    def _prove(self, wish: Wish, stored: Stored, at: float) -> None:
        before = self.proven.get(wish)
        if before is not None and before.stored is not stored:
            self._ours = None
        elif before is None and self._ours is not None:
            self._ours |= stored.content.identities
        self.proven[wish] = Proven(stored, at)

    def tell_once(self, moved: Iterable[tuple[Wish, Digest]]) -> list[tuple[Wish, Digest]]:
        """Of the tags that moved, those that people were not told of yet."""
        now = set(moved)
        new = sorted(now - self.told, key=str)
        self.told = now
        return new

    def _bound_anchors(self, wishes: Collection[Wish]) -> None:
        """The oldest of those that nobody wants go first."""
        over = len(self.anchors) - MOST_ANCHORS
        if over > 0:
            idle = [wish for wish in self.anchors if wish not in wishes]
            for wish in (idle + [each for each in self.anchors if each in wishes])[:over]:
                del self.anchors[wish]


def _wishes_of(row: ImageStatus) -> tuple[Wish, ...]:
    """The wishes that a row may speak of: with its platform, and with none."""
    try:
        reference = Reference.parse(row.image)
    except InvalidReference:
        return ()
    return (Wish(reference), Wish(reference, row.platform))
