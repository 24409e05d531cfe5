"""Carries a fault out on the real parts, and ends it; knows who is away meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from tests.chaos.faults import API, Fault, Kind
from tests.chaos.stack import empty, wipe
from tests.chaos.world import BYSTANDER, World

Begin = Callable[[Fault], str | None]
"""Does it; may say what exactly it was about."""
End = Callable[[Fault], None]


class Doing:
    """Faults that have begun and not ended."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stack = world.stack
        self._open: list[Fault] = []
        self._acts = self._lasting() | self._changes()

    @property
    def away(self) -> frozenset[str]:
        """The parts that do not answer now."""
        return frozenset(fault.part for fault in self._open if fault.part)

    @property
    def is_api_away(self) -> bool:
        return API in self.away

    def begin(self, fault: Fault) -> str:
        """Do it; a line that says what was done."""
        if fault.lasts:
            self._open.append(fault)
        told = self._acts[fault.kind][0](fault)
        return f"{fault}: {told}" if told else str(fault)

    def end(self, fault: Fault) -> None:
        """Heal it; one that was healed already is fine."""
        if fault in self._open:
            self._acts[fault.kind][1](fault)
            self._open.remove(fault)

    def heal(self) -> None:
        """End all that is open; the API server first, as others need it."""
        for fault in sorted(self._open, key=lambda each: each.part != API):
            self.end(fault)

    def _lasting(self) -> dict[Kind, tuple[Begin, End]]:
        stack, engines = self._stack, self._stack.engines
        registry, source, operator, api = stack.registry, stack.source, stack.operator, stack.api
        return {
            Kind.REGISTRY_KILLED: (lambda _: registry.stop(), lambda _: registry.start()),
            Kind.REGISTRY_HANGS: (lambda _: registry.pause(), lambda _: registry.resume()),
            Kind.REGISTRY_WIPED: (self._lose_volume, lambda _: registry.start()),
            Kind.SOURCE_KILLED: (lambda _: source.kill(), lambda _: source.start()),
            Kind.SOURCE_HANGS: (lambda _: source.pause(), lambda _: source.resume()),
            Kind.ENGINE_KILLED: (
                lambda fault: engines[fault.engine].kill(),
                lambda fault: engines[fault.engine].start(),
            ),
            Kind.ENGINE_HANGS: (
                lambda fault: engines[fault.engine].pause(),
                lambda fault: engines[fault.engine].resume(),
            ),
            Kind.ENGINE_EMPTIED: (self._empty, self._start_empty),
            Kind.OPERATOR_KILLED: (lambda _: operator.kill(), lambda _: operator.start()),
            Kind.OPERATOR_TERMINATED: (self._terminate, lambda _: operator.start()),
            Kind.API_HANGS: (lambda _: api.pause(), lambda _: api.resume()),
            Kind.API_KILLED: (lambda _: api.stop(), lambda _: api.start()),
        }

    def _changes(self) -> dict[Kind, tuple[Begin, End]]:
        """What is over at once; nobody heals it but the operator."""
        world = self._world
        acts: dict[Kind, Begin] = {
            Kind.IMAGE_REMOVED: self._remove,
            Kind.IMAGE_RETAGGED: self._retag,
            Kind.TAG_MOVED: lambda fault: world.move_tag(fault.draw),
            Kind.IMAGE_LISTED: lambda fault: world.list_image(fault.draw),
            Kind.IMAGE_UNLISTED: lambda fault: world.unlist_image(fault.draw),
            Kind.DELIVERY_SWITCHED: lambda fault: world.switch_delivery(fault.draw),
            Kind.OBJECT_REMADE: lambda fault: world.remake(fault.draw),
            Kind.CACHE_REMADE: lambda _: world.remake_cache(),
            Kind.POD_REPLACED: lambda fault: world.replace_pod(fault.engine),
            Kind.PODS_SWAPPED: lambda _: world.swap_pods(),
        }
        return {kind: (act, lambda _: None) for kind, act in acts.items()}

    def _lose_volume(self, _: Fault) -> None:
        self._stack.registry.stop()
        wipe(self._stack.registry)

    def _empty(self, fault: Fault) -> None:
        engine = self._stack.engines[fault.engine]
        engine.kill()
        empty(engine)

    def _start_empty(self, fault: Fault) -> None:
        engine = self._stack.engines[fault.engine]
        engine.start()
        self._world.put_bystanders(engine)

    def _terminate(self, _: Fault) -> None:
        code = self._stack.operator.stop()
        assert code == 0, f"the operator ended with {code} after SIGTERM"

    def _remove(self, fault: Fault) -> str:
        image = self._drawn(fault)
        done = self._stack.engines[fault.engine].try_docker("rmi", image)
        return image if done.returncode == 0 else f"{image} (is not there)"

    def _retag(self, fault: Fault) -> str:
        image = self._drawn(fault)
        self._stack.engines[fault.engine].docker("tag", BYSTANDER, image)
        return image

    def _drawn(self, fault: Fault) -> str:
        images = self._world.wanted(fault.engine)
        return images[fault.draw % len(images)]
