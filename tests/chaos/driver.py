"""Rounds: faults for a while, then everything is healed, then every promise is checked.

The driver is one thread. Between faults it reads statuses and looks into engines that are
well; what it finds wrong ends the run at once, with everything that may explain it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.chaos import checks
from tests.chaos.doing import Doing
from tests.chaos.engine_images import Holding, happened, holding
from tests.chaos.faults import ENGINES, Fault, Kind, schedule
from tests.chaos.stack import RegistryCalls
from tests.chaos.tally import Invariant, Tally
from tests.chaos.world import World

ROUND_SECONDS = 10.0
"""Of faults; long enough for a transfer to be cut twice."""
PAUSE_SECONDS = 0.7
"""Between the beginnings of two faults, on average."""
LOOK_SECONDS = 0.3
CALM_SECONDS = 120.0
"""The most that may pass until everything is well again. A back-off of a minute of outage has
grown to about 30 s; a hanging registry is given 15 s per question."""

Object = Mapping[str, Any]


class Driver:
    """One run over one world; everything that is random comes from the seed."""

    def __init__(
        self, world: World, seed: int, tell: Callable[[str], None], kinds: tuple[Kind, ...]
    ) -> None:
        self._world = world
        self._numbers = random.Random(seed)  # noqa: S311 - not for secrets
        self._tell = tell
        self._kinds = kinds
        self._doing = Doing(world)
        self._tokens = 0
        self._log_start = world.stack.operator.log_size()
        self.tally = Tally()

    def run(self, seconds: float) -> None:
        """Rounds until the time is over; the last one is ended and checked as well."""
        deadline = time.monotonic() + seconds
        self._world.make()
        self._calm()
        number = 0
        while time.monotonic() < deadline:
            number += 1
            length = min(ROUND_SECONDS, max(3.0, deadline - time.monotonic()))
            faults = schedule(self._numbers, length, PAUSE_SECONDS, self._kinds)
            self._tell(f"round {number}: {len(faults)} faults")
            self._carry_out(faults)
            self._check_calm(is_asked=self._numbers.random() < 0.5)

    # -- faults -----------------------------------------------------------------------

    def _carry_out(self, faults: tuple[Fault, ...]) -> None:
        """Begin and end them at their moments, and look around in between."""
        moments = [(fault.at, 1, fault) for fault in faults]
        moments += [(fault.at + fault.lasts, 0, fault) for fault in faults if fault.lasts]
        began = time.monotonic()
        for moment, is_beginning, fault in sorted(moments, key=lambda each: each[:2]):
            while (ahead := began + moment - time.monotonic()) > 0:
                if ahead > LOOK_SECONDS:
                    self._look_around()
                time.sleep(max(0.0, min(LOOK_SECONDS, began + moment - time.monotonic())))
            if is_beginning:
                self._tell(f"  {moment:5.1f} s  {self._doing.begin(fault)}")
                self.tally.happened(fault.kind)
            else:
                self._doing.end(fault)
        self._doing.heal()

    def _look_around(self) -> None:
        """Statuses conform and names are whole, also in the middle of everything."""
        if not self._doing.is_api_away:
            self._objects()
        engine = self._numbers.randrange(2)
        if ENGINES[engine] in self._doing.away:
            return
        held = holding(self._world.stack.engines[engine])
        self.tally.hold(Invariant.P4, checks.unknown(self._world, engine, held))
        names = sorted(held.named().keys() & self._world.versions.keys())
        if names:
            drawn = names[self._numbers.randrange(len(names))]
            self.tally.hold(Invariant.P4, checks.not_whole(self._world, engine, [drawn]))

    # -- quiet ------------------------------------------------------------------------

    def _check_calm(self, *, is_asked: bool) -> None:
        """All promises, once nothing is broken any more."""
        began = time.monotonic()
        if is_asked:
            self._check_ready()
        self._calm()
        self.tally.quiet_seconds.append(time.monotonic() - began)
        self._check_ready()
        self._check_repeat()
        self._check_engines()
        log = self._world.stack.operator.log_file.read_bytes()[self._log_start :]
        self.tally.hold(Invariant.LOG, checks.defects(log.decode(errors="replace")))
        self._tell(f"  well again after {self.tally.quiet_seconds[-1]:.1f} s, all promises hold")

    def _calm(self) -> None:
        """P3: wait until all is ready, true and tidy, without a hand of ours."""
        last: list[str] = []

        def is_calm() -> bool:
            objects = self._objects()
            last[:] = checks.unready(objects)
            if not last:
                held = self._held()
                last[:] = [
                    *checks.untrue(self._world, held),
                    *checks.untidy(self._world, held),
                    *checks.misread(self._world, objects),
                ]
            return not last

        is_so = _within(CALM_SECONDS, is_calm)
        late = [] if is_so else [f"not within {CALM_SECONDS:.0f} s", *last]
        self.tally.hold(Invariant.P3, late)

    def _check_ready(self) -> None:
        """P1: ask for passes, the cache first; whoever says Ready=True then, must be right.

        No fault happens between the question and the look into the engines.
        """
        token = self._ask(self._world.site.name)
        self._await_ready(token, {self._world.site.name})
        token = self._ask(*self._world.ranges)
        waiting = set(self._world.ranges)

        def have_answered() -> bool:
            for name, body in self._objects().items():
                if name in waiting and _has_handled(body, token) and checks.is_ready(body):
                    waiting.discard(name)
                    self._check_statement(name)
            return not waiting

        if not _within(CALM_SECONDS, have_answered):
            late = [f"{name} is not Ready after a pass that was asked for" for name in waiting]
            self.tally.hold(Invariant.P3, [*late, *checks.unready(self._objects())])

    def _check_statement(self, name: str) -> None:
        range_, held = self._world.ranges[name], self._held()
        wrong = [
            each
            for each in checks.untrue(self._world, held)
            if any(
                each.startswith(f"{image} in {ENGINES[engine]}:")
                for image in range_.images
                for engine in self._world.engines_of(range_)
            )
        ]
        told = [f"{name} says Ready=True, yet {each}" for each in wrong]
        self.tally.hold(Invariant.P1, told, len(range_.images) * len(range_.pods))

    def _check_repeat(self) -> None:
        """P2: one more pass of everything moves nothing."""
        stack, began = self._world.stack, time.time()
        calls = RegistryCalls(stack.registry)
        token = self._ask(*self._world.paths)
        self._await_ready(token, set(self._world.paths))
        told = [f"{call.method} {call.path} ({call.size} bytes)" for call in calls.of_layers()]
        told += [
            f"the engine at {engine.address} saved, loaded or pulled {number} times"
            for engine in (stack.source, *stack.engines)
            if (number := happened(engine, began, "save", "load", "pull"))
        ]
        self.tally.hold(Invariant.P2, told)

    def _check_engines(self) -> None:
        world, held = self._world, self._held()
        for engine, each in enumerate(held):
            self.tally.hold(Invariant.P4, checks.unknown(world, engine, each))
            names = world.wanted(engine)
            self.tally.hold(Invariant.P4, checks.not_whole(world, engine, names), len(names))
        differences, number = checks.differing(world, held)
        self.tally.hold(Invariant.P5, differences, number)
        self.tally.hold(Invariant.P6, checks.lost(world, held), 6)

    # -- seen -------------------------------------------------------------------------

    def _objects(self) -> dict[str, Object]:
        """Cache and ranges as the API has them now, each status checked."""
        found: dict[str, Object] = {}
        for name, path in self._world.paths.items():
            try:
                found[name] = self._world.site.read(path)
            except AssertionError as exc:
                self.tally.hold(Invariant.STATUS, [str(exc)])
            self.tally.hold(Invariant.STATUS, [])
        return found

    def _held(self) -> list[Holding]:
        return [holding(engine) for engine in self._world.stack.engines]

    def _ask(self, *names: str) -> str:
        """Ask for a pass of these objects; the token that they will answer with."""
        self._tokens += 1
        token = f"chaos-{self._tokens}"
        self._world.site.reconcile_now(token, *(self._world.paths[name] for name in names))
        return token

    def _await_ready(self, token: str, names: set[str]) -> None:
        def are_ready() -> bool:
            objects = self._objects()
            return all(
                _has_handled(objects[name], token) and checks.is_ready(objects[name])
                for name in names
            )

        if not _within(CALM_SECONDS, are_ready):
            told = checks.unready(self._objects())
            self.tally.hold(Invariant.P3, [f"no answer to {token}", *told])


def _has_handled(body: Object, token: str) -> bool:
    return bool((body.get("status") or {}).get("lastHandledReconcileAt") == token)


def _within(seconds: float, is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
