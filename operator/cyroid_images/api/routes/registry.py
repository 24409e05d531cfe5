"""Images, tags, numbers and health of the registry of a cache."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from cyroid_images.api.contents import WAIT_SECONDS, TagLists
from cyroid_images.api.problems import Problem
from cyroid_images.api.services import (
    AboutCache,
    Asking,
    NamePart,
    PageSize,
    PageStart,
    WholeList,
    services_of,
)
from cyroid_images.errors import CyroidError, InvalidReference, TransferError
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.status import ImageStatus
from cyroid_images.overview.places import is_shown, name_of, names_of
from cyroid_images.overview.registry import (
    ImagePresence,
    RegistryHealth,
    RegistryStats,
    StoredImage,
    StoredTag,
    TagPage,
    TagRow,
    UnpushedImage,
    is_healthy,
    presence,
    stats,
    unpushed,
)
from cyroid_images.overview.used_by import stored_as

router = APIRouter(prefix="/api/v1/registry", tags=["registry"])

MOST_USERS = 20
"""Ranges that are named beside an image; all are counted."""
PAGE_SECONDS = 10.0
"""For the manifests of one page; what is not read by then is shown without."""


@router.get("/health")
async def health(request: Request) -> RegistryHealth:
    """Whether the registry of the cache `default` works; null: it is not known."""
    try:
        return RegistryHealth(healthy=is_healthy(services_of(request).world.cache("default")))
    except Problem:
        return RegistryHealth()


@router.get("/images")
async def images(
    about: AboutCache,
    response: Response,
    filter: NamePart = "",  # noqa: A002 - its name in the URL
    limit: WholeList = 10_000,
    offset: PageStart = 0,
) -> list[StoredImage]:
    """Names and tags that the registry holds."""
    cache = await about.may_see()
    named = _named(about, cache, await about.services.contents.lists(cache))
    rows = _rows_by_place(cache)
    chosen = [name for name in sorted(named) if filter in name]
    response.headers["X-Total-Count"] = str(len(chosen))
    return [_stored(name, *named[name], rows) for name in chosen[offset : offset + limit]]


@router.get("/stats")
async def numbers(about: AboutCache) -> RegistryStats:
    """How many images and tags, and whether the registry works."""
    cache = await about.may_see()
    return await stats_of(about, cache)


@router.get("/tags")
async def tags(
    about: AboutCache,
    filter: NamePart = "",  # noqa: A002 - its name in the URL
    unused: bool = False,  # noqa: FBT001, FBT002 - a query parameter
    limit: PageSize = 50,
    offset: PageStart = 0,
) -> TagPage:
    """One row per tag, with digest, size, and who wants it."""
    cache = await about.may_see()
    named = _named(about, cache, await about.services.contents.lists(cache))
    listed = {stored_as(cache, each.reference) for each in cache.spec.images}
    used = about.world.used_by(cache)
    found = [
        (name, place)
        for name, (repository, names) in sorted(named.items())
        for place in ((repository, tag) for tag in names)
        if filter in f"{name}:{place[1]}" and not (unused and (place in listed or used.get(place)))
    ]
    page = found[offset : offset + limit]
    rows = await asyncio.gather(*(_row(about, cache, name, place) for name, place in page))
    return TagPage(items=tuple(rows), total=len(found))


@router.get("/unpushed")
async def lacking(about: AboutCache) -> list[UnpushedImage]:
    """What source engines hold and the registry lacks."""
    return list(unpushed(await about.may_see()))


@router.get("/status/{image_tag:path}")
async def where(about: AboutCache, image_tag: str) -> ImagePresence:
    """Where one image is; null: not known."""
    cache = await about.may_see()
    reference = Reference.parse(image_tag)
    try:
        digest = await about.services.contents.digest(cache, *stored_as(cache, reference))
    except TransferError as exc:
        return presence(cache, reference, None, f"{exc.reason}: {exc.message}")
    return presence(cache, reference, str(digest) if digest else "", None)


async def stats_of(
    about: Asking, cache: ImageCache, seconds: float = WAIT_SECONDS
) -> RegistryStats:
    """As far as the registry tells within so many seconds."""
    try:
        named = _named(about, cache, await about.services.contents.lists(cache, seconds))
    except TransferError as exc:
        return stats(cache, None, why=(str(exc.reason), exc.message))
    return stats(cache, (len(named), sum(len(names) for _, names in named.values())))


def _named(
    about: Asking, cache: ImageCache, lists: TagLists
) -> Mapping[str, tuple[str, tuple[str, ...]]]:
    """By name: repository and tags, of what is ours and shown."""
    known: dict[str, str] = {}
    for (repository, _), reference in names_of(cache, about.world.ranges().items()).items():
        known[repository] = _untagged(reference)
    found = {}
    for repository, names in lists.items():
        shown = tuple(sorted(tag for tag in names if is_shown(tag)))
        name = known.get(repository) or name_of(cache, repository)
        if shown and name is not None:
            found[name] = (repository, shown)
    return found


def _untagged(reference: Reference) -> str:
    tag = f":{reference.tag}" if reference.tag else ""
    return str(reference.tagged).removesuffix(tag or ":latest")


def _rows_by_place(cache: ImageCache) -> Mapping[StoredAs, ImageStatus]:
    found = {}
    for row in cache.status.image_statuses:
        try:
            found[stored_as(cache, Reference.parse(row.image))] = row
        except InvalidReference:
            continue
    return found


def _stored(
    name: str, repository: str, names: tuple[str, ...], rows: Mapping[StoredAs, ImageStatus]
) -> StoredImage:
    details = []
    for tag in names:
        row = rows.get((repository, tag))
        told = None if row is None or row.digest is None else row
        details.append(
            StoredTag(
                tag=tag,
                digest=str(told.digest) if told else None,
                size_bytes=told.size_bytes if told else None,
                platform=str(told.platform) if told and told.platform else None,
                source=told.source if told else None,
            )
        )
    return StoredImage(name=name, tags=names, details=tuple(details))


async def _row(about: Asking, cache: ImageCache, name: str, place: StoredAs) -> TagRow:
    repository, tag = place
    users = about.world.used_by(cache).get(place, ())
    status = _rows_by_place(cache).get(place)
    reason = str(status.reason) if status and status.reason else None
    message = status.message if status else None
    stored = None
    try:
        async with asyncio.timeout(PAGE_SECONDS):
            stored = await about.services.contents.manifest(cache, repository, tag)
    except TimeoutError:
        reason, message = "Timeout", "the registry did not tell what it is in time"
    except CyroidError as exc:
        reason, message = str(getattr(exc, "reason", "")) or None, str(exc)
    return TagRow(
        name=name,
        tag=tag,
        image=f"{name}:{tag}",
        digest=str(stored.digest) if stored else None,
        size_bytes=stored.size_bytes if stored else None,
        platform=stored.platform if stored else None,
        used_by=users[:MOST_USERS],
        used_by_count=len(users),
        listed=any(stored_as(cache, each.reference) == place for each in cache.spec.images),
        reason=reason,
        message=message,
    )
