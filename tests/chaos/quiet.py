"""What must hold once nothing is broken any more: every promise, on real engines and statuses.

It waits and compares; what it finds wrong ends the run at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tests.chaos import checks
from tests.chaos.engine_images import Holding, happened, holding
from tests.chaos.faults import ENGINES
from tests.chaos.stack import RegistryCalls
from tests.chaos.tally import Invariant, Tally
from tests.chaos.world import World

CALM_SECONDS = 120.0
"""The most that may pass until everything is well again. A back-off of a minute of outage has
grown to about 30 s; a hanging registry is given 15 s per question."""

Object = Mapping[str, Any]


class Quiet:
    """The promises of one world."""

    def __init__(self, world: World, tally: Tally) -> None:
        self._world = world
        self._tally = tally
        self._tokens = 0
        self._log_start = world.stack.operator.log_size()

    def check(self, *, is_asked: bool) -> float:
        """All promises, once nothing is broken any more; the seconds until all was well.

        `is_asked`: do not wait first, but ask for a pass at once, and believe who says Ready.
        """
        began = time.monotonic()
        if is_asked:
            self._check_ready()
        self.calm()
        self._tally.quiet_seconds.append(time.monotonic() - began)
        self._check_ready()
        self._check_repeat()
        self._check_engines()
        log = self._world.stack.operator.log_file.read_bytes()[self._log_start :]
        self._tally.hold(Invariant.LOG, checks.defects(log.decode(errors="replace")))
        return self._tally.quiet_seconds[-1]

    def calm(self) -> None:
        """P3: wait until all is ready, true and tidy, without a hand of ours."""
        last: list[str] = []

        def is_calm() -> bool:
            objects = self.objects()
            last[:] = checks.unready(objects)
            if not last:
                held = self._held()
                last[:] = [
                    *checks.untrue(self._world, held),
                    *checks.untidy(self._world, held),
                    *checks.misread(self._world, objects),
                ]
            return not last

        is_so = within(CALM_SECONDS, is_calm)
        late = [] if is_so else [f"not within {CALM_SECONDS:.0f} s", *last]
        self._tally.hold(Invariant.P3, late)

    def _check_ready(self) -> None:
        """P1: ask for passes, the cache first; whoever says Ready=True then, must be right.

        No fault happens between the question and the look into the engines.
        """
        token = self._ask(*self._world.caches)
        self._await_ready(token, self._world.caches)
        token = self._ask(*self._world.ranges)
        waiting = set(self._world.ranges)

        def have_answered() -> bool:
            for name, body in self.objects().items():
                if name in waiting and _has_handled(body, token) and checks.is_ready(body):
                    waiting.discard(name)
                    self._check_statement(name)
            return not waiting

        if not within(CALM_SECONDS, have_answered):
            late = [f"{name} is not Ready after a pass that was asked for" for name in waiting]
            self._tally.hold(Invariant.P3, [*late, *checks.unready(self.objects())])

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
        self._tally.hold(Invariant.P1, told, len(range_.images) * len(range_.pods))

    def _check_repeat(self) -> None:
        """P2: one more pass of everything moves nothing."""
        stack, began = self._world.stack, time.time()
        calls = RegistryCalls(*stack.registries)
        token = self._ask(*self._world.paths)
        self._await_ready(token, self._world.paths)
        told = [f"{call.method} {call.path} ({call.size} bytes)" for call in calls.of_layers()]
        told += [
            f"the engine at {engine.address} saved, loaded or pulled {number} times"
            for engine in (stack.source, *stack.engines)
            if (number := happened(engine, began, "save", "load", "pull"))
        ]
        self._tally.hold(Invariant.P2, told)

    def _check_engines(self) -> None:
        world, held = self._world, self._held()
        for engine, each in enumerate(held):
            self._tally.hold(Invariant.P4, checks.unknown(world, engine, each))
            names = world.wanted(engine)
            self._tally.hold(Invariant.P4, checks.not_whole(world, engine, names), len(names))
        differences, number = checks.differing(world, held)
        self._tally.hold(Invariant.P5, differences, number)
        self._tally.hold(Invariant.P6, checks.lost(world, held), 6)

    # -- seen -------------------------------------------------------------------------

    def objects(self) -> dict[str, Object]:
        """Caches and ranges as the API has them now, each status checked."""
        found: dict[str, Object] = {}
        for name, path in self._world.paths.items():
            try:
                found[name] = self._world.site.read(path)
            except AssertionError as exc:
                self._tally.hold(Invariant.STATUS, [str(exc)])
            self._tally.hold(Invariant.STATUS, [])
        return found

    def _held(self) -> list[Holding]:
        return [holding(engine) for engine in self._world.stack.engines]

    def _ask(self, *names: str) -> str:
        """Ask for a pass of these objects; the token that they will answer with."""
        self._tokens += 1
        token = f"chaos-{self._tokens}"
        self._world.site.reconcile_now(token, *(self._world.paths[name] for name in names))
        return token

    def _await_ready(self, token: str, names: Collection[str]) -> None:
        def are_ready() -> bool:
            objects = self.objects()
            return all(
                _has_handled(objects[name], token) and checks.is_ready(objects[name])
                for name in names
            )

        if not within(CALM_SECONDS, are_ready):
            told = checks.unready(self.objects())
            self._tally.hold(Invariant.P3, [f"no answer to {token}", *told])


def _has_handled(body: Object, token: str) -> bool:
    return bool((body.get("status") or {}).get("lastHandledReconcileAt") == token)


def within(seconds: float, is_so: Callable[[], bool]) -> bool:
    """Has it become so, asked ten times a second, within so many seconds?"""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
