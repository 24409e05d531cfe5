"""What the sources of a cache show: engines and archives as a whole, upstreams by image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from cyroid_images.errors import TransferError
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.fault import Fault
from cyroid_images.model.image_cache import EngineSource
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import EngineShown, SourceSeen
from cyroid_images.plan.sources import Sources, find_in
from cyroid_images.reconcile.cache_memory import CachePass
from cyroid_images.reconcile.observe_upstreams import UpstreamObserver
from cyroid_images.reconcile.site import Site


class SourceObserver:
    """Reads source engines, archives and upstream registries."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._upstreams = UpstreamObserver(site)

    async def see(self, now: CachePass, wishes: Iterable[Wish]) -> tuple[SourceSeen, ...]:
        """Each source in the order of the spec: what it shows, or why that is not known."""
        seen: list[SourceSeen] = []
        open_ones = list(wishes)
        whole = {**await self._engines(now), **await self._archives(now)}
        for source in now.item.spec.sources:
            if source.upstream is not None:
                found = await self._upstreams.see(now, source.name, source.upstream, open_ones)
            else:
                found = whole[source.name]
            seen.append(found)
            known = Sources((found,), now.item.spec.aliases, self._site.platform)
            open_ones = [wish for wish in open_ones if not _gives(found, wish, known)]
        return tuple(seen)

    async def _engines(self, now: CachePass) -> Mapping[str, SourceSeen]:
        places: dict[str, EngineEndpoint | Fault] = {}
        for source in now.item.spec.sources:
            if source.engine is not None:
                places[source.name] = await self._endpoint(source.engine)
        endpoints = [place for place in places.values() if isinstance(place, EngineEndpoint)]
        views = await self._site.looks.at(now.key, endpoints)
        return {name: _engine(name, place, views) for name, place in places.items()}

    async def _endpoint(self, engine: EngineSource) -> EngineEndpoint | Fault:
        if engine.tls is None:
            return EngineEndpoint(engine.endpoint)
        name = engine.tls.server_name or urlsplit(engine.endpoint).hostname or ""
        try:
            tls = await self._site.secrets.client_tls(engine.tls.secret_ref.name, name)
        except TransferError as exc:
            return Fault.of(exc)
        return EngineEndpoint(engine.endpoint, tls)

    async def _archives(self, now: CachePass) -> Mapping[str, SourceSeen]:
        sources = now.item.spec.sources
        paths = {each.name: each.archive.path for each in sources if each.archive}
        views = await self._site.archives.at(now.key, paths.values())
        return {name: _archive(name, views[path]) for name, path in paths.items()}


def _gives(source: SourceSeen, wish: Wish, known: Sources) -> bool:
    found = find_in(source, wish, known)
    return found is not None and not isinstance(found, Fault)


def _engine(
    name: str, place: EngineEndpoint | Fault, views: Mapping[EngineEndpoint, EngineView | Fault]
) -> SourceSeen:
    if isinstance(place, Fault):
        return SourceSeen(name, fault=place)
    shown = views[place]
    if isinstance(shown, Fault):
        return SourceSeen(name, fault=shown)
    return SourceSeen(name, EngineShown(place, shown))


def _archive(name: str, shown: ArchiveView | Fault) -> SourceSeen:
    if isinstance(shown, Fault):
        return SourceSeen(name, fault=shown)
    return SourceSeen(name, shown)
