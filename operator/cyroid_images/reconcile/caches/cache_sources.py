"""What the sources of a cache show: engines and archives as a whole, upstreams by image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cyroid_images.errors import Reason
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.repository import TRANSPORT_HOST
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.sources import EngineSource, Source, UpstreamSource
from cyroid_images.model.knowledge import HeldByUpstream, Wish
from cyroid_images.model.observed import EngineShown, SourceSeen, UpstreamShown
from cyroid_images.model.upstream import normal_host
from cyroid_images.observe.observer import Observer
from cyroid_images.observe.places import ArchivePlace, EnginePlace, UpstreamAnswer, UpstreamPlace
from cyroid_images.observe.source_events import SourceEvents
from cyroid_images.plan.sources import Sources, find_in
from cyroid_images.reconcile.caches.cache_state import CacheState
from cyroid_images.store.keys import Key

WAITING_SECONDS = 30.0
"""What no source has may be there at any moment, and archives send no events."""
LISTENING_SECONDS = 120.0
"""The same of an engine that tells of every change: what comes into its store behind its back
(`ctr`) is no event. A containerd store works 12 ms for each image that it lists."""
NOT_YET = Fault(Reason.PROGRESSING, "not looked at yet")

UpstreamFound = HeldByUpstream | Fault | None


@dataclass(frozen=True, slots=True)
class CacheSources:
    """Follows source engines, archives and upstream registries."""

    engines: Observer[EnginePlace, EngineShown]
    archives: Observer[ArchivePlace, ArchiveView]
    upstreams: Observer[UpstreamPlace, UpstreamAnswer]
    events: SourceEvents
    platform: Platform

    def take(
        self, key: Key, item: ImageCache, state: CacheState, wishes: Iterable[Wish]
    ) -> tuple[tuple[SourceSeen, ...], frozenset[Wish]]:
        """Each source in the order of the spec, and the wishes that are newer than the looks."""
        wanted = list(wishes)
        whole = self._whole(key, item, state, wanted)
        not_fresh = self._not_fresh(item, state, wanted)
        seen: list[SourceSeen] = []
        asked: dict[UpstreamPlace, float] = {}
        open_ones = list(wanted)
        for source in item.spec.sources:
            if source.upstream is not None:
                found = self._upstream(item, source, source.upstream, open_ones, asked)
            else:
                found = whole[source.name]
            seen.append(found)
            known = Sources((found,), item.spec.aliases, self.platform)
            open_ones = [wish for wish in open_ones if not _gives(found, wish, known)]
        self.upstreams.follow(key, asked)
        if state.is_new:
            for place in asked:
                self.upstreams.refresh(place)
        return tuple(seen), not_fresh

    def is_looking(self, key: Key) -> bool:
        """Is a look that was asked for under way at a source of this cache?"""
        observers: tuple[Observer[Any, Any], ...] = (self.engines, self.archives, self.upstreams)
        pending = [each.is_pending(at) for each in observers for at in each.followed_by(key)]
        return any(pending)

    def refresh(self, item: ImageCache, name: str) -> None:
        """Something happened at this source: look at it now."""
        for source in item.spec.sources:
            observer, place = self._place(item, source)
            if source.name == name and place is not None:
                observer.refresh(place)

    def refresh_engine(self, item: ImageCache, endpoint: EngineEndpoint, since: float) -> None:
        """What this source engine showed before that moment does not count any more."""
        for source in item.spec.sources:
            if source.engine is not None and source.engine.endpoint == endpoint.url:
                self.engines.refresh(_engine_place(item, source.name, source.engine), since)

    def forget(self, key: Key) -> None:
        """The cache is gone."""
        self.events.follow(key, {})
        self.engines.follow(key, {})
        self.archives.follow(key, {})
        self.upstreams.follow(key, {})

    def _whole(
        self, key: Key, item: ImageCache, state: CacheState, wishes: list[Wish]
    ) -> Mapping[str, SourceSeen]:
        """What source engines and archives show."""
        is_waiting = any(wish not in state.proven for wish in wishes)
        interval = item.spec.refresh.interval
        engines = {
            each.name: _engine_place(item, each.name, each.engine)
            for each in item.spec.sources
            if each.engine is not None
        }
        archives = {
            each.name: _archive_place(item, each.archive.path)
            for each in item.spec.sources
            if each.archive is not None
        }
        self._listen(key, item, engines.values())
        pause = min(interval, WAITING_SECONDS) if is_waiting else interval
        heard = min(interval, LISTENING_SECONDS) if is_waiting else interval
        live = {place: self.events.is_live(place) for place in engines.values()}
        self.engines.follow(key, {at: heard if is_live else pause for at, is_live in live.items()})
        self.archives.follow(key, dict.fromkeys(archives.values(), pause))
        if state.is_new:
            for place in engines.values():
                self.engines.refresh(place)
            for path in archives.values():
                self.archives.refresh(path)
        return {
            **{name: _seen(name, self.engines, place) for name, place in engines.items()},
            **{name: _seen(name, self.archives, path) for name, path in archives.items()},
        }

    def _listen(self, key: Key, item: ImageCache, places: Iterable[EnginePlace]) -> None:
        """Hear the events of those that answer, or were not asked yet."""
        ours = frozenset({TRANSPORT_HOST, urlsplit(item.spec.registry.push_url).netloc.lower()})
        seen = {place: self.engines.at(place) for place in places}
        answering = [place for place, last in seen.items() if last is None or last.fault is None]
        self.events.follow(key, dict.fromkeys(answering, ours))

    def _not_fresh(
        self, item: ImageCache, state: CacheState, wishes: list[Wish]
    ) -> frozenset[Wish]:
        """The wishes that are newer than a look at a source, which is looked at again."""
        late: set[Wish] = set()
        for source in item.spec.sources:
            observer, place = self._place(item, source)
            seen = observer.at(place) if place is not None else None
            if seen is None:
                continue
            newer = {wish for wish in wishes if state.wanted_since[wish] > seen.began}
            if newer:
                observer.refresh(place, max(state.wanted_since[wish] for wish in newer))
            late |= newer
        return frozenset(late)

    def _place(self, item: ImageCache, source: Source) -> tuple[Observer[Any, Any], object]:
        """Where a source is looked at as a whole; None: it is asked image by image."""
        if source.engine is not None:
            return self.engines, _engine_place(item, source.name, source.engine)
        if source.archive is not None:
            return self.archives, _archive_place(item, source.archive.path)
        return self.upstreams, None

    def _upstream(
        self,
        item: ImageCache,
        source: Source,
        upstream: UpstreamSource,
        wishes: Iterable[Wish],
        asked: dict[UpstreamPlace, float],
    ) -> SourceSeen:
        """What one upstream source says of the wishes that are for its hosts."""
        hosts = frozenset(normal_host(host) for host in upstream.hosts)
        answers: dict[Wish, UpstreamFound] = {}
        for wish in wishes:
            if wish.reference.host in hosts:
                place = _upstream_place(item, source.name, upstream, hosts, wish)
                asked[place] = item.spec.refresh.interval
                answers[wish] = self._answer(source.name, place)
        return SourceSeen(source.name, UpstreamShown(hosts, answers))

    def _answer(self, name: str, place: UpstreamPlace) -> UpstreamFound:
        seen = self.upstreams.at(place)
        fault = NOT_YET if seen is None else seen.fault
        if fault is not None:
            return Fault(fault.reason, f"source {name}: {fault.message}", fault.retry_after)
        return seen.view.held if seen is not None and seen.view is not None else None


def _gives(source: SourceSeen, wish: Wish, known: Sources) -> bool:
    found = find_in(source, wish, known)
    return found is not None and not isinstance(found, Fault)


def _seen(name: str, observer: Observer[Any, Any], place: object) -> SourceSeen:
    seen = observer.at(place)
    if seen is None or (seen.view is None and seen.fault is None):
        return SourceSeen(name, fault=NOT_YET)
    if seen.fault is not None:
        return SourceSeen(name, fault=seen.fault)
    return SourceSeen(name, seen.view, is_stale=observer.is_pending(place))


def _engine_place(item: ImageCache, name: str, engine: EngineSource) -> EnginePlace:
    secret, server = "", ""
    if engine.tls is not None:
        secret = engine.tls.secret_ref.name
        server = engine.tls.server_name or urlsplit(engine.endpoint).hostname or ""
    return EnginePlace(
        owner=f"{item.metadata.uid}/{name}",
        containers=(),
        url=engine.endpoint,
        secret=secret,
        server_name=server,
        party=f"cache {item.metadata.name}",
    )


def _archive_place(item: ImageCache, path: str) -> ArchivePlace:
    return ArchivePlace(item.metadata.uid, path, party=f"cache {item.metadata.name}")


def _upstream_place(
    item: ImageCache, name: str, upstream: UpstreamSource, hosts: frozenset[str], wish: Wish
) -> UpstreamPlace:
    secret, authority = upstream.secret_ref, upstream.ca_secret_ref
    return UpstreamPlace(
        cache=item.metadata.uid,
        source=name,
        hosts=hosts,
        reference=wish.reference,
        platform=wish.platform,
        secret=secret.name if secret else "",
        ca_secret=authority.name if authority else "",
        insecure=upstream.insecure,
        party=f"cache {item.metadata.name}",
    )
