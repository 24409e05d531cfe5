"""What one pass of an ImageCache decides by: demand, sources and registry, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.repository import repository_of, tag_of
from cyroid_images.model.kinds.image_cache import ImageCache, RefreshPolicy
from cyroid_images.model.knowledge import SourceImage, Stored, Wanted, Wish
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.measured import LOOK
from cyroid_images.model.telemetry.measures import Measures
from cyroid_images.observe.observation import Observation
from cyroid_images.observe.observer import Observer
from cyroid_images.observe.places import ImagePlace, ImageThere, RegistryPlace
from cyroid_images.plan.sources import Sources, resolve
from cyroid_images.reconcile.caches.cache_offers import CacheOffers
from cyroid_images.reconcile.caches.cache_sources import CacheSources
from cyroid_images.reconcile.caches.cache_state import CacheState
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.demand import Demand
from cyroid_images.store.keys import Key

PING_SECONDS = 15.0
"""Between two questions whether the registry lets us in, at most; failed pulls ask at once."""
LOOKUP_SECONDS = 60.0
"""Between two questions whether it still has an image: one HEAD a minute."""
WAITING_SECONDS = 30.0
"""What neither the registry nor a source has may come at any moment, and sends no event."""
NEVER = float("inf")
NOT_YET = Fault(Reason.PROGRESSING, "registry not looked at yet")


@dataclass(frozen=True, slots=True)
class CacheSnapshots:
    """Follows the registry and the sources of a cache."""

    demand: Demand
    queue: WorkQueue[Key]
    sources: CacheSources
    offers: CacheOffers
    registries: Observer[RegistryPlace, RegistryEndpoint]
    images: Observer[ImagePlace, ImageThere]
    clock: Clock
    measures: Measures
    platform: Platform
    """The operator's own: meant where an upstream or archive has several and nobody chose."""

    def take(self, key: Key, item: ImageCache, state: CacheState) -> CacheSeen:
        """Everything that this cache depends on, as it is known now."""
        wishes = self._wishes(item)
        state.want(wishes, self.queue.time())
        self._distrust(item, state)
        sources, not_fresh = self.sources.take(key, item, state, wishes)
        registry = self._registry(key, item, state)
        known = Sources(sources, item.spec.aliases, self.platform, not_fresh)
        found = {wish: resolve(wish, known) for wish in wishes}
        lookups = self._look_up(key, item, state, found, is_away=registry is not None)
        there = registry_place(item), registry
        offers = self.offers.take(key, item, state, sources, there)
        state.is_new = False
        return CacheSeen(
            item=item,
            sources=sources,
            registry=registry,
            write=state.write or _of_lookups(lookups),
            wishes=wishes,
            stored={wish: each.stored for wish, each in state.proven.items()},
            failures=dict(state.failures),
            now=self.clock.now(),
            hosts=dict(state.hosts),
            refilling=frozenset(state.refilling),
            doubted=frozenset(state.doubted),
            default=self.platform,
            lookups=lookups,
            not_fresh=not_fresh,
            found=found,
            anchors=dict(anchors_of(item, state)),
            is_looking=self._is_looking(key, item, state, is_away=registry is not None),
            offers=offers,
        )

    def _is_looking(self, key: Key, item: ImageCache, state: CacheState, *, is_away: bool) -> bool:
        """Is a look under way whose end may change what is said?"""
        if self.registries.is_pending(registry_place(item)) or self.sources.is_looking(key):
            return True
        return not is_away and any(self.images.is_pending(each) for each in state.places.values())

    def learn(self, state: CacheState, wish: Wish, stored: Stored) -> None:
        """A push has read it back."""
        if (place := state.places.get(wish)) is not None:
            self.images.learn(place, ImageThere(stored, stored.manifest.digest))

    def refresh(self, item: ImageCache) -> None:
        """Look at the registry now."""
        self.registries.refresh(registry_place(item), is_awaited=False)

    def forget(self, key: Key) -> None:
        """The cache is gone."""
        self.sources.forget(key)
        self.offers.forget(key)
        self.registries.follow(key, {})
        self.images.follow(key, {})

    def _wishes(self, item: ImageCache) -> Mapping[Wish, bool]:
        own = {Wish(each.reference, each.platform): True for each in item.spec.images}
        return {**self.demand.wishes(item.metadata.name), **own}

    def _distrust(self, item: ImageCache, state: CacheState) -> None:
        """What an engine could not use is brought anew."""
        for wish, of_content in self.demand.take_distrusted(item.metadata.name).items():
            state.lost(wish)
            state.distrusted.add(wish)
            state.doubted |= {wish} if of_content else set()
            if (place := state.places.get(wish)) is not None:
                self.images.refresh(place)

    def _registry(self, key: Key, item: ImageCache, state: CacheState) -> Fault | None:
        """Why the registry cannot be used; None while it lets us in."""
        place = registry_place(item)
        self.registries.follow(key, {place: min(item.spec.refresh.interval, PING_SECONDS)})
        if state.is_new:
            self.registries.refresh(place)
        seen = self.registries.at(place)
        if seen is None or (seen.view is None and seen.fault is None):
            return NOT_YET
        if seen.fault is not None:
            if state.endpoint is not None and state.collection.hides(seen.fault, seen.began):
                return None
            state.was_away = True
            return seen.fault
        if seen.view is not None:
            state.dials(seen.view)
        if state.was_away:  # whatever it had may have gone with its volume
            state.was_away = False
            for each in state.places.values():
                self.images.refresh(each)
        return None

    def _look_up(
        self,
        key: Key,
        item: ImageCache,
        state: CacheState,
        found: Mapping[Wish, SourceImage | Fault],
        *,
        is_away: bool,
    ) -> Mapping[Wish, Fault]:
        """Have the registry asked for what is wanted; why it could not tell, by wish."""
        every: dict[ImagePlace, float] = {}
        is_away |= state.collection.is_running  # looks would only fail
        for wish in found:
            place = self._image_place(wish, item, state, found[wish])
            if place is None:
                continue
            state.places[wish] = place
            pause = LOOKUP_SECONDS if wish in state.proven else WAITING_SECONDS
            every[place] = NEVER if is_away else min(pause, every.get(place, NEVER))
        self.images.follow(key, every)
        if state.is_new:
            for place in every:
                self.images.refresh(place)
        taken = {wish: self._take(wish, state, found[wish]) for wish in found}
        return {wish: fault for wish, fault in taken.items() if fault is not None}

    def _image_place(
        self, wish: Wish, item: ImageCache, state: CacheState, found: SourceImage | Fault
    ) -> ImagePlace | None:
        """Where to look: by the anchor alone where no source shows the image, or it is pinned."""
        if isinstance(found, Fault) and found.reason is Reason.PROGRESSING:
            return state.places.get(wish)  # what its sources show decides what is looked for
        anchor, tag = anchors_of(item, state).get(wish), tag_of(wish.reference)
        is_pinned = item.spec.refresh.policy is RefreshPolicy.PIN
        is_seen = not isinstance(found, Fault)
        reference = wish.reference.digest or tag
        content = None
        if anchor is not None and (is_pinned or not is_seen):
            reference = anchor
        elif not isinstance(found, Fault):
            content = found.content
        repository = repository_of(wish.reference, item.spec.aliases)
        return ImagePlace(
            registry_place(item), repository, tag, reference, Wanted(content, wish.platform)
        )

    def _take(self, wish: Wish, state: CacheState, found: SourceImage | Fault) -> Fault | None:
        """What the last look at the registry says of this wish; why nothing, if so.

        Without a source nobody could bring it anew, and one engine's word is not believed
        against the registry's: it might deny the image to all others.
        """
        place = state.places.get(wish)
        seen = self.images.at(place) if place is not None else None
        if place is None or seen is None or (seen.view is None and seen.fault is None):
            return NOT_YET
        if wish in state.distrusted and not isinstance(found, Fault):
            state.lost(wish)
            return None
        if seen.fault is not None:
            if state.collection.hides(seen.fault, seen.began):
                return None if wish in state.proven else NOT_YET
            self._count_damage(wish, state, seen, seen.fault)
            return seen.fault
        there = seen.view
        before = state.proven.get(wish)
        if there is None or (before is not None and seen.began < before.at):
            return None
        if there.stored is not None:
            state.found(wish, there.stored, seen.began)
            state.tagged(wish, there.tagged or there.stored.manifest.digest)
        elif before is not None and _disproves(place, before.stored):
            state.lost(wish)
        return None

    def _count_damage(
        self, wish: Wish, state: CacheState, seen: Observation[ImageThere], fault: Fault
    ) -> None:
        if fault.reason.mark is Mark.INTEGRITY and state.damaged.get(wish) != seen.ended:
            state.damaged[wish] = seen.ended
            self.measures.damaged(LOOK)


def registry_place(item: ImageCache) -> RegistryPlace:
    """Where the registry of a cache is looked at."""
    registry = item.spec.registry
    push, ca = registry.push_secret_ref, registry.ca_secret_ref
    return RegistryPlace(
        item.metadata.uid,
        registry.push_url,
        push.name if push else "",
        ca.name if ca else "",
        party=f"cache {item.metadata.name}",
    )


def anchors_of(item: ImageCache, state: CacheState) -> Mapping[Wish, Digest]:
    """What is believed; without a source the registry is the only one who knows, and Track
    follows it."""
    is_pinned = item.spec.refresh.policy is RefreshPolicy.PIN
    return state.anchors if item.spec.sources or is_pinned else {}


def _disproves(place: ImagePlace, stored: Stored) -> bool:
    """Was exactly this asked for, so that its absence is the absence of what was proven?"""
    content = place.wanted.content
    return content is None or content.is_same(stored.content)


def _of_lookups(lookups: Mapping[Wish, Fault]) -> Fault | None:
    """The registry lets us in and cannot tell what it has: that is a fault of the registry."""
    known = (each for each in lookups.values() if each.reason is not Reason.PROGRESSING)
    faults = [each for each in known if each.reason.mark is not Mark.INTEGRITY]
    return min(faults, key=lambda each: each.message, default=None)
