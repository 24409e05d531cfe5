"""The state of everything at this moment, for a scrape: read from what the loop has anyway.

No I/O and no memory of its own, so what is deleted is no longer shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from cyroid_images.model.conditions import ConditionStatus, ConditionType
from cyroid_images.model.image_cache import ImageCache
from cyroid_images.model.measured import Moving, State
from cyroid_images.model.status import Status
from cyroid_images.reconcile.board import Board
from cyroid_images.store.keys import Kind
from cyroid_images.reconcile.measures import way_of
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.world import World


def snapshot(site: Site) -> State:
    """Called in the event loop; takes about a microsecond per object."""
    world = site.world
    return State(
        due=site.queue.count_due(),
        working=site.queue.count_running(),
        ready=dict(_ready(world)),
        targets=_targets(world),
        insecure=sum(_insecure(world)),
        registries=dict(_registries(world, site.board)),
        moving=tuple(_moving(site)),
    )


def _ready(world: World) -> Iterator[tuple[tuple[str, str, str], bool]]:
    for key, item in world.ranges.items():
        if not item.spec.suspend:
            yield (str(key.kind), key.namespace, key.name), _is_ready(item.status)
    for name, cache in world.caches.items():
        if not cache.spec.suspend:
            yield (str(Kind.IMAGE_CACHE), "", name), _is_ready(cache.status)
    for key in world.broken:
        yield (str(key.kind), key.namespace, key.name), False


def _is_ready(status: Status) -> bool:
    found = status.condition(ConditionType.READY)
    return found is not None and found.status is ConditionStatus.TRUE


def _targets(world: World) -> dict[str, int]:
    counts = [item.status.targets for item in world.ranges.values()]
    ready = sum(each.ready for each in counts)
    return {"ready": ready, "not_ready": sum(each.matched for each in counts) - ready}


def _insecure(world: World) -> Iterator[int]:
    for cache in world.caches.values():
        yield _insecure_of(cache)
    for item in world.ranges.values():
        if item.spec.targets.docker.insecure:
            yield item.status.targets.matched


def _insecure_of(cache: ImageCache) -> int:
    engines = [each.engine for each in cache.spec.sources if each.engine]
    upstreams = [each.upstream for each in cache.spec.sources if each.upstream]
    plain = sum(each.insecure for each in engines)
    plain += sum(len(each.hosts) for each in upstreams if each.insecure)
    return plain + cache.spec.registry.push_url.startswith("http://")


def _registries(world: World, board: Board) -> Iterator[tuple[str, bool]]:
    for name in world.caches:
        view = board.view(name)
        if view is not None and view.looked:
            yield name, view.registry is None


def _moving(site: Site) -> Iterator[Moving]:
    for job in site.jobs.under_way():
        way = way_of(job.move.action)
        if way is not None and job.progress is not None:
            yield Moving(job.id, way, job.progress.done)
