"""One image name explained: how it is read, where it is stored, which source has it, who wants
it, and why it is not here. Read from spec and status; what they do not say is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cyroid_images.errors import InvalidReference, Reason
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs, names_in_source
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.sources import Source
from cyroid_images.model.kinds.status import ImageStatus
from cyroid_images.overview.answer import Answer
from cyroid_images.overview.operations import PushStatus, push_status
from cyroid_images.overview.used_by import stored_as

MOST_RANGES = 20
"""Ranges that are named where they lack the image."""


class SourceView(Answer):
    """What is known of one source."""

    name: str
    kind: str
    """`engine`, `upstream` or `archive`."""
    has: bool | None = None
    """Whether it has the image; null: not known."""
    what: str
    """The same for people."""


class LackingRange(Answer):
    """A range that wants the image and lacks it somewhere."""

    range: str
    """`namespace/name`."""
    reason: str
    message: str


class Explanation(Answer):
    """One name, as one ImageCache sees it."""

    image: str
    """As it was asked for."""
    host: str
    path: str
    tag: str | None = None
    digest: str | None = None
    """That the name itself pins."""
    is_alias: bool
    """The host is a spelling of the cache's own registry."""
    cache: str
    repository: str
    """Where the registry of the cache keeps it."""
    stored_tag: str
    listed: bool
    """`spec.images` lists it."""
    removed: bool
    """`spec.removedImages` lists it."""
    stored_digest: str | None = None
    """Of what the registry holds; null: not there, or not known."""
    size_bytes: int | None = None
    platform: str | None = None
    source: str | None = None
    """The source that it came from."""
    reason: str | None = None
    """Why it is not in the registry."""
    message: str | None = None
    push: PushStatus | None = None
    sources: tuple[SourceView, ...] = ()
    wanted_by: int | None = None
    """Ranges that want it; null: the ranges could not be read."""
    present_in: int | None = None
    """Ranges of them in whose every engine it is."""
    lacking: tuple[LackingRange, ...] = ()
    """At most 20."""


def explain(cache: ImageCache, text: str, ranges: Iterable[RangeImages] | None) -> Explanation:
    """Raises InvalidReference, whose message says which rule the name breaks."""
    image = Reference.parse(text)
    place = stored_as(cache, image)
    row = _row(cache, place)
    wanting = None if ranges is None else _wanting(cache, place, ranges)
    lacking = [each for each in map(_lack, wanting or ()) if each is not None]
    return Explanation(
        image=text,
        host=image.host,
        path=image.path,
        tag=image.tag,
        digest=None if image.digest is None else str(image.digest),
        is_alias=image.host in {alias.lower() for alias in cache.spec.aliases},
        cache=cache.metadata.name,
        repository=place[0],
        stored_tag=place[1],
        listed=_is_in(cache, place, (each.reference for each in cache.spec.images)),
        removed=_is_in(cache, place, (each.reference for each in cache.spec.removed_images)),
        stored_digest=None if row is None or row.digest is None else str(row.digest),
        size_bytes=None if row is None else row.size_bytes,
        platform=None if row is None or row.platform is None else str(row.platform),
        source=None if row is None else row.source,
        reason=None if row is None or row.reason is None else str(row.reason),
        message=None if row is None else row.message,
        push=push_status(cache, image),
        sources=tuple(_source(cache, each, image, row) for each in cache.spec.sources),
        wanted_by=None if wanting is None else len(wanting),
        present_in=None if wanting is None else len(wanting) - len(lacking),
        lacking=tuple(lacking[:MOST_RANGES]),
    )


Wanting = tuple[RangeImages, str]
"""A range that wants the image, and the name by which its spec does."""


def _row(cache: ImageCache, place: StoredAs) -> ImageStatus | None:
    for row in cache.status.image_statuses:
        reference = _parsed(row.image)
        if reference is not None and stored_as(cache, reference) == place:
            return row
    return None


def _parsed(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except InvalidReference:
        return None


def _is_in(cache: ImageCache, place: StoredAs, images: Iterable[Reference]) -> bool:
    return any(stored_as(cache, each) == place for each in images)


def _wanting(cache: ImageCache, place: StoredAs, ranges: Iterable[RangeImages]) -> list[Wanting]:
    found = []
    for item in ranges:
        if item.cache_name != cache.metadata.name:
            continue
        for each in item.spec.images:
            if stored_as(cache, each.reference) == place:
                found.append((item, each.image))
                break
    return found


def _has(item: RangeImages, image: str) -> bool:
    """In each of its engines: it has some, its status is of this spec, and does not miss it."""
    status = item.status
    ready = status.condition(ConditionType.READY)
    is_current = ready is not None and ready.observed_generation == item.metadata.generation
    if not is_current or not status.targets.matched:
        return False
    return not status.missing_omitted and all(row.image != image for row in status.missing)


def _lack(wanting: Wanting) -> LackingRange | None:
    item, image = wanting
    name = f"{item.metadata.namespace}/{item.metadata.name}"
    row = next((each for each in item.status.missing if each.image == image), None)
    if row is not None:
        return LackingRange(range=name, reason=str(row.reason), message=row.message)
    if _has(item, image):
        return None
    ready = item.status.condition(ConditionType.READY)
    if ready is None:
        return LackingRange(range=name, reason="Unknown", message="no pass has looked at it yet")
    return LackingRange(range=name, reason=str(ready.reason), message=ready.message)


def _source(
    cache: ImageCache, source: Source, image: Reference, row: ImageStatus | None
) -> SourceView:
    gave = row is not None and row.source == source.name and row.digest is not None
    if source.engine is not None:
        return _engine(cache, source.name, image, gave=gave)
    if source.upstream is not None:
        hosts = [host.lower() for host in source.upstream.hosts]
        return _upstream(source.name, hosts, image, row, gave=gave)
    return _archive(source.name, row, gave=gave)


def _engine(cache: ImageCache, name: str, image: Reference, *, gave: bool) -> SourceView:
    wanted = {str(each) for each in names_in_source(image.tagged, cache.spec.aliases)}
    held = [each for each in cache.status.source_images if each.source == name]
    found = next((each for each in held if each.image in wanted), None)
    if found is not None:
        told = "not compared with the registry yet"
        if found.in_registry is not None:
            told = "as the registry" if found.in_registry else "and the registry lacks that content"
        return SourceView(
            name=name, kind="engine", has=True, what=f"has it as {found.image}, {told}"
        )
    if gave:
        return SourceView(name=name, kind="engine", has=None, what="gave it; may have it no more")
    if held and not cache.status.source_images_omitted:
        return SourceView(name=name, kind="engine", has=False, what="does not have it")
    return SourceView(name=name, kind="engine", has=None, what="its images are not known")


def _upstream(
    name: str, hosts: Sequence[str], image: Reference, row: ImageStatus | None, *, gave: bool
) -> SourceView:
    if image.host not in hosts:
        told = f"not asked: it serves {', '.join(hosts)}"
        return SourceView(name=name, kind="upstream", has=None, what=told)
    return _asked(name, "upstream", row, gave=gave)


def _archive(name: str, row: ImageStatus | None, *, gave: bool) -> SourceView:
    return _asked(name, "archive", row, gave=gave)


def _asked(name: str, kind: str, row: ImageStatus | None, *, gave: bool) -> SourceView:
    if gave:
        return SourceView(name=name, kind=kind, has=True, what="the registry has it from there")
    if row is not None and row.reason is Reason.IMAGE_NOT_FOUND:
        return SourceView(name=name, kind=kind, has=False, what="does not have it")
    return SourceView(name=name, kind=kind, has=None, what="not known")
