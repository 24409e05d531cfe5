"""What a place in the registry is called by people: the other direction of `used_by.stored_as`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs, repository_of
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.overview.used_by import stored_as

PIN = "_pin-"
"""Start of the tags that only keep a manifest (`model.images.repository.pin_tag`)."""

_PORT = re.compile(r"_(?=[0-9]{1,5}$)")


def names_of(cache: ImageCache, ranges: Iterable[RangeImages] = ()) -> Mapping[StoredAs, Reference]:
    """By place: the image that is known to live there. Long names can be found only so."""
    texts = [each.image for each in cache.status.image_statuses]
    texts += cache.status.digests
    texts += [each.image for each in cache.status.source_images]
    found: dict[StoredAs, Reference] = {}
    for text in texts:
        try:
            reference = Reference.parse(text.partition(" ")[0])
        except InvalidReference:
            continue
        found[stored_as(cache, reference)] = reference
    for item in ranges:
        if item.cache_name == cache.metadata.name:
            found |= {stored_as(cache, each.reference): each.reference for each in item.wishes}
    found |= {stored_as(cache, each.reference): each.reference for each in cache.spec.images}
    return found


def name_of(cache: ImageCache, repository: str) -> str | None:
    """What images of this repository are called, without tag; None: it is none of ours.

    An external registry may hold what others put there: no name leads to it.
    """
    place, _, path = repository.partition("/")
    aliases = cache.spec.aliases
    own = aliases[0] if aliases else ""
    host = own if place == "local" else _PORT.sub(":", place)
    try:
        reference = Reference.parse(f"{host}/{path}:latest")
    except InvalidReference:
        return None
    if reference.host != host.lower() or repository_of(reference, aliases) != repository:
        return None
    return str(reference).removesuffix(":latest")


def is_shown(tag: str) -> bool:
    """Is it a tag that somebody asked for, and not one that only keeps a manifest?"""
    return not tag.startswith(PIN)
