"""The controller on fakes that keep content: many engines, registries by URL, restarts.

Time is virtual. Engines hold words (`one`, `two`) by image name; a registry is a shelf of tags
and digests. A transfer brings what its step says.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push, Untag
from cyroid_images.model.engine import EngineEndpoint, EngineInfo, EngineView
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.knowledge import Stored, StoredCheck, Wish
from cyroid_images.model.observed import EngineShown
from cyroid_images.model.pushed import How, Pushed
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.progress import ProgressObserver
from cyroid_images.observe.places import EnginePlace, ImagePlace, ImageThere, RegistryPlace
from cyroid_images.reconcile.ports import Lookers, Sizes
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.store.keys import Key, Kind
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import BUILDER, cache_body, content, info, stored, view
from tests.unit.reconcile.fakes import FakeCluster, FakeMovers
from tests.unit.reconcile.stage import CACHE, DIND, RANGE, TARGETS, Stage, a_range
from tests.unit.reconcile.virtual_time import Hanging, VirtualClock, comes, run
from tests.unit.reconcile.watched import pod

REGISTRY_URL = "http://127.0.0.1:5001"
IMAGE = "nginx:1.25"


def word_of(known: ImageContent) -> str:
    """The word that a content was made from."""
    return str(json.loads(known.setup)["Cmd"])


@dataclass(slots=True)
class Shelf:
    """A registry: what stands under which tag or digest, and how it fails."""

    images: dict[tuple[str, str], Stored] = field(default_factory=dict)
    ping_error: TransferError | None = None
    manifest_error: TransferError | None = None
    hang: Callable[[], None] | None = None
    hang_on_manifests: Callable[[], None] | None = None
    pings: int = 0
    asked: list[str] = field(default_factory=list)

    def ping(self) -> None:
        self.pings += 1
        if self.hang is not None:
            self.hang()
        if self.ping_error is not None:
            raise self.ping_error

    def find(self, repository: str, reference: Digest | str) -> Stored | None:
        self.asked.append(repository)
        if self.hang_on_manifests is not None:
            self.hang_on_manifests()
        error = self.ping_error or self.manifest_error
        if error is not None:
            raise error
        return self.images.get((repository, str(reference)))

    def put(self, new: Stored, tag: str) -> None:
        self.images[new.repository, tag] = new
        self.images[new.repository, str(new.manifest.digest)] = new

    def holds(self, known: Stored, tag: str) -> StoredCheck:
        is_there = self.find(known.repository, known.manifest.digest) is not None
        tagged = self.images.get((known.repository, tag))
        return StoredCheck(is_there, tagged.manifest.digest if tagged else None)


@dataclass(slots=True)
class TownCluster(FakeCluster):
    """A list tells what was written."""

    async def pages(self, kind: Kind) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        async for page in FakeCluster.pages(self, kind):
            yield [self._as_stored(kind, body) for body in page]

    def _as_stored(self, kind: Kind, body: Mapping[str, Any]) -> Mapping[str, Any]:
        about = body["metadata"]
        key = Key(kind, about.get("namespace", ""), about["name"])
        rows = [status for each, _, status in self.statuses if each == key]
        return {**body, "status": rows[-1]} if rows else body


class TownMovers(FakeMovers):
    """What a push proves is what was pushed, and what is untagged is gone."""

    untagged: Callable[[Untag], None]

    def untag(self, action: Untag, cancellation: CancelScope) -> None:
        super().untag(action, cancellation)
        self.untagged(action)

    def push(self, action: Push, cancellation: CancelScope, observer: ProgressObserver) -> Pushed:
        super().push(action, cancellation, observer)
        return Pushed(stored_for(action), How.STREAM, "a test wants it so")

    def copy(self, action: Copy, cancellation: CancelScope, observer: ProgressObserver) -> Stored:
        super().copy(action, cancellation, observer)
        return stored_for(action)


def stored_for(fill: Push | Copy) -> Stored:
    return replace(stored(word_of(fill.source.content)), repository=fill.to.repository)


@dataclass(slots=True)
class Town(Stage):
    """A stage with many of each, on virtual time."""

    hanging: Hanging = field(default_factory=Hanging)
    holds: dict[str, dict[str, str]] = field(default_factory=dict)
    """By URL of the engine: its images, by name; one that is not here refuses."""
    acts: dict[str, Callable[[], None]] = field(default_factory=dict)
    """By URL of the engine: what a look does before it shows anything."""
    left: dict[str, dict[str, str]] = field(default_factory=dict)
    """By URL of the engine: what it has under repository@digest."""
    about: dict[str, EngineInfo] = field(default_factory=dict)
    shelves: dict[str, Shelf] = field(default_factory=dict)
    sizes: Sizes | None = None

    def __post_init__(self) -> None:
        self.cluster = TownCluster()
        self.clock = VirtualClock()
        self.holds = {BUILDER.url: {IMAGE: "one"}, DIND: {}}
        self.shelves = {REGISTRY_URL: Shelf()}
        Stage.__post_init__(self)

    def join(self, lookers: Lookers | None = None, sizes: Sizes | None = None) -> None:
        if not isinstance(self.movers, TownMovers):
            self.movers = movers = TownMovers(self.arrive, self.shown_after)
            movers.untagged = self.drop
        Stage.join(self, lookers, sizes or self.sizes)
        self.hanging.watch(self.parts.threads)

    @property
    def shelf(self) -> Shelf:
        return self.shelves[REGISTRY_URL]

    def look_at_engine(self, place: EnginePlace, last: EngineShown | None) -> EngineShown:
        del last
        self.engines.looks.append(place.url)
        if (act := self.acts.get(place.url)) is not None:
            act()
        if place.url not in self.holds:
            raise TransferError(Reason.ENGINE_UNREACHABLE, f"cannot connect to {place.url}")
        return EngineShown(EngineEndpoint(place.url), self.view_of(place.url))

    def view_of(self, url: str) -> EngineView:
        images = {name: content(word) for name, word in self.holds[url].items()}
        by_digest = {name: content(word) for name, word in self.left.get(url, {}).items()}
        return view(images, by_digest, self.about.get(url) or info())

    def shown_after(self, action: Pull | Load) -> EngineView:
        return self.view_of(action.target.endpoint.url)

    def drop(self, action: Untag) -> None:
        held = self.left.get(action.endpoint.url, {})
        for name in action.names:
            held.pop(str(name), None)

    def look_at_registry(
        self, place: RegistryPlace, last: RegistryEndpoint | None
    ) -> RegistryEndpoint:
        del last
        self.shelves[place.url].ping()
        return RegistryEndpoint(place.url)

    def look_for_image(self, place: ImagePlace, last: ImageThere | None) -> ImageThere:
        shelf = self.shelves[place.registry.url]
        if last is not None and last.stored is not None:
            held = shelf.holds(last.stored, place.tag)
            if held.is_there:
                return ImageThere(last.stored, held.tagged)
        found = shelf.find(place.repository, place.reference)
        wanted = place.wanted.content
        is_wanted = found is not None and (wanted is None or found.content.is_same(wanted))
        if found is None or not is_wanted:
            return ImageThere(None)
        return ImageThere(found, found.manifest.digest if place.reference == place.tag else None)

    def arrive(self, action: Copy | Push | Pull | Load) -> None:
        if isinstance(action, Copy | Push):
            self.shelves[action.to.registry.url].put(stored_for(action), action.to.tag)
        else:
            name = str(action.wish.reference).removeprefix("docker.io/library/")
            self.holds[action.target.endpoint.url][name] = word_of(action.content)

    def words(self, key: Key = RANGE, *, since: int = 0) -> list[Mapping[str, str]]:
        """The conditions by each status of an object, from that write on."""
        rows = [status for each, _, status in self.cluster.statuses[since:] if each == key]
        return [
            {each["type"]: f"{each['status']}/{each['reason']}" for each in status["conditions"]}
            for status in rows
        ]

    def check(self) -> None:
        """As of a Stage, whose objects never change."""
        for key, _, status in self.cluster.statuses:
            generation = max(each["observedGeneration"] for each in status["conditions"])
            metadata = {"name": key.name, "generation": generation}
            obj = {"kind": str(key.kind), "metadata": metadata, "status": status}
            assert_status_conforms(obj)

    async def restart(self) -> None:
        """Another process: only what stands in the API is known."""
        self.hanging.let_go()
        await self.loop.stop()
        self.join()

    def anchors(self) -> dict[Wish, Digest]:
        """What the cache has proven against a source."""
        state = self.parts.caches._states.find(CACHE)
        return dict(state.anchors) if state is not None else {}

    async def become_ready(self) -> None:
        """Start, and wait until the range and its cache are Ready."""
        await self.loop.start()
        await comes(lambda: self.told().get("Ready") == "True/AllImagesPresent")
        await comes(lambda: self.told(CACHE).get("Ready") == "True/AllImagesCached")

    async def close(self) -> None:
        self.hanging.let_go()
        await Stage.close(self)


def a_pod(name: str, *, uid: str = "", address: str = "", namespace: str = "default") -> Any:
    """A target of the range called like it, at an address of its own."""
    body = pod(name, range_id=name)
    body["metadata"] = {**body["metadata"], "uid": uid or f"uid of {name}", "namespace": namespace}
    body["status"] = {**body["status"], "podIP": address or "10.0.0.1"}
    return body


def range_for(name: str, namespace: str = "default", **spec: Any) -> Any:
    """A range of the pods called like it."""
    selector = {"matchLabels": {"cyroid.io/range-id": name}}
    body = a_range(name, targets={**TARGETS, "selector": selector}, **spec)
    body["metadata"] = {**body["metadata"], "namespace": namespace, "uid": f"{namespace}/{name}"}
    return body


def cache_for(name: str, **spec: Any) -> Any:
    """Another cache, with a registry of its own."""
    registry = {"pushURL": f"http://{name}:5001", "pullHost": f"{name}:5000"}
    return cache_body(name, **{"registry": registry, **spec})


def lived(
    scenario: Callable[[Town], Coroutine[Any, Any, None]],
    sizes: Sizes | None = None,
    make: Callable[..., Town] = Town,
) -> Town:
    """Run a scenario to its end; then every status is checked, and that no task has died."""

    async def whole() -> Town:
        town = make(sizes=sizes)
        try:
            await scenario(town)
        finally:
            await town.close()
        return town

    town = run(whole())
    town.check()
    assert town.failures == []
    return town
