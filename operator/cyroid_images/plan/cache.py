"""What the registry lacks: for each wish the one step that it needs now.

Unknown comes before absent: nobody has an image only when everyone who could have it has
answered, the registry among them. While no source can be seen, only the digest is believed
that was proven against a source before: whoever can write to the registry cannot change that.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from cyroid_images.errors import Mark, Reason
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
from cyroid_images.model.fault import Absence, Failure, Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.images.repository import repository_of, tag_of
from cyroid_images.model.kinds.image_cache import RefreshPolicy
from cyroid_images.model.knowledge import (
    HeldByArchive,
    HeldByEngine,
    HeldByUpstream,
    ImageRecord,
    SourceImage,
    Stored,
    Wish,
)
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.plan.sources import is_answer, resolution


def plan_image(wish: Wish, seen: CacheSeen, registry: RegistryEndpoint | None) -> CacheStep:
    """The one step that this wish needs now."""
    found = resolution(wish, seen)
    stored = current(wish, found, seen)
    if stored is not None:
        return Cached(wish, stored)
    unknown = _registry_unknown(wish, seen)
    if isinstance(found, Fault):
        # A source that may come back is told; that nobody has it, only when all have answered.
        return Wait(wish, unknown if unknown and isinstance(found, Absence) else found)
    if registry is None or (unknown is not None and not _is_damage(unknown)):
        return Wait(wish, unknown or PROGRESSING)
    failure = _holding_up(wish, found, seen)
    if failure is not None:
        return Wait(wish, failure.fault)
    return _fill(wish, found, slot_of(wish, seen, registry))


def know(wish: Wish, seen: CacheSeen) -> ImageRecord:
    """What the ranges are told of this wish."""
    found = resolution(wish, seen)
    failure, unknown = seen.failures.get(wish), _registry_unknown(wish, seen)
    away = None if unknown is None or _is_open(unknown) else unknown
    stored = current(wish, found, seen)
    if stored is not None:
        source = found if not isinstance(found, Fault) and _same(stored, found) else None
        content = _joined(stored.content, source.content) if source else stored.content
        held = replace(stored, content=content)
        return ImageRecord(content, held, source, registry=away, failure=failure)
    if unknown is not None and _may_be_pinned(wish, unknown, seen):
        return ImageRecord(fault=unknown, registry=away, failure=failure)
    if not isinstance(found, Fault):
        is_asked = unknown is not None and unknown.reason is Reason.PROGRESSING
        return ImageRecord(
            found.content, None, found, is_asked=is_asked, registry=away, failure=failure
        )
    if isinstance(found, Absence) and unknown is not None:
        return ImageRecord(fault=unknown, registry=away, failure=failure)
    is_unknown = unknown is not None or not is_answer(found)
    return ImageRecord(fault=found, is_unknown=is_unknown, registry=away, failure=failure)


def current(wish: Wish, found: SourceImage | Fault, seen: CacheSeen) -> Stored | None:
    """What the registry holds of it, if that is what is wanted.

    The source decides. Of what no source shows, and of what is pinned, only the anchor is
    believed; without one, what the registry has where everyone else has answered.
    """
    stored = seen.stored.get(wish)
    if stored is None:
        return None
    anchor = seen.anchors.get(wish)
    is_pinned = _is_pinned(seen)
    if anchor is not None and (is_pinned or isinstance(found, Fault)):
        return stored if _is_anchored(stored, anchor) else None
    if isinstance(found, Fault):
        return stored if isinstance(found, Absence) else None
    return stored if _same(stored, found) else None


def anchored(wish: Wish, seen: CacheSeen) -> Digest | None:
    """The digest to believe from now on; None: as before, or none yet.

    A stored image that a source shows, too, or that everyone else answered not to have.
    """
    found = resolution(wish, seen)
    stored = current(wish, found, seen)
    if stored is None or (isinstance(found, Fault) and not isinstance(found, Absence)):
        return None
    if not seen.item.spec.sources and not _is_pinned(seen):
        return None  # the registry is the only one who knows, and Track follows it
    if _is_pinned(seen) and wish in seen.anchors:
        return None
    return stored.manifest.digest


def _is_pinned(seen: CacheSeen) -> bool:
    return seen.item.spec.refresh.policy is RefreshPolicy.PIN


def drifted(wish: Wish, seen: CacheSeen) -> tuple[Stored, SourceImage] | None:
    """What the registry has and what the source has now, where a tag moved."""
    stored = seen.stored.get(wish)
    found = resolution(wish, seen)
    if stored is None or isinstance(found, Fault) or current(wish, found, seen) is not None:
        return None
    return stored, found


def _registry_unknown(wish: Wish, seen: CacheSeen) -> Fault | None:
    """Why it is not known whether the registry has it; None: it has answered."""
    return seen.registry or seen.lookups.get(wish)


def _is_damage(unknown: Fault) -> bool:
    """It has answered, with something that does not have its digest: that is put right."""
    return unknown.reason.mark is Mark.INTEGRITY


def _is_open(unknown: Fault) -> bool:
    """Is that no fault of the registry as a whole?"""
    return unknown.reason is Reason.PROGRESSING or _is_damage(unknown)


def _may_be_pinned(wish: Wish, unknown: Fault, seen: CacheSeen) -> bool:
    """Pinned is what was proven once, and the registry cannot tell whether it has that: a source
    may have moved on. What was never proven is what the source shows."""
    return _is_pinned(seen) and wish in seen.anchors and not _is_damage(unknown)


def _fill(wish: Wish, found: SourceImage, slot: Slot) -> Fill:
    match found:
        case HeldByEngine():
            return Push(wish, found, slot)
        case HeldByUpstream() | HeldByArchive():
            return Copy(wish, found, slot)
        case _:
            assert_never(found)


def slot_of(wish: Wish, seen: CacheSeen, registry: RegistryEndpoint) -> Slot:
    """Where in the registry an image of this name is put."""
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


def _is_anchored(stored: Stored, anchor: Digest) -> bool:
    return anchor == stored.manifest.digest or anchor in stored.content.identities


def _same(stored: Stored, found: SourceImage) -> bool:
    return stored.content.is_same(found.content)


def _joined(content: ImageContent, other: ImageContent) -> ImageContent:
    """One content, known by the digests of both."""
    return replace(content, aliases=content.aliases | other.identities)
