"""A pass waits for nobody, and what one engine claims is not believed of another one."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Iterator
from pathlib import Path

from cyroid_images import reconcile
from cyroid_images.errors import ApiUnavailable
from cyroid_images.model.observed import EngineShown
from cyroid_images.observe.places import EnginePlace
from cyroid_images.report import event_recorder
from cyroid_images.report.ports import Recorder
from cyroid_images.scheduling.threads import Threads
from tests.unit.plan.examples import content, view
from tests.unit.reconcile.fakes import FakeLooker
from tests.unit.reconcile.stage import DIND, RANGE, READY
from tests.unit.reconcile.town import Town, a_pod, lived, range_for
from tests.unit.reconcile.virtual_time import comes, run

PASSES = ("ranges/*.py", "caches/*.py", "tidy.py")
"""The modules that a pass goes through."""
ALLOWED = {
    "asyncio.sleep(0)": "a yield: others go on in between",
    "self._decide(seen)": "which yields",
    "self._let_others_on(since)": "which yields",
}


def awaits(path: Path) -> Iterator[str]:
    """What a module awaits, as it is written."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Await):
            yield ast.unparse(node.value)
        assert not isinstance(node, ast.AsyncFor | ast.AsyncWith), path.name


def test_a_pass_awaits_nothing_but_its_yields() -> None:
    folder = Path(reconcile.__file__).parent
    paths = [path for pattern in PASSES for path in folder.glob(pattern)]
    assert len(paths) > 8
    found = {(path.name, each) for path in paths for each in awaits(path)}
    assert {each for _, each in found} == set(ALLOWED), found


def test_b21_no_port_of_events_can_be_awaited() -> None:
    methods = [
        each
        for kind in (Recorder, event_recorder.EventRecorder)
        for name in ("record", "delivered", "forget")
        if (each := getattr(kind, name))
    ]
    assert len(methods) == 6
    assert not any(inspect.iscoroutinefunction(each) for each in methods)


def test_b21_an_api_that_takes_no_status_of_one_object_holds_up_no_other() -> None:
    """Statuses and gates are written beside the passes, each object for itself."""

    async def scenario(town: Town) -> None:
        await town.become_ready()
        write, blocked = town.cluster.apply_status, asyncio.Event()

        async def slow(key: object, version: str, status: object) -> str | None:
            if key == RANGE:
                await blocked.wait()
                raise ApiUnavailable("slow etcd")
            return await write(key, version, status)  # type: ignore[arg-type]

        town.parts.writer._api = Slow(town, slow)  # type: ignore[assignment]
        town.holds[DIND] = {}
        town.look_again()
        await asyncio.sleep(5)
        town.holds["tcp://10.0.0.2:2375"] = {}
        town.loop.changed("Pod", "ADDED", a_pod("next", address="10.0.0.2"))
        body = range_for("next")
        town.loop.changed("RangeImages", "ADDED", body)
        key = next(each for each in town.parts.store.ranges if each.name == "next")
        assert await comes(lambda: town.told(key).get("Ready") == READY) < 10
        assert town.holds[DIND], "the image is brought back all the same"
        blocked.set()

    lived(scenario)


class Slow:
    """The API of statuses with another way to write them."""

    def __init__(self, town: Town, apply_status: object) -> None:
        self.apply_status = apply_status
        self.set_pod_condition = town.cluster.set_pod_condition


def test_s16_what_is_remembered_of_an_engine_is_of_its_place_and_not_of_the_id_it_claims() -> None:
    """Cloned volumes carry one ID; each look is given the last view of its own place alone."""
    given: list[tuple[str, EngineShown | None]] = []

    def look(place: EnginePlace, last: EngineShown | None) -> EngineShown:
        given.append((place.owner, last))
        word = place.owner
        return EngineShown(endpoint=None, view=view({"nginx:1.25": content(word)}))  # type: ignore[arg-type]

    async def scenario() -> None:
        town = Town()
        threads = Threads("engines", 4)
        town.hanging.watch([threads])
        observer = type(town.parts.observers.range_engines)(
            FakeLooker(look),
            threads,
            lambda _: None,
            schedule=town.parts.observers.range_engines._schedule,
            clock=town.clock,
        )
        places = [EnginePlace(owner, ("c",), "tcp://10.0.0.1:2375") for owner in ("one", "two")]
        observer.follow("r", dict.fromkeys(places, 10.0))
        await asyncio.sleep(35)
        observer.close()
        threads.close()
        await town.close()

    run(scenario())
    assert len(given) >= 6
    for owner, last in given:
        if last is not None:
            (image,) = last.view.images.values()
            assert image.content == content(owner)
