"""Follows what engine sources hold unasked: has the registry that content under that name?

The registry is asked for each at the pace of `refresh.interval`, for a few at a time, and
after everything that somebody wants. What it answers wakes the cache a moment later, once for
many answers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cyroid_images.defects import defect_in
from cyroid_images.errors import Reason
from cyroid_images.model.actions import Fill
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.repository import repository_of, tag_of
from cyroid_images.model.kinds.image_cache import ImageCache, PushPolicy
from cyroid_images.model.knowledge import HeldByEngine, Stored, Wanted, Wish
from cyroid_images.model.observed import CacheSeen, SourceSeen, UpstreamShown
from cyroid_images.model.offer import Offer, Offers
from cyroid_images.observe.observation import Observation
from cyroid_images.observe.observer import Observer
from cyroid_images.observe.places import ImagePlace, ImageThere, RegistryPlace
from cyroid_images.plan import backoff
from cyroid_images.plan.offers import believed, offered
from cyroid_images.reconcile.caches.cache_state import MOST_ANCHORS, CacheState
from cyroid_images.reconcile.caches.offer_state import Chosen, OfferState
from cyroid_images.report.ports import Recorder
from cyroid_images.store.keys import Key

MOST_ASKED = 16
"""Offers that the registry is asked for at a time and has not answered yet."""
MOST_AGAIN = 4
"""Offers of which it could not tell and that are asked for again, the longest ago first."""
MOST_TOLD = 5
"""New images in one pass that get an event each; of more there is one for all."""
MOST_PER_SECOND = 10
"""Questions about offers that were answered before, whatever the interval."""
WAKE_SECONDS = 0.5
"""From an answer to the pass that reads it, and all others that came meanwhile."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class OfferOwner:
    """Follows the offers of a cache: an answer is no news for what is wanted."""

    key: Key


@dataclass(frozen=True, slots=True)
class CacheOffers:
    """Between the observer of images and the offers of a cache."""

    images: Observer[ImagePlace, ImageThere]
    recorder: Recorder
    clock: Clock

    def take(
        self,
        key: Key,
        item: ImageCache,
        state: CacheState,
        sources: Sequence[SourceSeen],
        registry: tuple[RegistryPlace, Fault | None],
    ) -> Offers:
        """What is offered, with what the registry said; `registry`: where it is, and why it
        cannot be asked. A defect in here costs the offers of a pass, and no image."""
        try:
            return self._take(key, item, state, sources, registry)
        except Exception as exc:
            defect_in(f"the offers of {key}", exc)
            return Offers(is_settled=False)

    def _take(
        self,
        key: Key,
        item: ImageCache,
        state: CacheState,
        sources: Sequence[SourceSeen],
        registry: tuple[RegistryPlace, Fault | None],
    ) -> Offers:
        offers, (place, fault) = state.offers, registry
        if state.is_new:
            offers.failures.clear()
        _choose(item, offers, sources, place)
        self._follow(key, item, offers, is_away=fault is not None)
        listed = tuple(self._offer(each, offers) for each in offers.chosen)
        is_asked = any(self.images.at(each.place) is None for each in offers.chosen)
        is_away = fault is not None and fault.reason is not Reason.PROGRESSING
        if is_away or (not is_asked and all(map(_is_looked_at, sources))):
            offers.is_settled = True
        return Offers(listed, offers.omitted, offers.is_settled)

    def believe(self, seen: CacheSeen, state: CacheState) -> None:
        """Believe what the policy keeps in the registry, as far as there is room: what somebody
        wanted stays recorded."""
        for wish, digest in believed(seen):
            if wish in state.anchors or len(state.anchors) < MOST_ANCHORS:
                state.anchor(wish, digest)

    def tell_new(self, key: Key, seen: CacheSeen, state: CacheState) -> None:
        """An event for what appeared in a source and the registry lacks, once per content."""
        lacking: list[Offer] = []
        for each in seen.offers.listed:
            name = (each.wish.reference, each.held.id)
            if name not in state.offers.fresh or not each.is_looked_up:
                continue
            del state.offers.fresh[name]
            if each.is_lacking and not _is_pushed(each, seen):
                lacking.append(each)
        if len(lacking) > MOST_TOLD:
            self._tell(key, seen, *_of_many(lacking))
            return
        for each in lacking:
            self._tell(key, seen, *_of_one(each))

    def pushed(self, state: CacheState, wish: Wish, stored: Stored) -> None:
        """A push that nobody asked for has read it back."""
        state.write = None
        state.offers.failures.pop(wish, None)
        for each in state.offers.chosen:
            if each.wish == wish:
                self.images.learn(each.place, ImageThere(stored, stored.manifest.digest))

    def refused(self, item: ImageCache, state: CacheState, fill: Fill, fault: Fault) -> None:
        """Such a push failed; it is tried again as others are, and says nothing of the cache."""
        if item.spec.push_policy is not PushPolicy.AUTOMATIC:
            return  # somebody wanted it until just now
        before = state.offers.failures.get(fill.wish)
        state.offers.failures[fill.wish] = backoff.failed(
            before, fault, self.clock.now(), spread=self.clock.spread()
        )

    def look_again(self, state: CacheState, repository: str) -> None:
        """Something happened in this repository of the registry, such as a removal."""
        for each in state.offers.chosen:
            if each.place.repository == repository:
                self.images.refresh(each.place, is_awaited=False)

    def forget(self, key: Key) -> None:
        """The cache is gone."""
        self.images.follow(OfferOwner(key), {})

    def _follow(self, key: Key, item: ImageCache, offers: OfferState, *, is_away: bool) -> None:
        seen = {each.place: self.images.at(each.place) for each in offers.chosen}
        again = _asked_again(seen)
        every: dict[ImagePlace, float] = {}
        room = 0 if is_away else MOST_ASKED
        pause = max(item.spec.refresh.interval, len(seen) / MOST_PER_SECOND)
        for place, last in seen.items():
            if last is None and room == 0:
                continue
            room -= last is None
            is_left = is_away or (
                last is not None and last.fault is not None and place not in again
            )
            every[place] = NEVER if is_left else pause
        self.images.follow(OfferOwner(key), every)
        if item.metadata.reconcile_at != offers.token:  # an edit asks for nothing of these anew
            offers.token = item.metadata.reconcile_at
            for place in every:
                self.images.refresh(place, is_awaited=False)

    def _offer(self, each: Chosen, offers: OfferState) -> Offer:
        last, failure = self.images.at(each.place), offers.failures.get(each.wish)
        there = last.view if last is not None else None
        if last is None or there is None:
            return Offer(each.wish, each.held, failure=failure)
        stored = there.stored if _is_under_its_name(there) else None
        if stored is not None:  # by whatever way
            offers.failures.pop(each.wish, None)
            failure = None
        is_lacking = stored is None and last.fault is None
        return Offer(
            each.wish,
            each.held,
            stored,
            is_looked_up=True,
            is_lacking=is_lacking,
            failure=failure,
        )

    def _tell(self, key: Key, seen: CacheSeen, message: str, about: str) -> None:
        uid = seen.item.metadata.uid
        self.recorder.record(key, uid, Reason.IMAGE_BUILT, message, about=about)


def _choose(
    item: ImageCache, offers: OfferState, sources: Sequence[SourceSeen], place: RegistryPlace
) -> None:
    """Which names are offered: computed anew only where a view or the spec is another one."""
    shown = [None if isinstance(each.shown, UpstreamShown) else each.shown for each in sources]
    basis = (place, item.spec.aliases, item.spec.registry.pull_host, *shown)
    if len(basis) == len(offers.basis) and all(map(_is_it, basis, offers.basis)):
        return
    offers.notice(sources)
    pairs, offers.omitted = offered(sources, item, offers.appeared)
    offers.chosen = tuple(
        Chosen(wish, held, _place(item, place, wish, held)) for wish, held in pairs
    )
    offers.keep({wish for wish, _ in pairs})
    offers.basis = basis


def _is_looked_at(source: SourceSeen) -> bool:
    return source.fault is None or source.fault.reason is not Reason.PROGRESSING


def _is_it(one: object, other: object) -> bool:
    """The same view, not an equal one: to compare thousands of images takes as long as to read
    them."""
    return one is other or (not hasattr(one, "view") and one == other)


def _place(item: ImageCache, registry: RegistryPlace, wish: Wish, held: HeldByEngine) -> ImagePlace:
    """The same place as that of a wish of this name, so that the registry is asked once."""
    tag = tag_of(wish.reference)
    repository = repository_of(wish.reference, item.spec.aliases)
    return ImagePlace(registry, repository, tag, tag, Wanted(held.content))


def _asked_again(
    seen: dict[ImagePlace, Observation[ImageThere] | None],
) -> Collection[ImagePlace]:
    failed = [
        (last.ended, number, place)
        for number, (place, last) in enumerate(seen.items())
        if last is not None and last.fault is not None
    ]
    return [place for *_, place in sorted(failed, key=lambda each: each[:2])[:MOST_AGAIN]]


def _is_under_its_name(there: ImageThere) -> bool:
    """Does its tag name it? By digest alone it is there only until the next collection."""
    if there.stored is None or there.tagged is None:
        return False
    return there.tagged in {there.stored.manifest.digest, *there.stored.content.identities}


def _is_pushed(offer: Offer, seen: CacheSeen) -> bool:
    """Does it go into the registry by itself, or because somebody wants it, also by an alias?"""
    if seen.item.spec.push_policy is PushPolicy.AUTOMATIC:
        return True
    wanted = [seen.found.get(wish) for wish, may_push in seen.wishes.items() if may_push]
    mine = offer.held.source, offer.held.id
    return any(
        isinstance(found, HeldByEngine) and (found.source, found.id) == mine for found in wanted
    )


def _of_one(offer: Offer) -> tuple[str, str]:
    image = offer.wish.reference
    message = (
        f"{image} is new in {offer.held.source} ({offer.held.id}) and not in the registry:"
        f" `kubectl cyroid push {image}` brings it there, pushPolicy: Automatic every such image"
    )
    return message, f"{image}/{offer.held.id}"


def _of_many(offers: Sequence[Offer]) -> tuple[str, str]:
    some = ", ".join(str(each.wish.reference) for each in offers[:MOST_TOLD])
    message = (
        f"{len(offers)} images are new in sources and not in the registry: {some} and"
        f" {len(offers) - MOST_TOLD} more (status.sourceImages): `kubectl cyroid push` brings"
        " one there, pushPolicy: Automatic all"
    )
    return message, f"{len(offers)} from {offers[0].held.id}"
