"""What keeps images in a registry: who wants which, and by which digests they are known there.

A registry may serve several caches, so all of those count that push into it or have engines
pull from it under the same name. What cannot be read may want anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs, repository_of, stored_as
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.recorded_digests import read_digests
from cyroid_images.model.knowledge import CacheView, Wish
from cyroid_images.model.removal import Needs, Wanters

NOT_LISTED = Fault(Reason.PROGRESSING, "not all ranges are known yet")

_PORTS = {"http": 80, "https": 443}


def needs(
    caches: Iterable[ImageCache], ranges: Iterable[RangeImages], views: Mapping[str, CacheView]
) -> Needs:
    """What is wanted of the registry that all of these caches share.

    `ranges` may hold those of other caches; `views` is what caches know of their wishes.
    """
    found = _Found()
    by_name = {cache.metadata.name: cache for cache in caches}
    for name, cache in by_name.items():
        for each in cache.spec.images:
            wish = Wish(each.reference, each.platform)
            found.add(name, wish, f"spec.images of ImageCache {name}")
    for item in ranges:
        if item.cache_name in by_name:
            who = f"{item.metadata.namespace}/{item.metadata.name}"
            for wish in item.wishes:
                found.add(item.cache_name, wish, who)
    return found.needs(by_name, views)


def unreadable(name: str, fault: Fault) -> Fault:
    """Why nothing is removed while an object cannot be read."""
    text = f"{name} cannot be read ({fault.message}), so it may want any image: mend or delete it"
    return Fault(fault.reason, text)


def sharing(cache: ImageCache, others: Iterable[ImageCache]) -> list[ImageCache]:
    """This cache, and the others that are over the same registry as far as their names tell."""
    mine, pull = _address(cache), cache.spec.registry.pull_host.lower()
    return [
        each
        for each in others
        if each.metadata.uid == cache.metadata.uid
        or _address(each) == mine
        or each.spec.registry.pull_host.lower() == pull
    ]


class _Found:
    """Gathers per cache and reference first: many ranges want the same few images."""

    def __init__(self) -> None:
        self._who: dict[tuple[str, Reference], set[str]] = defaultdict(set)
        self._wishes: dict[str, set[Wish]] = defaultdict(set)

    def add(self, cache: str, wish: Wish, who: str) -> None:
        self._who[cache, wish.reference].add(who)
        self._wishes[cache].add(wish)

    def needs(self, caches: Mapping[str, ImageCache], views: Mapping[str, CacheView]) -> Needs:
        places: dict[StoredAs, set[str]] = defaultdict(set)
        for (name, reference), who in self._who.items():
            places[stored_as(reference, caches[name].spec.aliases)] |= who
        digests: dict[str, set[Digest]] = defaultdict(set)
        for name, wishes in self._wishes.items():
            _add_digests(digests, caches[name], wishes, views.get(name))
        return Needs(
            {place: Wanters(min(who), len(who)) for place, who in places.items()},
            {repository: frozenset(each) for repository, each in digests.items()},
        )


def _add_digests(
    digests: dict[str, set[Digest]],
    cache: ImageCache,
    wishes: Iterable[Wish],
    view: CacheView | None,
) -> None:
    """By what each wish is known: as written, as recorded, and as the registry has it."""
    recorded = read_digests(cache.status)
    for wish in wishes:
        known = digests[repository_of(wish.reference, cache.spec.aliases)]
        known |= {each for each in (wish.reference.digest, recorded.get(wish)) if each}
        record = view.images.get(wish) if view else None
        if record is not None and record.content is not None:
            known |= record.content.identities
        if record is not None and record.stored is not None:
            known |= {record.stored.manifest.digest, *record.stored.content.identities}


def _address(cache: ImageCache) -> tuple[str, int | None]:
    """Host and port of the push side; one registry may be dialled with and without TLS."""
    url = urlsplit(cache.spec.registry.push_url)
    return (url.hostname or "").lower(), url.port or _PORTS.get(url.scheme)
