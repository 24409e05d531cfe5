"""Carries a fault out on the real parts, and ends it; knows who is away meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial

from tests.bench.traces import Call, Trace, engine_calls, engine_trace
from tests.chaos.faults import API, Fault, Kind
from tests.chaos.others import HANGING
from tests.chaos.stack import empty, wipe
from tests.chaos.world import BYSTANDER, World
from tests.parts.proxy import Answer, Change
from tests.parts.silent_volume import SilentVolume
from tests.parts.stand_in import Lie

Begin = Callable[[Fault], str | None]
"""Does it; may say what exactly it was about."""
End = Callable[[Fault], None]

LIES = {
    Kind.TENANT_HANGS: Lie.HANGS,
    Kind.TENANT_HANGS_IN_PULL: Lie.HANGS_IN_PULL,
    Kind.TENANT_DRIPS: Lie.DRIPS,
    Kind.TENANT_CLAIMS: Lie.CLAIMS,
    Kind.TENANT_CHANGES_PLATFORM: Lie.PLATFORM,
}
SECRETS = r"/api/v1/namespaces/[^/]+/secrets/.*"
FORBIDDEN = Answer(
    403,
    {"Content-Type": "application/json"},
    json.dumps({"kind": "Status", "apiVersion": "v1", "reason": "Forbidden", "code": 403}).encode(),
)
TRANSFERS = ("/images/create", "/images/load")
PULL_SECONDS = 4.0
"""Until an image that was removed is brought back: two looks."""
LOOK_SECONDS = 0.005


class Doing:
    """Faults that have begun and not ended."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stack = world.stack
        self._open: list[Fault] = []
        self._volume: SilentVolume | None = None
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
        stack, engines, world = self._stack, self._stack.engines, self._world
        source, operator, api = stack.source, stack.operator, stack.api
        return (
            self._of_registries()
            | self._of_others()
            | {
                Kind.SOURCE_PRUNED: (
                    lambda fault: world.prune(fault.draw),
                    lambda fault: world.load_again(fault.draw),
                ),
                Kind.SOURCE_KILLED: (lambda _: source.kill(), lambda _: source.start()),
                Kind.SOURCE_HANGS: (lambda _: source.pause(), lambda _: source.resume()),
                Kind.ENGINE_KILLED: (
                    lambda fault: engines[fault.which].kill(),
                    lambda fault: engines[fault.which].start(),
                ),
                Kind.ENGINE_HANGS: (
                    lambda fault: engines[fault.which].pause(),
                    lambda fault: engines[fault.which].resume(),
                ),
                Kind.ENGINE_HANGS_IN_PULL: (
                    self._hang_in_pull,
                    lambda fault: engines[fault.which].resume(),
                ),
                Kind.ENGINE_EMPTIED: (self._empty, self._start_empty),
                Kind.OPERATOR_KILLED: (lambda _: operator.kill(), lambda _: operator.start()),
                Kind.OPERATOR_TERMINATED: (self._terminate, lambda _: operator.start()),
                Kind.API_HANGS: (lambda _: api.pause(), lambda _: api.resume()),
                Kind.API_KILLED: (lambda _: api.stop(), lambda _: api.start()),
            }
        )

    def _of_registries(self) -> dict[Kind, tuple[Begin, End]]:
        of = self._stack.registries
        return {
            Kind.REGISTRY_KILLED: (
                lambda fault: of[fault.which].stop(),
                lambda fault: of[fault.which].start(),
            ),
            Kind.REGISTRY_HANGS: (
                lambda fault: of[fault.which].pause(),
                lambda fault: of[fault.which].resume(),
            ),
            Kind.REGISTRY_WIPED: (self._lose_volume, lambda fault: of[fault.which].start()),
            Kind.REGISTRY_STORAGE_DOWN: (
                lambda fault: of[fault.which].break_storage(),
                lambda fault: of[fault.which].mend_storage(),
            ),
        }

    def _of_others(self) -> dict[Kind, tuple[Begin, End]]:
        others = self._world.others
        acts: dict[Kind, tuple[Begin, End]] = {
            kind: (partial(self._lie, lie), lambda _: others.be_honest())
            for kind, lie in LIES.items()
        }
        return acts | {
            Kind.TENANT_TAKES_IDENTITY: (
                lambda fault: others.take_identity(fault.which),
                lambda _: others.be_honest(),
            ),
            Kind.VOLUME_HANGS: (self._silence, self._end_silence),
            Kind.SECRETS_SLOW: (lambda _: self._secrets(Change(silent_at=0)), self._mend_secrets),
            Kind.SECRETS_REFUSED: (lambda _: self._secrets(FORBIDDEN), self._mend_secrets),
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
            Kind.CACHE_REMADE: lambda fault: world.remake_cache(fault.which),
            Kind.POD_REPLACED: lambda fault: world.replace_pod(fault.which),
            Kind.PODS_SWAPPED: lambda _: world.swap_pods(),
        }
        return {kind: (act, lambda _: None) for kind, act in acts.items()}

    def _lose_volume(self, fault: Fault) -> None:
        registry = self._stack.registries[fault.which]
        registry.stop()
        wipe(registry)

    def _hang_in_pull(self, fault: Fault) -> str:
        """Take an image away, and stop the engine while the operator brings it back."""
        engine = self._stack.engines[fault.which]
        for image in self._world.wanted(fault.which):
            engine.try_docker("rmi", image)
        trace, deadline = engine_trace(engine), time.monotonic() + PULL_SECONDS
        while not (begun := _transfers(trace)) and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        engine.pause()
        return begun[0].path if begun else f"nothing was brought within {PULL_SECONDS:g} s"

    def _lie(self, lie: Lie, _: Fault) -> None:
        self._world.others.tell(lie)

    def _silence(self, _: Fault) -> None:
        self._volume = SilentVolume(self._world.others.folder(HANGING))

    def _end_silence(self, _: Fault) -> None:
        if self._volume is not None:
            self._volume.end()

    def _secrets(self, fault: Answer | Change) -> None:
        assert self._stack.api_way is not None, "there is no way to the API server to be broken"
        self._stack.api_way.on("GET", SECRETS, fault)

    def _mend_secrets(self, _: Fault) -> None:
        assert self._stack.api_way is not None, "there is no way to the API server to be broken"
        self._stack.api_way.heal()

    def _empty(self, fault: Fault) -> None:
        engine = self._stack.engines[fault.which]
        engine.kill()
        empty(engine)

    def _start_empty(self, fault: Fault) -> None:
        engine = self._stack.engines[fault.which]
        engine.start()
        self._world.put_bystanders(engine)

    def _terminate(self, _: Fault) -> None:
        code = self._stack.operator.stop()
        assert code == 0, f"the operator ended with {code} after SIGTERM"

    def _remove(self, fault: Fault) -> str:
        image = self._drawn(fault)
        done = self._stack.engines[fault.which].try_docker("rmi", image)
        return image if done.returncode == 0 else f"{image} (is not there)"

    def _retag(self, fault: Fault) -> str:
        image = self._drawn(fault)
        self._stack.engines[fault.which].docker("tag", BYSTANDER, image)
        return image

    def _drawn(self, fault: Fault) -> str:
        images = self._world.wanted(fault.which)
        return images[fault.draw % len(images)]


def _transfers(trace: Trace) -> list[Call]:
    """The pulls and loads that began."""
    return [call for call in engine_calls(trace) if call.path.startswith(TRANSFERS)]
