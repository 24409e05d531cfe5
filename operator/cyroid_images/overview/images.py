"""What a registry holds or is to hold, as its ImageCache alone tells it: no registry is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import ImageStatus
from cyroid_images.overview.answer import Answer
from cyroid_images.overview.used_by import stored_as, used_by

MOST_USERS = 20
"""Ranges that are named per image."""


class CachedImage(Answer):
    """One image that a registry holds or is to hold."""

    cache: str
    name: str
    """Repository in the registry."""
    tag: str
    image: str
    """As the spec or a range names it."""
    digest: str | None = None
    """Of the manifest or index in the registry; null while it is not there."""
    size_bytes: int | None = None
    platform: str | None = None
    source: str | None = None
    """Name of the source that it came from."""
    used_by: tuple[str, ...] = ()
    """`namespace/name` of ranges that want it, at most 20."""
    used_by_count: int | None = None
    """Null: the ranges could not be read."""
    listed: bool
    """`spec.images` lists it."""
    reason: str | None = None
    message: str | None = None


def cached_images(
    cache: ImageCache, ranges: Iterable[RangeImages] | None
) -> tuple[CachedImage, ...]:
    """What status tells, and what is listed and has no row yet. Ranges None: not known."""
    users = None if ranges is None else used_by(cache, ranges)
    listed = {each.reference: each.platform for each in cache.spec.images}
    rows = list(cache.status.image_statuses)
    told = {each.image for each in rows}
    # Those that nobody has looked at yet:
    rows += [ImageStatus(image=str(each)) for each in listed if str(each) not in told]
    found = (_cached(cache, row, users, listed) for row in rows)
    return tuple(each for each in found if each is not None)


def _cached(
    cache: ImageCache,
    row: ImageStatus,
    users: Mapping[StoredAs, tuple[str, ...]] | None,
    listed: Iterable[Reference],
) -> CachedImage | None:
    """None for a row whose name cannot be read: a newer version wrote it."""
    try:
        image = Reference.parse(row.image)
    except InvalidReference:
        return None
    place = stored_as(cache, image)
    names = None if users is None else users.get(place, ())
    return CachedImage(
        cache=cache.metadata.name,
        name=place[0],
        tag=place[1],
        image=row.image,
        digest=None if row.digest is None else str(row.digest),
        size_bytes=row.size_bytes,
        platform=None if row.platform is None else str(row.platform),
        source=row.source,
        used_by=() if names is None else names[:MOST_USERS],
        used_by_count=None if names is None else len(names),
        listed=not row.on_demand and image in listed,
        reason=None if row.reason is None else str(row.reason),
        message=row.message,
    )
