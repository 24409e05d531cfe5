"""Which ranges want which image: what keeps it in the registry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from cyroid_images.model.images import repository
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages


def stored_as(cache: ImageCache, image: Reference) -> StoredAs:
    """Where the registry of this cache keeps the image."""
    return repository.stored_as(image, cache.spec.aliases)


def used_by(cache: ImageCache, ranges: Iterable[RangeImages]) -> Mapping[StoredAs, tuple[str, ...]]:
    """By place in the registry: `namespace/name` of each range that wants it, sorted."""
    found: dict[StoredAs, set[str]] = defaultdict(set)
    for item in ranges:
        if item.cache_name == cache.metadata.name:
            name = f"{item.metadata.namespace}/{item.metadata.name}"
            for wish in item.wishes:
                found[stored_as(cache, wish.reference)].add(name)
    return {place: tuple(sorted(names)) for place, names in found.items()}
