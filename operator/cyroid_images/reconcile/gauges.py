"""The state of everything at this moment, for a scrape: read from what the controller has anyway.

No I/O and no memory of its own, so what is deleted is no longer shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.status import Status
from cyroid_images.model.telemetry.measured import GaugeValues, Moving
from cyroid_images.model.telemetry.measures import way_of
from cyroid_images.reconcile.parts import Parts
from cyroid_images.store.demand import Demand
from cyroid_images.store.keys import Kind
from cyroid_images.store.store import Store


def gauges(parts: Parts) -> GaugeValues:
    """Called in the event loop; takes about a microsecond per object."""
    store = parts.store
    return GaugeValues(
        due=parts.queue.count_due(),
        working=parts.queue.count_running(),
        ready=dict(_ready(store)),
        targets=_targets(store),
        insecure=sum(_insecure(store)),
        registries=dict(_registries(store, parts.demand)),
        moving=tuple(_moving(parts)),
    )


def _ready(store: Store) -> Iterator[tuple[tuple[str, str, str], bool]]:
    for key, item in store.ranges.items():
        if not item.spec.suspend:
            yield (str(key.kind), key.namespace, key.name), _is_ready(item.status)
    for name, cache in store.caches.items():
        if not cache.spec.suspend:
            yield (str(Kind.IMAGE_CACHE), "", name), _is_ready(cache.status)
    for key in store.broken:
        yield (str(key.kind), key.namespace, key.name), False


def _is_ready(status: Status) -> bool:
    found = status.condition(ConditionType.READY)
    return found is not None and found.status is ConditionStatus.TRUE


def _targets(store: Store) -> dict[str, int]:
    counts = [item.status.targets for item in store.ranges.values()]
    ready = sum(each.ready for each in counts)
    return {"ready": ready, "not_ready": sum(each.matched for each in counts) - ready}


def _insecure(store: Store) -> Iterator[int]:
    for cache in store.caches.values():
        yield _insecure_of(cache)
    for item in store.ranges.values():
        if item.spec.targets.docker.insecure:
            yield item.status.targets.matched


def _insecure_of(cache: ImageCache) -> int:
    engines = [each.engine for each in cache.spec.sources if each.engine]
    upstreams = [each.upstream for each in cache.spec.sources if each.upstream]
    plain = sum(each.insecure for each in engines)
    plain += sum(len(each.hosts) for each in upstreams if each.insecure)
    return plain + cache.spec.registry.push_url.startswith("http://")


def _registries(store: Store, demand: Demand) -> Iterator[tuple[str, bool]]:
    """Not up: it does not answer, or cannot tell what it has."""
    for name in store.caches:
        view = demand.view(name)
        if view is not None and view.looked:
            yield name, view.registry_fault(view.images) is None


def _moving(parts: Parts) -> Iterator[Moving]:
    for job in parts.executor.under_way():
        way = way_of(job.transfer.action)
        if way is not None and job.progress is not None:
            yield Moving(job.id, way, job.progress.done)
