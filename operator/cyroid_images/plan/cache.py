"""What the registry lacks: for each wish the one step that it needs now."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from cyroid_images.model.actions import (
    PROGRESSING,
    Cached,
    CacheStep,
    Copy,
    Fill,
    Push,
    Slot,
    Wait,
)
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.image import ImageContent
from cyroid_images.model.image_cache import RefreshPolicy
from cyroid_images.model.knowledge import (
    HeldByArchive,
    HeldByEngine,
    HeldByUpstream,
    Knowledge,
    SourceImage,
    Stored,
    Wish,
)
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.repository import repository_of, tag_of
from cyroid_images.plan.sources import Sources, resolve


def plan_image(wish: Wish, seen: CacheSeen, registry: RegistryEndpoint | None) -> CacheStep:
    """The one step that this wish needs now."""
    stored = seen.stored.get(wish)
    found = resolve(wish, Sources.of(seen))
    if stored and _is_current(stored, found, seen):
        return Cached(wish, stored)
    if isinstance(found, Fault):
        return Wait(wish, found)
    if seen.registry is not None or registry is None:
        return Wait(wish, seen.registry or PROGRESSING)
    failure = _holding_up(wish, found, seen)
    if failure is not None:
        return Wait(wish, failure.fault)
    return _fill(wish, found, _slot(wish, seen, registry))


def know(wish: Wish, seen: CacheSeen) -> Knowledge:
    """What the ranges are told of this wish."""
    stored = seen.stored.get(wish)
    found = resolve(wish, Sources.of(seen))
    failure = seen.failures.get(wish)
    if stored and _is_current(stored, found, seen):
        source = found if not isinstance(found, Fault) and _same(stored, found) else None
        content = _joined(stored.content, source.content) if source else stored.content
        return Knowledge(content, replace(stored, content=content), source, failure=failure)
    if isinstance(found, Fault):
        return Knowledge(fault=found, failure=failure)
    return Knowledge(found.content, None, found, failure=failure)


def drifted(wish: Wish, seen: CacheSeen) -> tuple[Stored, SourceImage] | None:
    """What the registry has and what the source has now, where a tag moved."""
    stored = seen.stored.get(wish)
    found = resolve(wish, Sources.of(seen))
    if stored is None or _is_current(stored, found, seen) or isinstance(found, Fault):
        return None
    return stored, found


def _fill(wish: Wish, found: SourceImage, slot: Slot) -> Fill:
    match found:
        case HeldByEngine():
            return Push(wish, found, slot)
        case HeldByUpstream() | HeldByArchive():
            return Copy(wish, found, slot)
        case _:
            assert_never(found)


def _slot(wish: Wish, seen: CacheSeen, registry: RegistryEndpoint) -> Slot:
    repository = repository_of(wish.reference, seen.item.spec.aliases)
    compression = seen.item.spec.registry.compression
    is_doubted = wish in seen.doubted
    return Slot(registry, repository, tag_of(wish.reference), compression, is_doubted)


def _holding_up(wish: Wish, found: SourceImage, seen: CacheSeen) -> Failure | None:
    """The failure whose next attempt is not due yet: of the image, or of its upstream host."""
    failures = [seen.failures.get(wish)]
    if isinstance(found, HeldByUpstream):
        failures.append(seen.hosts.get(found.upstream.host))
    return next((each for each in failures if each and each.holds(seen.now)), None)


def _is_current(stored: Stored, found: SourceImage | Fault, seen: CacheSeen) -> bool:
    """Does the registry hold what is wanted? The source decides, unless it cannot be seen."""
    if isinstance(found, Fault) or seen.item.spec.refresh.policy is RefreshPolicy.PIN:
        return True
    return _same(stored, found)


def _same(stored: Stored, found: SourceImage) -> bool:
    return stored.content.is_same(found.content)


def _joined(content: ImageContent, other: ImageContent) -> ImageContent:
    """One content, known by the digests of both."""
    return replace(content, aliases=content.aliases | other.identities)
