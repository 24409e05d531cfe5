"""What the two kinds of pass tell one another: demand one way, cache snapshots the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cyroid_images.model.knowledge import CacheView, ImageRecord, Wish
from cyroid_images.store.keys import Key, Kind


@dataclass(frozen=True, slots=True)
class Wants:
    """What one range wants of one cache; one that must not fill it only wants to know."""

    cache: str
    wishes: frozenset[Wish]
    may_push: bool


class Demand:
    """Used from the event loop only; nothing here outlives the process."""

    def __init__(self) -> None:
        self._views: dict[str, CacheView] = {}
        self._wants: dict[Key, Wants] = {}
        self._doubts: dict[str, dict[Wish, bool]] = {}

    def set(self, key: Key, wants: Wants | None) -> tuple[Key, ...]:
        """Remember what a range wants (None: nothing more); the caches for which that is news.

        A range that goes to another cache is news for both.
        """
        before = self._wants.get(key)
        if before == wants:
            return ()
        if wants is None:
            del self._wants[key]
        else:
            self._wants[key] = wants
        names = dict.fromkeys(each.cache for each in (before, wants) if each is not None)
        return tuple(Key(Kind.IMAGE_CACHE, "", name) for name in names)

    def wants(self, key: Key) -> Wants | None:
        """What a range wants, if anything."""
        return self._wants.get(key)

    def wishes(self, cache: str) -> Mapping[Wish, bool]:
        """What the ranges want of a cache, and whether somebody wants it pushed."""
        wanted: dict[Wish, bool] = {}
        for wants in self._wants.values():
            if wants.cache == cache:
                for wish in wants.wishes:
                    wanted[wish] = wanted.get(wish, False) or wants.may_push
        return wanted

    def view(self, cache: str) -> CacheView | None:
        """What a cache last told; None before its first pass."""
        return self._views.get(cache)

    def publish(self, cache: str, view: CacheView | None) -> tuple[Key, ...]:
        """Tell the ranges what a cache knows (None: it is gone); those it is news for."""
        before = self._views.pop(cache, None)
        if view is not None:
            self._views[cache] = view
        else:
            self._doubts.pop(cache, None)
        mine = [(key, wants) for key, wants in self._wants.items() if wants.cache == cache]
        if before is None or view is None or _others_changed(before, view):
            return tuple(key for key, _ in mine) if before is not view else ()
        changed = _changed(before.images, view.images)
        return tuple(key for key, wants in mine if not changed.isdisjoint(wants.wishes))

    def distrust(self, cache: str, wish: Wish, *, of_content: bool = False) -> None:
        """An engine says that the registry does not serve this image, or serves other bytes."""
        doubts = self._doubts.setdefault(cache, {})
        doubts[wish] = of_content or doubts.get(wish, False)

    def take_distrusted(self, cache: str) -> Mapping[Wish, bool]:
        """What is to be brought anew, and whether every byte of it is to be read, too."""
        return self._doubts.pop(cache, {})


def _others_changed(before: CacheView, after: CacheView) -> bool:
    """Has something changed that concerns every image?"""
    return replace(before, images={}) != replace(after, images={})


def _changed(
    before: Mapping[Wish, ImageRecord], after: Mapping[Wish, ImageRecord]
) -> frozenset[Wish]:
    """The wishes of which something else is known; computed once, not for every range."""
    return frozenset(
        wish for wish in before.keys() | after.keys() if before.get(wish) != after.get(wish)
    )
