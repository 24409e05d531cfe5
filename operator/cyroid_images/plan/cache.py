"""What the registry lacks, and which source gives it: resolve each wish, then decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.actions import PROGRESSING, Cached, CacheStep, Push, Slot, Wait
from cyroid_images.model.engine import EngineView
from cyroid_images.model.fault import Fault
from cyroid_images.model.image import EngineImage, ImageContent
from cyroid_images.model.image_cache import RefreshPolicy
from cyroid_images.model.knowledge import HeldByEngine, Knowledge, SourceImage, Stored, Wish
from cyroid_images.model.observed import CacheSeen, SourceSeen
from cyroid_images.model.reference import Reference
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.repository import names_in_source, repository_of, tag_of


def resolve(
    wish: Wish, sources: Sequence[SourceSeen], aliases: Sequence[str]
) -> HeldByEngine | Fault:
    """The image in the first reachable source that has it, or why no source gives it."""
    other_platform: Fault | None = None
    for source in sources:
        if source.view is None or source.endpoint is None:
            continue
        image = _image(source.view, names_in_source(wish.reference, aliases))
        if image is None:
            continue
        if wish.platform is None or image.content.platform == wish.platform:
            content = replace(image.content, aliases=image.content.aliases | {image.id})
            return HeldByEngine(
                source.name, source.endpoint, source.view.info, image.id, content, image.size
            )
        other_platform = Fault(
            Reason.PLATFORM_MISMATCH,
            f"{source.name} has {wish.reference} for {image.content.platform}, not for"
            f" {wish.platform}",
        )
    unseen = [source for source in sources if source.fault is not None]
    if unseen:
        fault = unseen[0].fault or PROGRESSING
        return Fault(Reason.SOURCE_UNREACHABLE, f"source {unseen[0].name}: {fault.message}")
    return other_platform or Fault(Reason.IMAGE_NOT_FOUND, _not_found(wish, sources))


def plan_image(wish: Wish, seen: CacheSeen, registry: RegistryEndpoint | None) -> CacheStep:
    """The one step that this wish needs now."""
    stored = seen.stored.get(wish)
    found = resolve(wish, seen.sources, seen.item.spec.aliases)
    if stored and _is_current(stored, found, seen):
        return Cached(wish, stored)
    if isinstance(found, Fault):
        return Wait(wish, found)
    if seen.registry is not None or registry is None:
        return Wait(wish, seen.registry or PROGRESSING)
    failure = seen.failures.get(wish)
    if failure is not None and failure.next_attempt > seen.now:
        return Wait(wish, failure.fault)
    repository = repository_of(wish.reference, seen.item.spec.aliases)
    compression = seen.item.spec.registry.compression
    return Push(wish, found, Slot(registry, repository, tag_of(wish.reference), compression))


def know(wish: Wish, seen: CacheSeen) -> Knowledge:
    """What the ranges are told of this wish."""
    stored = seen.stored.get(wish)
    found = resolve(wish, seen.sources, seen.item.spec.aliases)
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
    found = resolve(wish, seen.sources, seen.item.spec.aliases)
    if stored is None or _is_current(stored, found, seen) or isinstance(found, Fault):
        return None
    return stored, found


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


def _image(view: EngineView, names: Iterable[Reference]) -> EngineImage | None:
    """The image under the first of these names that the engine has; a digest decides."""
    for name in names:
        if name.digest is None:
            found = view.images.get(name)
        else:
            found = view.by_digest.get(replace(name, tag=None))
            found = found or _by_identity(view, name)
        if found is not None:
            return found
    return None


def _by_identity(view: EngineView, name: Reference) -> EngineImage | None:
    tagged = view.images.get(name.tagged) if name.tag else None
    return tagged if tagged and name.digest in {tagged.id, *tagged.content.identities} else None


def _not_found(wish: Wish, sources: Sequence[SourceSeen]) -> str:
    if not sources:
        return f"{wish.reference} is not in the registry, and the cache names no source"
    names = ", ".join(source.name for source in sources)
    return f"no source has {wish.reference} (looked in {names}); it is looked for again"
