"""The controller on small fakes: a builder that has nginx, an empty registry, an empty engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cyroid_images.execute.executor import Told
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.knowledge import ImageLocation, UpstreamAsk
from cyroid_images.model.observed import EngineShown
from cyroid_images.model.registry import RegistryEndpoint, UpstreamEndpoint
from cyroid_images.model.telemetry.measures import Measures, Unmeasured
from cyroid_images.observe.places import (
    EnginePlace,
    ImagePlace,
    ImageThere,
    RegistryPlace,
    UpstreamAnswer,
    UpstreamPlace,
)
from cyroid_images.plan.limits import RangeLimits
from cyroid_images.reconcile.controller import Controller
from cyroid_images.reconcile.parts import Parts, join
from cyroid_images.reconcile.ports import Lookers, Ports, Sizes
from cyroid_images.report.transfers import tell_transfer
from cyroid_images.scheduling.fair_turns import Limit
from cyroid_images.scheduling.supervisor import Supervisor
from cyroid_images.store.keys import Key, Kind
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    AMD64,
    BUILDER,
    cache_body,
    content,
    range_body,
    stored,
    view,
)
from tests.unit.reconcile.fakes import (
    FakeArchives,
    FakeClock,
    FakeCluster,
    FakeEngines,
    FakeLooker,
    FakeMovers,
    FakeRecorder,
    FakeRegistries,
    FakeUpstreams,
)
from tests.unit.reconcile.watched import namespace, pod

RANGE = Key(Kind.RANGE_IMAGES, "default", "r")
CACHE = Key(Kind.IMAGE_CACHE, "", "default")
DIND = "tcp://10.0.0.1:2375"
REPOSITORY = "docker.io/library/nginx"
LIMITS = {
    "pulls": Limit(4, 4),
    "bytes": Limit(4, 4),
    "tidy": Limit(2, 2),
    "removal": Limit(1, 1),
    "engine": Limit(2, 2),
    "source": Limit(2, 2),
    "archive": Limit(2, 2),
    "upstream": Limit(2, 2),
    "registry": Limit(4, 4),
}
TARGETS = {
    "selector": {"matchLabels": {"cyroid.io/range-id": "r"}},
    "docker": {"insecure": True},
}
SOURCES = [{"name": "builder", "engine": {"endpoint": BUILDER.url, "insecure": True}}]
READY, CACHED = "True/AllImagesPresent", "True/AllImagesCached"


def a_range(name: str = "r", **spec: Any) -> dict[str, Any]:
    return range_body(name, **{"targets": TARGETS, **spec})


@dataclass(slots=True)
class Stage:
    """Everything a scenario acts on; it is made within a running event loop."""

    cluster: FakeCluster = field(default_factory=FakeCluster)
    engines: FakeEngines = field(default_factory=FakeEngines)
    archives: FakeArchives = field(default_factory=FakeArchives)
    upstreams: FakeUpstreams = field(default_factory=FakeUpstreams)
    registries: FakeRegistries = field(default_factory=FakeRegistries)
    clock: FakeClock = field(default_factory=FakeClock)
    measures: Measures = field(default_factory=Unmeasured)
    movers: FakeMovers = field(init=False)
    parts: Parts = field(init=False)
    loop: Controller = field(init=False)
    failures: list[str] = field(default_factory=list)
    """What the supervisor told: a task that must run for ever has ended."""

    def __post_init__(self) -> None:
        self.movers = FakeMovers(self.arrive, self.shown_after)
        self.engines.views = {BUILDER.url: view({"nginx:1.25": content()}), DIND: view()}
        self.cluster.listed = {
            Kind.NAMESPACE: [namespace()],
            Kind.POD: [pod()],
            Kind.IMAGE_CACHE: [cache_body(sources=SOURCES)],
            Kind.RANGE_IMAGES: [a_range()],
        }
        self.join()

    def join(self, lookers: Lookers | None = None, sizes: Sizes | None = None) -> None:
        """Make the controller, anew where something about it is to be different."""
        told: Told = partial(tell_transfer, self.measures)
        ports = Ports(
            lookers=lookers or self.lookers(),
            movers=self.movers,
            api=self.cluster,
            recorder=FakeRecorder(self.cluster.notes),
            clock=self.clock,
            measures=self.measures,
            told=told,
            client_secret="client",
            platform=AMD64,
            range_limits=RangeLimits(stall=600.0, total=14400.0, interval=1.0),
        )
        self.parts = join(ports, sizes or Sizes(8, 4, 4, 4, 8, LIMITS))
        supervisor = Supervisor(self.failures.append)
        self.loop = Controller(self.parts, self.cluster, supervisor, workers=4, sweep_seconds=600.0)

    def lookers(self) -> Lookers:
        """The looks of all places at the fakes."""
        engines = FakeLooker(self.look_at_engine, lambda place: place.party)
        return Lookers(
            range_engines=engines,
            source_engines=engines,
            archives=FakeLooker(lambda place, _: self.archives.look(place.path)),
            upstreams=FakeLooker(self.look_at_upstream),
            registries=FakeLooker(self.look_at_registry, lambda place: place.party),
            images=FakeLooker(self.look_for_image, lambda place: place.registry.party),
        )

    def look_at_engine(self, place: EnginePlace, last: EngineShown | None) -> EngineShown:
        del last
        endpoint = EngineEndpoint(place.url)
        return EngineShown(endpoint, self.engines.look(endpoint))

    def look_at_upstream(self, place: UpstreamPlace, last: UpstreamAnswer | None) -> UpstreamAnswer:
        del last
        host = place.reference.host
        endpoint = UpstreamEndpoint(host, RegistryEndpoint(f"https://{host}"))
        ask = UpstreamAsk(place.source, endpoint, place.reference, place.platform)
        return UpstreamAnswer(self.upstreams.find(ask))

    def look_at_registry(
        self, place: RegistryPlace, last: RegistryEndpoint | None
    ) -> RegistryEndpoint:
        del last
        endpoint = RegistryEndpoint(place.url)
        self.registries.ping(endpoint)
        return endpoint

    def look_for_image(self, place: ImagePlace, last: ImageThere | None) -> ImageThere:
        endpoint = RegistryEndpoint(place.registry.url)
        if last is not None and last.stored is not None:
            held = self.registries.holds(endpoint, last.stored, place.tag)
            if held.is_there:
                return ImageThere(last.stored, held.tagged)
        asked = ImageLocation(place.repository, place.reference)
        found = self.registries.find(endpoint, asked, place.wanted)
        is_by_tag = found is not None and place.reference == place.tag
        return ImageThere(found, found.manifest.digest if found and is_by_tag else None)

    def arrive(self, action: Copy | Push | Pull | Load) -> None:
        """What a move brings is there."""
        if isinstance(action, Copy | Push):
            self.registries.held[REPOSITORY] = stored()
        else:
            self.engines.views[DIND] = view({"nginx:1.25": content()})

    def shown_after(self, action: Pull | Load) -> EngineView:
        """What a transfer sees in the engine at its end."""
        shown = self.engines.views.get(action.target.endpoint.url)
        if isinstance(shown, EngineView):
            return shown
        return view({str(action.wish.reference.tagged): action.content})

    def told(self, key: Key = RANGE) -> Mapping[str, str]:
        """The conditions of an object by its last status."""
        if not any(each == key for each, _, _ in self.cluster.statuses):
            return {}
        conditions = self.cluster.last(key)["conditions"]
        return {each["type"]: f"{each['status']}/{each['reason']}" for each in conditions}

    def check(self) -> None:
        """Every status ever written conforms, and moments move as they should."""
        last: dict[Key, dict[str, Any]] = {}
        for key, _, status in self.cluster.statuses:
            metadata = {"name": key.name, "generation": 3}
            obj = {"kind": str(key.kind), "metadata": metadata, "status": status}
            assert_status_conforms(obj, last.get(key))
            last[key] = obj

    def look_again(self, url: str = DIND) -> None:
        """Have an engine looked at now, as when its interval is over."""
        for observer in (self.parts.observers.range_engines, self.parts.observers.source_engines):
            for place in observer.places():
                if place.url == url:
                    observer.refresh(place)

    async def close(self) -> None:
        await self.loop.stop()


def tried(
    scenario: Callable[[Stage], Coroutine[Any, Any, None]], make: Callable[[], Stage] = Stage
) -> Stage:
    """Run a scenario to its end; then every status is checked, and that no task has died."""

    async def whole() -> Stage:
        stage = make()
        try:
            await scenario(stage)
        finally:
            await stage.close()
        return stage

    stage = asyncio.run(whole())
    stage.check()
    assert stage.failures == []
    return stage
