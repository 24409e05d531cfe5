"""Where an image comes from: the first source, in the order of the cache, that has it.

A source that cannot be seen is skipped, and is the answer only when no other source has the
image: not seen is not the same as not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import PROGRESSING
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.engine import EngineView
from cyroid_images.model.fault import Absence, Fault
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import names_in_source
from cyroid_images.model.knowledge import HeldByArchive, HeldByEngine, SourceImage, Wish
from cyroid_images.model.observed import CacheSeen, EngineShown, SourceSeen, UpstreamShown

Found = SourceImage | Fault | None
"""None: the source was seen and does not have it. A fault: it cannot tell, or cannot give it."""

_ANSWERS = frozenset({Reason.PLATFORM_MISMATCH, Reason.HOST_NOT_ALLOWED, Reason.IMAGE_NOT_FOUND})
_ENGINE_FAULTS = frozenset({Reason.ENGINE_UNREACHABLE, Reason.TIMEOUT, Reason.WAITING_FOR_ENGINE})


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one cache, and how its image names are to be read."""

    seen: Sequence[SourceSeen]
    aliases: Sequence[str] = ()
    default: Platform | None = None
    not_fresh: frozenset[Wish] = frozenset()
    """Wished for since the sources were looked at: what they lack may be there by now."""

    @classmethod
    def of(cls, seen: CacheSeen) -> Sources:
        return cls(seen.sources, seen.item.spec.aliases, seen.default, seen.not_fresh)


def resolution(wish: Wish, seen: CacheSeen) -> SourceImage | Fault:
    """The same for a pass, which computes it once per wish."""
    found = seen.found.get(wish)
    return resolve(wish, Sources.of(seen)) if found is None else found


def resolve(wish: Wish, sources: Sources) -> SourceImage | Fault:
    """The image in the first source that has it, or why no source gives it."""
    faults = []
    for source in sources.seen:
        found = find_in(source, wish, sources)
        if isinstance(found, Fault):
            faults.append(found)
        elif found is not None:
            return found
        elif wish in sources.not_fresh and not isinstance(source.shown, UpstreamShown):
            faults.append(Fault(Reason.PROGRESSING, f"source {source.name}: looked at again"))
    if faults:  # who may have it comes before who was seen; who may come back, before a human
        return min(faults, key=lambda each: (is_answer(each), each.reason.mark is Mark.TERMINAL))
    return _not_found(wish, sources)


def is_answer(fault: Fault) -> bool:
    """Does it say what is there? All other faults say that it could not be seen."""
    return fault.reason in _ANSWERS


def find_in(source: SourceSeen, wish: Wish, sources: Sources) -> Found:
    """What one source has for this wish."""
    match source.shown:
        case None:
            return _unseen(source)
        case EngineShown():
            names = names_in_source(wish.reference, sources.aliases)
            return _in_engine(source, source.shown, wish, names)
        case ArchiveView():
            names = names_in_source(wish.reference, sources.aliases)
            return _in_archive(source, source.shown, wish, names, sources.default)
        case UpstreamShown():
            return source.shown.answers.get(wish)
        case _:
            assert_never(source.shown)


def _unseen(source: SourceSeen) -> Fault:
    fault = source.fault or PROGRESSING
    reason = Reason.SOURCE_UNREACHABLE if fault.reason in _ENGINE_FAULTS else fault.reason
    return Fault(reason, f"source {source.name}: {fault.message}", fault.retry_after)


def _in_engine(
    source: SourceSeen, shown: EngineShown, wish: Wish, names: Sequence[Reference]
) -> Found:
    image = _image(shown.view, names)
    if image is None:
        return _half(source, shown.view, wish, names)
    if wish.platform is not None and image.content.platform != wish.platform:
        return _other_platform(source, wish, [image.content.platform])
    content = image.content
    if image.id not in content.aliases:
        content = replace(content, aliases=content.aliases | {image.id})
    info = shown.view.info
    return HeldByEngine(source.name, shown.endpoint, info, image.id, content, image.size)


def _half(
    source: SourceSeen, view: EngineView, wish: Wish, names: Iterable[Reference]
) -> Fault | None:
    """It lists the name and lacks a layer: what it would give is not whole."""
    if not any(name in view.half for name in names):
        return None
    return Fault(
        Reason.BLOB_MISSING,
        f"source {source.name} has {wish.reference} without all of its layers (docker save of it"
        " is incomplete): build or pull it there again",
    )


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


def _in_archive(
    source: SourceSeen,
    view: ArchiveView,
    wish: Wish,
    names: Sequence[Reference],
    default: Platform | None,
) -> Found:
    """An archive may hold one name for several platforms; a damaged one cannot tell."""
    images = next((found for name in names if (found := _named(view, name))), ())
    if not images:
        return _damaged(source, view, wish)
    wanted = wish.platform or default
    right = [image for image in images if image.content.platform == wanted]
    if not right and wish.platform is not None:
        return _other_platform(source, wish, [image.content.platform for image in images])
    return HeldByArchive(source.name, (right or images)[0])


def _named(view: ArchiveView, name: Reference) -> Sequence[ArchiveImage]:
    if name.digest is None:
        return view.named(name)
    return [
        image
        for image in view.images
        if name.digest in image.content.identities
        and any(known.name == name.name for known in image.names)
    ]


def _damaged(source: SourceSeen, view: ArchiveView, wish: Wish) -> Fault | None:
    """It may be in what could not be read, and as well be nowhere: both are said."""
    if not view.faults:
        return None
    archive, fault = next(iter(view.faults.items()))
    others = f" or {len(view.faults) - 1} more" if len(view.faults) > 1 else ""
    return Fault(
        fault.reason,
        f"source {source.name}: {wish.reference} is in no readable archive, but may be"
        f" in {archive}{others}: {fault.message}",
    )


def _other_platform(source: SourceSeen, wish: Wish, found: Iterable[Platform]) -> Fault:
    there = ", ".join(sorted(str(platform) for platform in found))
    return Fault(
        Reason.PLATFORM_MISMATCH,
        f"{source.name} has {wish.reference} for {there}, not for {wish.platform}",
    )


def _not_found(wish: Wish, sources: Sources) -> Absence:
    """Where upstreams are named, a host that is none of them is not dialled at all."""
    if not sources.seen:
        message = f"{wish.reference} is not in the registry, and the cache names no source"
        return Absence(Reason.IMAGE_NOT_FOUND, message)
    names = ", ".join(source.name for source in sources.seen)
    message = f"no source has {wish.reference} (looked in {names})"
    named = [each.shown.hosts for each in sources.seen if isinstance(each.shown, UpstreamShown)]
    known = frozenset(sources.aliases).union(*named)
    if named and wish.reference.host not in known:
        cause = f"{message}, and no upstream of the cache names {wish.reference.host}"
        return Absence(Reason.HOST_NOT_ALLOWED, cause)
    return Absence(Reason.IMAGE_NOT_FOUND, f"{message}; will look again")
