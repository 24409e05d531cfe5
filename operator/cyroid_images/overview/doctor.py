"""What of an installation is as it has to be, and what to do where it is not.

Read from specs and statuses only: what nobody has looked at is `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.overview.answer import Answer

MOST_NAMED = 5
"""Ranges that are named in one row; all are counted."""


class Result(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    NO = "no"
    UNKNOWN = "unknown"


class CheckRow(Answer):
    """One precondition."""

    check: str
    result: Result
    what: str
    """What was found."""
    todo: str = ""
    """What to do; empty: nothing."""


def checks(caches: Sequence[ImageCache], ranges: Sequence[RangeImages]) -> list[CheckRow]:
    """All of them, of these caches and ranges."""
    rows = [_caches(caches), _operator(caches, ranges)]
    for cache in caches:
        rows += [
            _condition(cache, ConditionType.REGISTRY_AVAILABLE, "the registry"),
            _condition(cache, ConditionType.SOURCE_AVAILABLE, "the sources"),
            _disk(cache),
            _registry_tls(cache),
            _sources_tls(cache),
        ]
    return [*rows, *_ranges(ranges)]


def _caches(caches: Sequence[ImageCache]) -> CheckRow:
    if caches:
        names = ", ".join(cache.metadata.name for cache in caches[:MOST_NAMED])
        return CheckRow(check="an ImageCache exists", result=Result.OK, what=names)
    todo = "create one: manifests/samples/image-cache.yaml, or defaultCache.enabled of the chart"
    return CheckRow(check="an ImageCache exists", result=Result.NO, what="none", todo=todo)


def _operator(caches: Sequence[ImageCache], ranges: Sequence[RangeImages]) -> CheckRow:
    """An operator that works has looked at every version of every object."""
    check = "the operator works"
    objects: list[ImageCache | RangeImages] = [*caches, *ranges]
    unseen = [
        each.metadata.name
        for each in objects
        if (ready := each.status.condition(ConditionType.READY)) is None
        or ready.observed_generation != each.metadata.generation
    ]
    if not objects:
        return CheckRow(check=check, result=Result.UNKNOWN, what="there is nothing to look at")
    if not unseen:
        return CheckRow(check=check, result=Result.OK, what=f"looked at all {len(objects)} objects")
    todo = "look at its pod and log: kubectl -n cyroid logs deployment/cyroid-operator"
    what = f"has not looked at {_some(unseen)} yet"
    result = Result.NO if len(unseen) == len(objects) else Result.WARN
    return CheckRow(check=check, result=result, what=what, todo=todo)


def _condition(cache: ImageCache, kind: ConditionType, words: str) -> CheckRow:
    check = f"{words} of {cache.metadata.name} can be used"
    found = cache.status.condition(kind)
    if found is None or found.status == ConditionStatus.UNKNOWN:
        what = found.message if found else "nobody has looked yet"
        return CheckRow(check=check, result=Result.UNKNOWN, what=what)
    if found.status == ConditionStatus.TRUE:
        return CheckRow(check=check, result=Result.OK, what=found.message)
    what = f"{found.reason}: {found.message}"
    return CheckRow(check=check, result=Result.NO, what=what, todo=found.reason.meaning)


def _disk(cache: ImageCache) -> CheckRow:
    check = f"the registry of {cache.metadata.name} has space"
    told = {row.reason for row in cache.status.failures}
    told |= {row.reason for row in cache.status.image_statuses if row.reason}
    if Reason.REGISTRY_FULL in told:
        todo = "remove images, then collect: kubectl cyroid gc --dry-run; or enlarge its volume"
        return CheckRow(check=check, result=Result.NO, what="it is full", todo=todo)
    if cache.status.stored_bytes is None:
        return CheckRow(check=check, result=Result.UNKNOWN, what="nothing was stored yet")
    what = f"{cache.status.stored_bytes:,} bytes of images, no write was refused for want of space"
    return CheckRow(check=check, result=Result.OK, what=what)


def _registry_tls(cache: ImageCache) -> CheckRow:
    check = f"the registry of {cache.metadata.name} speaks TLS"
    if cache.spec.registry.push_url.startswith("https://"):
        return CheckRow(check=check, result=Result.OK, what=cache.spec.registry.push_url)
    todo = "give it a certificate, and registry.pushURL https://"
    what = f"{cache.spec.registry.push_url} is plain http"
    return CheckRow(check=check, result=Result.WARN, what=what, todo=todo)


def _sources_tls(cache: ImageCache) -> CheckRow:
    check = f"source engines of {cache.metadata.name} are spoken to by TLS"
    plain = [each.name for each in cache.spec.sources if each.engine and each.engine.insecure]
    if not plain:
        return CheckRow(check=check, result=Result.OK, what="none is insecure")
    todo = "whoever reaches the port owns the engine: give it tls.secretRef instead of insecure"
    return CheckRow(check=check, result=Result.WARN, what=_some(plain), todo=todo)


def _ranges(ranges: Sequence[RangeImages]) -> Iterable[CheckRow]:
    yield _with(
        ranges,
        "range engines trust the registry",
        Reason.REGISTRY_NOT_TRUSTED,
        "mount the ConfigMap cyroid-range-engine, or its CA, into the engines",
    )
    yield _with(
        ranges,
        "range engines can be reached",
        Reason.ENGINE_UNREACHABLE,
        "look at these pods, and at NetworkPolicies between operator and engines",
    )
    yield _with(
        ranges,
        "every wanted image exists",
        Reason.IMAGE_NOT_FOUND,
        "build it, or load it into a source; or correct its name in spec.images",
    )


def _with(ranges: Sequence[RangeImages], check: str, reason: Reason, todo: str) -> CheckRow:
    """Ranges whose status names this reason."""
    if not ranges:
        return CheckRow(check=check, result=Result.UNKNOWN, what="there are no ranges")
    found = [each.metadata.name for each in ranges if reason in _reasons(each)]
    if not found:
        return CheckRow(check=check, result=Result.OK, what=f"{len(ranges)} ranges")
    what = f"{len(found)} of {len(ranges)} ranges: {_some(found)}: {reason}"
    return CheckRow(check=check, result=Result.NO, what=what, todo=todo)


def _reasons(item: RangeImages) -> set[Reason | None]:
    status = item.status
    fallback = status.condition(ConditionType.TAR_FALLBACK)
    return {
        *(row.reason for row in status.missing),
        *(row.reason for row in status.failures),
        *(row.reason for row in status.target_statuses),
        fallback.reason if fallback is not None and fallback.status == "True" else None,
    }


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
