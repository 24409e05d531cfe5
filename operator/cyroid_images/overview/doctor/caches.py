"""Do registries and sources answer, is what is spoken to them encrypted, is there room?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.doctor.checks import Check, no, ok, some, unknown, warn
from cyroid_images.overview.doctor.facts import Facts, NotSeen


def caches(facts: Facts) -> Iterator[Check]:
    """A row per cache and question."""
    check, found = "image caches", facts.caches
    if isinstance(found, NotSeen):
        yield unknown(check, found)
        return
    if not found:
        yield no(check, "there is no ImageCache", "kubectl apply one, or defaultCache.enabled")
        return
    for cache in found:
        name = f"cache {cache.metadata.name}"
        yield _condition(
            f"registry answers ({name})",
            cache,
            ConditionType.REGISTRY_AVAILABLE,
            f"kubectl describe imagecache {cache.metadata.name}",
        )
        yield _condition(
            f"sources answer ({name})",
            cache,
            ConditionType.SOURCE_AVAILABLE,
            f"spec.sources of {name}: endpoint, Secret, network policy",
        )
        yield _encrypted(name, cache)
        yield _room(name, cache)
    yield _suspended(found)


def _condition(check: str, cache: ImageCache, kind: ConditionType, todo: str) -> Check:
    found = cache.status.condition(kind)
    if found is None or found.observed_generation < cache.metadata.generation:
        return unknown(check, "the operator has not looked at its newest spec", "is it active?")
    told = f"{found.reason}: {found.message}"
    match found.status:
        case ConditionStatus.TRUE:
            return ok(check, told)
        case ConditionStatus.FALSE:
            return no(check, told, todo)
        case ConditionStatus.UNKNOWN:
            return unknown(check, told, todo)


def _encrypted(name: str, cache: ImageCache) -> Check:
    """Who reaches an engine without TLS owns it."""
    check = f"engines and registry by TLS ({name})"
    open_sources = [
        source.name
        for source in cache.spec.sources
        if (source.engine is not None and source.engine.insecure)
        or (source.upstream is not None and source.upstream.insecure)
    ]
    plain = ["the registry"] if cache.spec.registry.push_url.startswith("http://") else []
    if open_sources:
        return warn(
            check,
            f"without TLS: {some([*open_sources, *plain])}",
            "give the source tls.secretRef instead of insecure: true; until then let only the"
            " operator reach it (NetworkPolicy)",
        )
    if plain:
        return warn(check, "pushes go to the registry without TLS", "registry.tls of the chart")
    return ok(check, "all of them")


def _room(name: str, cache: ImageCache) -> Check:
    """How full the disk is nobody tells; that it is full, everybody does."""
    check = f"registry disk ({name})"
    status = cache.status
    told = [
        *((row.reason, row.message) for row in status.failures),
        *((row.reason, row.message) for row in status.image_statuses),
        *((row.reason, row.message) for row in status.conditions),
    ]
    todo = f"kubectl cyroid gc --dry-run --cache {cache.metadata.name}, or enlarge its volume"
    full = next((text for reason, text in told if reason is Reason.REGISTRY_FULL), None)
    if full is not None:
        return no(check, full, todo)
    stored = status.stored_bytes
    takes = "" if stored is None else f"images take {stored / 1e9:.1f} GB; "
    return unknown(check, f"{takes}the registry does not tell how much room it has", todo)


def _suspended(found: Sequence[ImageCache]) -> Check:
    check = "caches at work"
    names = [cache.metadata.name for cache in found if cache.spec.suspend]
    stalled = [_stalled(cache) for cache in found]
    told = [text for text in stalled if text]
    if told:
        return no(check, "; ".join(told), "kubectl cyroid images shows each image and why")
    if names:
        return warn(check, f"suspended: {some(names)}", "kubectl cyroid resume --cache NAME")
    return ok(check, f"{len(found)}")


def _stalled(cache: ImageCache) -> str | None:
    found: Condition | None = cache.status.condition(ConditionType.STALLED)
    return None if found is None else f"{cache.metadata.name}: {found.reason}: {found.message}"
