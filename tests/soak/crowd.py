"""Ranges that come, are filled and go: one round of them, on the fakes of one stage.

What engines list goes through the real `engine/view.py`, as it does in the operator, so that
what is remembered there counts too. This file alone knows what the stage is made of.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from cyroid_images.engine.listing import rows_of
from cyroid_images.engine.view import view_of
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.digest import Digest
from cyroid_images.model.engine import EngineView, ImageStore
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body, digest, info, metadata, stored
from tests.unit.reconcile.stage import CACHE, READY, SOURCES, Stage, a_range
from tests.unit.reconcile.watched import pod

ROUND_SECONDS = 120.0
"""A round takes a second or two; a busy machine gets the benefit of the doubt."""
GLANCE_SECONDS, GLANCES = 0.02, 50
"""How often is looked, and after how many looks an hour passes."""
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


class Crowd:
    """Who wants what; every round has names, pods and addresses that never were before."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._held: defaultdict[str, set[str]] = defaultdict(set)
        stage.movers.then = self._arrive
        stage.cluster.listed[Kind.RANGE_IMAGES] = []
        stage.cluster.listed[Kind.POD] = []
        stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=SOURCES)]
        stage.engines.views.clear()
        self._show(BUILDER.url)

    async def start(self) -> None:
        """Let the operator list everything and begin."""
        await self._stage.loop.start()

    def list_first(self, listed: Mapping[Kind, list[Mapping[str, Any]]]) -> None:
        """What the first list of the operator finds."""
        self._stage.cluster.listed |= listed

    async def come_and_go(self, number: int, size: Size) -> None:
        """All of them are Ready but one, whose engine refuses; then they are gone."""
        self._let_an_hour_pass()
        names = [f"round-{number}-{each}" for each in range(size.ranges)]
        bodies = [
            each
            for at, name in enumerate(names)
            for each in self._come(name, f"10.{1 + number // 250}.{number % 250}.{at + 1}", size)
        ]
        bodies += self._bodies(f"broken-{number}", NOWHERE, [f"soak.example/b-{number}:1"])
        self._tell("ADDED", bodies, bodies)
        keys = [Key(Kind.RANGE_IMAGES, "default", name) for name in names]
        await self._until(lambda: all(self._is_ready(key) for key in keys))
        self._tell("DELETED", bodies, [])
        await self._until(self._is_over)
        self._forget()

    def _tell(self, event: str, bodies: Bodies, there: Bodies) -> None:
        """By the watches, and by the list of whoever does not trust them."""
        for kind in (Kind.POD, Kind.RANGE_IMAGES):
            self._stage.cluster.listed[kind] = [body for each, body in there if each == kind]
        for kind, body in bodies:
            self._stage.loop.changed(kind, event, body)

    def _come(self, name: str, address: str, size: Size) -> Bodies:
        images = [f"soak.example/{name}-{each}:1" for each in range(size.images)]
        self._held[BUILDER.url].update(images)
        self._show(f"tcp://{address}:2375")
        return self._bodies(name, address, images)

    def _bodies(self, name: str, address: str, images: Iterable[str]) -> Bodies:
        target = pod(name, range_id=name)
        target["status"] = {**target["status"], "podIP": address}
        docker = {"insecure": True}
        targets = {"selector": {"matchLabels": {"cyroid.io/range-id": name}}, "docker": docker}
        wanted = a_range(name, targets=targets, images=[{"image": each} for each in images])
        wanted["metadata"] = metadata(name, namespace="default")
        return [(Kind.POD, target), (Kind.RANGE_IMAGES, wanted)]

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Looks seldom, for a look goes through every status that was written."""
        async with asyncio.timeout(ROUND_SECONDS):
            while not is_so():
                for _ in range(GLANCES):
                    await asyncio.sleep(GLANCE_SECONDS)
                    if is_so():
                        return
                self._let_an_hour_pass()

    def _let_an_hour_pass(self) -> None:
        """The source is looked at again: what was seen before belongs to the round before."""
        clock = self._stage.clock
        clock.moment += timedelta(hours=1)
        body = cache_body(sources=SOURCES)
        body["metadata"]["annotations"] = {"cyroid.io/reconcile-at": str(clock.moment)}
        self._stage.loop.changed("ImageCache", "MODIFIED", body)

    # -- what engines and registry hold -----------------------------------------------

    def _show(self, url: str) -> None:
        self._stage.engines.views[url] = partial(self._look, url)

    def _look(self, url: str) -> EngineView:
        names = {str(_id_of(name)): name for name in sorted(self._held[url])}
        rows = [
            {"Id": each, "RepoTags": [name], "RepoDigests": [], "Size": 1}
            for each, name in names.items()
        ]
        return view_of(
            _INFO, rows_of(_INFO, rows), {}, lambda wanted: _inspected(wanted, names[str(wanted)])
        )

    def _arrive(self, action: Copy | Push | Pull | Load) -> None:
        name = str(action.wish.reference)
        if isinstance(action, Copy | Push):
            held = replace(stored(name), repository=action.to.repository)
            self._stage.registries.held[action.to.repository] = held
        else:
            self._held[action.target.endpoint.url].add(name)

    # -- what is told -----------------------------------------------------------------

    def _is_ready(self, key: Key) -> bool:
        return self._stage.told(key).get("Ready") == READY

    def _is_over(self) -> bool:
        """The cache tells of nothing any more, and nothing is under way."""
        told = [status for key, _, status in self._stage.cluster.statuses if key == CACHE]
        return bool(told) and not told[-1].get("imageStatuses")

    def _forget(self) -> None:
        """What the fakes themselves remember."""
        stage = self._stage
        stage.registries.held.clear()
        stage.engines.looks.clear()
        stage.movers.moves.clear()
        stage.cluster.statuses.clear()
        stage.cluster.notes.clear()
        stage.cluster.gates.clear()
        self._held.clear()
        stage.engines.views.clear()
        self._show(BUILDER.url)


Rounds = Callable[[Crowd], Coroutine[Any, Any, None]]


def run(rounds: Rounds) -> None:
    """These rounds on a stage whose loop has started; both end with them."""

    async def started(crowd: Crowd) -> None:
        await crowd.start()
        await rounds(crowd)

    run_before_start(started)


def run_before_start(rounds: Rounds) -> None:
    """The same for who starts the loop by hand."""

    async def whole() -> None:
        stage = Stage()
        try:
            await rounds(Crowd(stage))
        finally:
            await stage.close()

    asyncio.run(whole())


def _id_of(name: str) -> Digest:
    """As of a classic store: the digest of the configuration."""
    return digest(f"config {name}")


def _inspected(image: Digest, name: str) -> dict[str, Any]:
    return {
        "Id": str(image),
        "Os": "linux",
        "Architecture": "amd64",
        "Config": {"Cmd": [name]},
        "RootFS": {"Layers": [str(digest(f"layer {name}"))]},
    }
