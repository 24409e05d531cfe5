"""What keeps images in a registry: who wants which, and by which digests they are known there.

A registry may serve several caches, so all of those count that push into it or have engines
pull from it under the same name. What cannot be read may want anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs, stored_as
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.recorded_digests import entry_key
from cyroid_images.model.knowledge import CacheView, Wish
from cyroid_images.model.removal import Wanters

NOT_LISTED = Fault(Reason.PROGRESSING, "not all ranges are known yet")

_PORTS = {"http": 80, "https": 443}


def wanters(
    caches: Mapping[str, ImageCache], ranges: Iterable[RangeImages]
) -> Mapping[StoredAs, Wanters]:
    """Who wants what of the registry that all of these caches (by name) share.

    `ranges` may hold those of other caches.
    """
    # Per cache and reference first: many ranges want the same few images.
    found: dict[tuple[str, Reference], set[str]] = defaultdict(set)
    for name, cache in caches.items():
        for each in cache.spec.images:
            found[name, each.reference].add(f"spec.images of ImageCache {name}")
    for item in ranges:
        name = item.cache_name
        if name in caches:
            who = f"{item.metadata.namespace}/{item.metadata.name}"
            for wish in item.wishes:
                found[name, wish.reference].add(who)
    places: dict[StoredAs, set[str]] = defaultdict(set)
    for (name, reference), people in found.items():
        places[stored_as(reference, caches[name].spec.aliases)] |= people
    return {place: Wanters(min(people), len(people)) for place, people in places.items()}


def digests_needed(
    repositories: Collection[str],
    caches: Mapping[str, ImageCache],
    ranges: Iterable[RangeImages],
    views: Mapping[str, CacheView],
) -> Mapping[str, frozenset[Digest]]:
    """By repository: every digest that wanted images are known by there.

    As written, as recorded, and as the registry has it; `views` is what caches know.
    """
    wishes: dict[str, set[Wish]] = {
        name: {Wish(each.reference, each.platform) for each in cache.spec.images}
        for name, cache in caches.items()
    }
    for item in ranges:
        if item.cache_name in wishes:
            wishes[item.cache_name].update(item.wishes)
    found: dict[str, set[Digest]] = {each: set() for each in repositories}
    for name, cache in caches.items():
        for wish in wishes[name]:
            known = found.get(stored_as(wish.reference, cache.spec.aliases)[0])
            if known is not None:
                known |= _digests(wish, cache, views.get(name))
    return {repository: frozenset(each) for repository, each in found.items()}


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


def _digests(wish: Wish, cache: ImageCache, view: CacheView | None) -> set[Digest]:
    recorded = cache.status.digests.get(entry_key(wish))
    known = {each for each in (wish.reference.digest, recorded) if each is not None}
    record = view.images.get(wish) if view else None
    if record is not None and record.content is not None:
        known |= record.content.identities
    if record is not None and record.stored is not None:
        known |= {record.stored.manifest.digest, *record.stored.content.identities}
    return known


def _address(cache: ImageCache) -> tuple[str, int | None]:
    """Host and port of the push side; one registry may be dialled with and without TLS."""
    url = urlsplit(cache.spec.registry.push_url)
    return (url.hostname or "").lower(), url.port or _PORTS.get(url.scheme)
