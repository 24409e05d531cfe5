"""Ranges that come, are filled and go: one round of them, on the fakes of one town.

Time is virtual, so that an hour passes between two rounds. What engines list goes through the
real `engine/view.py`, as it does in the operator, so that what is remembered there counts too.
This file alone knows what the town is made of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cyroid_images.engine.listing import rows_of
from cyroid_images.engine.view import view_of
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.engine import EngineEndpoint, EngineView, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.kinds.status import MOST_DIGESTS
from cyroid_images.model.observed import EngineShown
from cyroid_images.observe.places import EnginePlace
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body, digest, info
from tests.unit.reconcile.stage import CACHE, READY, SOURCES
from tests.unit.reconcile.town import REGISTRY_URL, Town, a_pod, range_for, stored_for
from tests.unit.reconcile.virtual_time import comes
from tests.unit.reconcile.virtual_time import run as run_virtual

PAUSE_SECONDS = 1300.0
"""Between two rounds: longer than anything that went is remembered for whoever comes back."""
NOWHERE = "10.250.0.1"
"""Where an engine refuses."""
Bodies = list[tuple[Kind, Mapping[str, Any]]]
_INFO = replace(info(), store=ImageStore.CLASSIC)


@dataclass(frozen=True, slots=True)
class Size:
    """Of one round."""

    ranges: int
    """With a pod each."""
    images: int
    """Of each range."""


@dataclass(slots=True)
class SoakTown(Town):
    """A town whose engines answer a list and inspects, as real ones do."""

    held: dict[str, set[str]] = field(default_factory=dict)
    """By URL of the engine: its images; one that is not here refuses."""

    def look_at_engine(self, place: EnginePlace, last: EngineShown | None) -> EngineShown:
        if place.url not in self.held:
            return Town.look_at_engine(self, place, last)  # refuses
        known = last.view.contents if last is not None else {}
        return EngineShown(EngineEndpoint(place.url), self._view(place.url, known))

    def view_of(self, url: str) -> EngineView:
        return self._view(url, {})

    def _view(self, url: str, known: Mapping[Digest, Any]) -> EngineView:
        names = {_id_of(name): name for name in sorted(self.held[url])}
        listed = [
            {"Id": str(each), "RepoTags": [name], "RepoDigests": [], "Size": 1}
            for each, name in names.items()
        ]
        rows = rows_of(_INFO, listed)
        return view_of(_INFO, rows, known, lambda wanted: _inspected(wanted, names[wanted]))

    def arrive(self, action: Copy | Push | Pull | Load) -> None:
        if isinstance(action, Copy | Push):
            self.shelf.put(stored_for(action), action.to.tag)
        else:
            self.held[action.target.endpoint.url].add(str(action.wish.reference))


class Crowd:
    """Who wants what; every round has names, pods and addresses that never were before."""

    def __init__(self, town: SoakTown, recorded: int) -> None:
        self._town = town
        self._listed = town.cluster.listed
        self._listed |= {
            Kind.POD: [],
            Kind.RANGE_IMAGES: [],
            Kind.IMAGE_CACHE: [_cache(recorded)],
        }
        town.holds.clear()
        town.held[BUILDER.url] = set()

    async def start(self) -> None:
        """Let the operator list everything and begin."""
        await self._town.loop.start()

    def list_first(self, listed: Mapping[Kind, list[Mapping[str, Any]]]) -> None:
        """What the first list of the operator finds."""
        self._listed |= listed

    async def come_and_go(self, number: int, size: Size) -> None:
        """All of them are Ready but one, whose engine refuses; then they are gone."""
        names = [f"round-{number}-{each}" for each in range(size.ranges)]
        bodies = [
            each
            for at, name in enumerate(names)
            for each in self._come(name, f"10.{1 + number // 250}.{number % 250}.{at + 1}", size)
        ]
        bodies += _bodies(f"broken-{number}", NOWHERE, [f"soak.example/b-{number}:1"])
        await self._town_looks_at_source()
        self._tell("ADDED", bodies, bodies)
        keys = [Key(Kind.RANGE_IMAGES, "default", name) for name in names]
        await comes(lambda: all(self._is_ready(key) for key in keys), PAUSE_SECONDS)
        self._tell("DELETED", bodies, [])
        self._clear()
        await comes(self._is_over, PAUSE_SECONDS)
        await asyncio.sleep(PAUSE_SECONDS)
        self._forget()

    async def _town_looks_at_source(self) -> None:
        """The builder has new images, and somebody asks the cache to look."""
        self._town.look_again(BUILDER.url)
        await asyncio.sleep(1.0)

    def _tell(self, event: str, bodies: Bodies, there: Bodies) -> None:
        """By the watches, and by the list of whoever does not trust them."""
        for kind in (Kind.POD, Kind.RANGE_IMAGES):
            self._listed[kind] = [body for each, body in there if each == kind]
        for kind, body in bodies:
            self._town.loop.changed(kind, event, body)

    def _come(self, name: str, address: str, size: Size) -> Bodies:
        images = [f"soak.example/{name}-{each}:1" for each in range(size.images)]
        self._town.held[BUILDER.url].update(images)
        self._town.held[f"tcp://{address}:2375"] = set()
        return _bodies(name, address, images)

    # -- what is told -----------------------------------------------------------------

    def _is_ready(self, key: Key) -> bool:
        return self._town.told(key).get("Ready") == READY

    def _is_over(self) -> bool:
        """The cache tells of nothing any more."""
        told = [status for key, _, status in self._town.cluster.statuses if key == CACHE]
        return bool(told) and not told[-1].get("imageStatuses")

    def _clear(self) -> None:
        """The engines are gone, and whoever builds has cleaned up."""
        self._town.held.clear()
        self._town.held[BUILDER.url] = set()

    def _forget(self) -> None:
        """What the fakes themselves remember."""
        town = self._town
        town.shelves[REGISTRY_URL].images.clear()
        town.shelves[REGISTRY_URL].asked.clear()
        town.engines.looks.clear()
        town.movers.moves.clear()
        town.cluster.statuses[:] = [each for each in town.cluster.statuses if each[0] == CACHE][-1:]
        town.cluster.notes.clear()
        town.cluster.gates.clear()


Rounds = Callable[[Crowd], Coroutine[Any, Any, None]]


def run(rounds: Rounds, recorded: int = MOST_DIGESTS) -> None:
    """These rounds in a town whose loop has started; both end with them.

    As after months, the cache has recorded as many digests as it ever does.
    """

    async def started(crowd: Crowd) -> None:
        await crowd.start()
        await rounds(crowd)

    run_before_start(started, recorded)


def run_before_start(rounds: Rounds, recorded: int = 0) -> None:
    """The same for who starts the loop by hand."""

    async def whole() -> None:
        town = SoakTown()
        try:
            await rounds(Crowd(town, recorded))
        finally:
            await town.close()
        assert town.failures == []

    run_virtual(whole())


def _bodies(name: str, address: str, images: Iterable[str]) -> Bodies:
    wanted = range_for(name, images=[{"image": each} for each in images])
    return [(Kind.POD, a_pod(name, address=address)), (Kind.RANGE_IMAGES, wanted)]


def _cache(recorded: int) -> dict[str, Any]:
    """A cache that has recorded so many digests already."""
    known = {f"soak.example/long-gone-{at}:1": str(digest(f"{at}")) for at in range(recorded)}
    return cache_body(status={"digests": known}, sources=SOURCES, refresh={"interval": "10m"})


def _id_of(name: str) -> Digest:
    """As of a classic store: the digest of the configuration."""
    return digest(f"config {name}")


def _inspected(image: Digest, name: str) -> dict[str, Any]:
    return {
        "Id": str(image),
        "Os": "linux",
        "Architecture": "amd64",
        "Config": {"Cmd": name},
        "RootFS": {"Layers": [str(digest(f"layer {name}"))]},
    }
