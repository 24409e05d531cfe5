"""What the registry of a cache holds, what it lacks, and how it is.

Names of fields that CYROID's clients know come first; what is ours stands beside them.
"""

from __future__ import annotations

from datetime import datetime

from cyroid_images.errors import InvalidReference, Reason
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import names_in_source
from cyroid_images.model.kinds.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import SourceImageStatus
from cyroid_images.overview.answer import Answer
from cyroid_images.overview.operations import PushStatus
from cyroid_images.overview.ranges import is_true


class RegistryHealth(Answer):
    """The whole answer of `/health`, which nobody needs to sign in for."""

    healthy: bool | None = None
    """Null: it is not known, since nobody could be asked."""


class RegistryStats(Answer):
    """The registry in numbers."""

    image_count: int | None = None
    """Names in the registry; null: it could not be asked."""
    tag_count: int | None = None
    """Tags of them; null: it could not be asked."""
    healthy: bool | None = None
    """Null: it is not known."""
    stored_bytes: int | None = None
    """Bytes of the images that are asked for, shared layers counted once."""
    since: datetime | None = None
    """Since when `healthy` is what it is."""
    reason: str | None = None
    message: str | None = None
    """Why it is not healthy, or why it could not be asked."""


class StoredTag(Answer):
    """What is known of one tag without asking the registry for its manifest."""

    tag: str
    digest: str | None = None
    size_bytes: int | None = None
    platform: str | None = None
    source: str | None = None
    """Name of the source that it came from."""


class StoredImage(Answer):
    """One name in the registry."""

    name: str
    """As images are called: `name:tag` can be pushed, looked up and deleted."""
    tags: tuple[str, ...]
    details: tuple[StoredTag, ...] = ()


class TagRow(Answer):
    """One tag in the registry, in full."""

    name: str
    tag: str
    image: str
    """Name and tag."""
    digest: str | None = None
    """Null: the registry did not tell, see `message`."""
    size_bytes: int | None = None
    """Bytes of config and layers as stored; of an index, of all of its platforms."""
    platform: str | None = None
    used_by: tuple[str, ...] = ()
    """`namespace/name` of ranges that want it, at most 20."""
    used_by_count: int = 0
    listed: bool = False
    """`spec.images` of the cache lists it."""
    reason: str | None = None
    message: str | None = None
    """Why it is not as wanted, or why the registry did not tell."""


class TagPage(Answer):
    """Some of the tags."""

    items: tuple[TagRow, ...]
    total: int


class UnpushedImage(Answer):
    """An image that a source engine holds and the registry lacks."""

    image: str
    source: str
    id: str
    size_bytes: int | None = None
    created: datetime | None = None


class HostImage(Answer):
    """An image of the source engines, as CYROID's image cache lists them."""

    id: str
    tags: tuple[str, ...]
    size_bytes: int
    size_gb: float
    created: datetime | None = None
    source: str
    in_registry: bool | None = None


class ImagePresence(Answer):
    """Where one image is; null: not known."""

    image_tag: str
    in_registry: bool | None = None
    on_host: bool | None = None
    needs_push: bool | None = None
    """A source engine holds content that the registry lacks."""
    digest: str | None = None
    message: str | None = None
    """Why something is not known."""


class CacheRow(Answer):
    """One cache in a list."""

    name: str
    ready: bool | None = None
    reason: str | None = None
    message: str | None = None
    pull_host: str


class PushStarted(Answer):
    """A push was asked for; nothing is pushed yet."""

    operation_id: str
    image_tag: str
    message: str


class ActivePushes(Answer):
    """Pushes that are not over."""

    pushes: tuple[PushStatus, ...]


class ImageRemoved(Answer):
    """An image was removed, or is being removed: `message` says which."""

    success: bool
    message: str


def known(cache: ImageCache, kind: ConditionType) -> Condition | None:
    """The condition, where it is known."""
    found = cache.status.condition(kind)
    is_known = found is not None and found.status != ConditionStatus.UNKNOWN
    return found if is_known else None


def is_healthy(cache: ImageCache) -> bool | None:
    """Does its registry take and give what is asked? None: not known."""
    found = known(cache, ConditionType.REGISTRY_AVAILABLE)
    return None if found is None else found.status == ConditionStatus.TRUE


def stats(
    cache: ImageCache, counts: tuple[int, int] | None, *, why: tuple[str, str] | None = None
) -> RegistryStats:
    """`counts`: names and tags; None: the registry did not tell, and `why` (reason, message)."""
    found = cache.status.condition(ConditionType.REGISTRY_AVAILABLE)
    is_bad = found is not None and found.status != ConditionStatus.TRUE
    told = (str(found.reason), found.message) if found is not None and is_bad else why
    return RegistryStats(
        image_count=counts[0] if counts else None,
        tag_count=counts[1] if counts else None,
        healthy=is_healthy(cache),
        stored_bytes=cache.status.stored_bytes,
        since=found.last_transition_time if found else None,
        reason=told[0] if told else None,
        message=told[1] if told else None,
    )


def presence(
    cache: ImageCache, image: Reference, digest: str | None, why: str | None
) -> ImagePresence:
    """Where an image is: `digest` in the registry, empty: it is not there, None: not known."""
    names = {str(name) for name in names_in_source(image, cache.spec.aliases)}
    rows = [row for row in cache.status.source_images if _same(row.image, names)]
    return ImagePresence(
        image_tag=str(image),
        in_registry=None if digest is None else bool(digest),
        on_host=True if rows else knows_sources(cache),
        needs_push=_needs_push(rows, in_registry=None if digest is None else bool(digest)),
        digest=digest or None,
        message=why,
    )


def knows_sources(cache: ImageCache) -> bool | None:
    """False: what is not among `sourceImages` is in no engine source; None: not known.

    All of them answered, and all that they hold is listed.
    """
    available = known(cache, ConditionType.SOURCE_AVAILABLE)
    has_answered = available is not None and available.status == ConditionStatus.TRUE
    is_whole = not cache.status.source_images_omitted
    return False if has_answered and is_whole and cache.status.source_images else None


def is_unknown(cache: ImageCache, image: Reference) -> str | None:
    """Why it is sure that no source of the cache has this image; None: one may."""
    row = next((row for row in cache.status.image_statuses if row.image == str(image)), None)
    if row is not None and row.reason is Reason.IMAGE_NOT_FOUND:
        return row.message or Reason.IMAGE_NOT_FOUND.meaning
    sources = cache.spec.sources
    if any(each.engine is None for each in sources) or knows_sources(cache) is None:
        return None
    names = {str(name) for name in names_in_source(image, cache.spec.aliases)}
    if any(_same(row.image, names) for row in cache.status.source_images):
        return None
    return f"no source has it (looked in {', '.join(each.name for each in sources)})"


def _same(text: str, names: set[str]) -> bool:
    try:
        return str(Reference.parse(text)) in names
    except InvalidReference:
        return False


def _needs_push(rows: list[SourceImageStatus], *, in_registry: bool | None) -> bool | None:
    """What the operator compared counts: the same tag may name other content."""
    if any(row.in_registry is False for row in rows):
        return True
    if not rows:
        return False
    if all(row.in_registry for row in rows):
        return False
    return None if in_registry is None else not in_registry


def cache_row(cache: ImageCache) -> CacheRow:
    """The line of a list."""
    found = cache.status.condition(ConditionType.READY)
    ready = found if found and found.observed_generation == cache.metadata.generation else None
    return CacheRow(
        name=cache.metadata.name,
        ready=None if ready is None else is_true(ready),
        reason=None if ready is None else str(ready.reason),
        message=None if ready is None else ready.message,
        pull_host=cache.spec.registry.pull_host,
    )


def unpushed(cache: ImageCache) -> tuple[UnpushedImage, ...]:
    """What engine sources hold and the registry surely lacks."""
    return tuple(
        UnpushedImage(
            image=each.image,
            source=each.source,
            id=str(each.id),
            size_bytes=each.size_bytes,
            created=each.created,
        )
        for each in cache.status.source_images
        if each.in_registry is False
    )


def host_images(cache: ImageCache) -> tuple[HostImage, ...]:
    """What engine sources hold, one row per content and source."""
    rows: dict[tuple[str, str], HostImage] = {}
    for each in cache.status.source_images:
        key = (each.source, str(each.id))
        before = rows.get(key)
        size = each.size_bytes or 0
        rows[key] = HostImage(
            id=str(each.id),
            tags=(*(before.tags if before else ()), each.image),
            size_bytes=size,
            size_gb=round(size / 1024**3, 2),
            created=each.created,
            source=each.source,
            in_registry=_of_all({before.in_registry if before else True, each.in_registry}),
        )
    return tuple(rows.values())


def _of_all(names: set[bool | None]) -> bool | None:
    """Whether all names of a content are there; None: not known of one, and no other lacks it."""
    if False in names:
        return False
    return None if None in names else True
