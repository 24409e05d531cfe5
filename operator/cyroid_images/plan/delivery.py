"""What one engine lacks, and by which route each image comes: a ladder of early returns.

Fallback is a rung here, not an `except`: a failed pull comes back as a Failure, and the
next plan answers Load where a tar may help, with the reason that will stand in status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import PROGRESSING, Load, Present, Pull, Step, Target, Wait
from cyroid_images.model.engine import EngineView
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.kinds.range_images import Delivery
from cyroid_images.model.knowledge import CacheView, HeldByCache, ImageRecord, SourceImage, Wish
from cyroid_images.plan import backoff

_READABLE = frozenset({Reason.REGISTRY_READ_ONLY, Reason.REGISTRY_FULL})
_WRITE_SIDE = _READABLE | {Reason.UNAUTHORIZED}


@dataclass(frozen=True, slots=True)
class Delivered:
    """What one range wants of one engine, and all that was seen: the input of the ladder."""

    target: Target
    view: EngineView
    cache: CacheView
    delivery: Delivery
    failures: Mapping[tuple[Wish, Route], Failure]
    now: datetime


def plan_image(wish: Wish, seen: Delivered) -> Step:
    """The one step that this image needs in this engine now."""
    known = knowledge_for(wish, seen.cache, seen.view.info.platform)
    content = known.content
    if content is None:
        return Wait(wish, known.fault or PROGRESSING)
    if _is_there(wish, content, seen):
        return Present(wish, content)
    because = why_tar(wish, known, seen)
    if because is None:
        return _by_registry(wish, known, seen)
    return _by_tar(wish, known, seen, because)


def knowledge_for(wish: Wish, cache: CacheView, platform: Platform) -> ImageRecord:
    """What is known of the wish for an engine of this platform, which is asked for only where
    need be."""
    known = cache.images.get(wish, ImageRecord())
    if wish.platform or known.content is None or known.content.platform == platform:
        return known
    return cache.images.get(Wish(wish.reference, platform), ImageRecord())


def why_tar(wish: Wish, known: ImageRecord, seen: Delivered) -> Fault | None:
    """Why this image must come by tar; None while the registry route is open."""
    if seen.delivery is Delivery.TAR_ONLY:
        return Fault(Reason.FORCED_BY_SPEC, "delivery is TarOnly")
    if seen.delivery is Delivery.REGISTRY_ONLY:
        return None
    return (
        _registry_is_away(known, seen)
        or _never_stored(known)
        or _unreadable(known, seen)
        or _half(wish, seen)
        or _pull_gave_up(wish, seen)
    )


def _registry_is_away(known: ImageRecord, seen: Delivered) -> Fault | None:
    """The registry cannot serve; one that only refuses writes still serves what it has."""
    fault = seen.cache.registry or known.registry
    if fault is None or (fault.reason in _WRITE_SIDE and known.stored is not None):
        return None
    return fault


def _never_stored(known: ImageRecord) -> Fault | None:
    """The push has failed, so there is nothing to pull."""
    if known.stored is not None or known.failure is None:
        return None
    return known.failure.fault if backoff.gives_way_to_tar(known.failure) else None


def _unreadable(known: ImageRecord, seen: Delivered) -> Fault | None:
    """The engine is too old for the layers that the registry has."""
    info = seen.view.info
    if known.stored is None or info.reads_zstd or not known.stored.manifest.has_zstd:
        return None
    return Fault(
        Reason.COMPRESSION_UNSUPPORTED,
        f"the engine's API {info.api[0]}.{info.api[1]} cannot read Zstd layers (needs 1.42);"
        " set spec.registry.compression: Gzip in the cache",
    )


def _half(wish: Wish, seen: Delivered) -> Fault | None:
    """The engine lists the name and lacks a layer: another pull would not fetch it."""
    name = wish.reference.tagged
    if name not in seen.view.half:
        return None
    return Fault(
        Reason.LOAD_FAILED,
        f"the engine has {name} but lacks layers that a pull does not fetch",
    )


def _pull_gave_up(wish: Wish, seen: Delivered) -> Fault | None:
    """Pulling has failed often enough, and not so long ago that it deserves another chance."""
    failure = seen.failures.get((wish, Route.REGISTRY))
    if failure is None or not backoff.gives_way_to_tar(failure):
        return None
    is_put_back = failure.next_attempt > seen.now and not failure.holds(seen.now)  # the clock
    is_old = is_put_back or seen.now >= failure.next_attempt + backoff.REGISTRY_AGAIN
    return None if is_old else failure.fault


def _is_there(wish: Wish, content: ImageContent, seen: Delivered) -> bool:
    image = seen.view.images.get(wish.reference.tagged)
    return image is not None and image.holds(content)


def _by_registry(wish: Wish, known: ImageRecord, seen: Delivered) -> Step:
    """Pull, or the reason why not now."""
    if known.stored is None:
        return Wait(wish, _not_cached(known, seen))
    failure = seen.failures.get((wish, Route.REGISTRY))
    if failure is not None and failure.holds(seen.now):
        return Wait(wish, failure.fault)
    return Pull(wish, seen.target, seen.view.info, known.stored, seen.cache.pull_host)


def _by_tar(wish: Wish, known: ImageRecord, seen: Delivered, because: Fault) -> Step:
    """Load, or the reason why not now; each attempt takes the next one who can give the tar."""
    if known.is_asked and because.reason is not Reason.FORCED_BY_SPEC:
        return Wait(wish, PROGRESSING)  # what it has is taken from there, after a restart as before
    givers = _tar_givers(known, seen, because)
    if not givers:
        return Wait(wish, _no_giver(wish, because))
    failure = seen.failures.get((wish, Route.TAR))
    if failure is not None and failure.holds(seen.now):
        return Wait(wish, failure.fault)
    giver = givers[(failure.attempts if failure else 0) % len(givers)]
    return Load(wish, seen.target, seen.view.info, giver, because)


def _no_giver(wish: Wish, because: Fault) -> Fault:
    """Neither route is open: the registry's fault is told, or that of the sources alone."""
    if because.reason is Reason.FORCED_BY_SPEC:
        message = f"{because.message}, and no source can give {wish} as a tar"
        return Fault(Reason.SOURCE_UNREACHABLE, message)
    message = f"{because.message}; no source can give {wish} as a tar either"
    return Fault(because.reason, message)


def _tar_givers(
    known: ImageRecord, seen: Delivered, because: Fault
) -> tuple[HeldByCache | SourceImage, ...]:
    """Who can give the image as a tar: blobs that lie in the registry already come first."""
    source = (known.source,) if known.source else ()
    endpoint, stored = seen.cache.endpoint, known.stored
    if endpoint is None or stored is None or not _serves_us(known, seen, because):
        return source
    return (HeldByCache(endpoint, stored), *source)


def _serves_us(known: ImageRecord, seen: Delivered, because: Fault) -> bool:
    """Can the operator read the blobs, and the engine what is built from them?"""
    if seen.delivery is Delivery.TAR_ONLY:  # for sites without a registry: never that one
        return False
    if because.reason.mark is Mark.INTEGRITY or because.reason is Reason.IMAGE_NOT_FOUND:
        return False  # the registry itself is the one in doubt
    away = seen.cache.registry or known.registry
    if away is not None and away.reason not in _READABLE:
        return False
    return _unreadable(known, seen) is None


def _not_cached(known: ImageRecord, seen: Delivered) -> Fault:
    """Why there is nothing to pull; what only the cache's admin can mend is the cache's matter."""
    if (fault := seen.cache.registry or known.registry) is not None:
        return _of_cache(fault) if fault.reason.mark is Mark.TERMINAL else fault
    if (failure := known.failure) is not None:
        return _of_cache(failure.fault) if backoff.is_given_up(failure) else failure.fault
    return Fault(Reason.PROGRESSING, "on its way into the registry")


def _of_cache(fault: Fault) -> Fault:
    return Fault(
        Reason.CACHE_NOT_READY, f"the ImageCache is stalled: {fault.reason}: {fault.message}"
    )
