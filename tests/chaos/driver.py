"""Rounds: something breaks, then everything is healed, then every promise is checked.

The driver is one thread. There are three kinds of rounds: faults at random; a siege, in which
others stand broken and a range that uses nothing of theirs must be served; an outage, in which
the operator restarts while nobody can tell what an image is.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from itertools import count

from tests.chaos import checks
from tests.chaos.doing import Doing
from tests.chaos.engine_images import holding
from tests.chaos.faults import ENGINES, NEIGHBOURS, OUTAGES, Fault, Kind, outage, schedule, siege
from tests.chaos.outage import outage_watch
from tests.chaos.quiet import Quiet
from tests.chaos.siege import served_in_siege
from tests.chaos.tally import Invariant, Tally
from tests.chaos.world import SIZES, World

ROUND_SECONDS = 10.0
"""Of faults; long enough for a transfer to be cut twice."""
PAUSE_SECONDS = 0.7
"""Between the beginnings of two faults, on average."""
LOOK_SECONDS = 0.3


class Driver:
    """One run over one world; everything that is random comes from the seed."""

    def __init__(
        self, world: World, seed: int, tell: Callable[[str], None], kinds: Collection[Kind]
    ) -> None:
        self._world = world
        self._numbers = random.Random(seed)  # noqa: S311 - not for secrets
        self._tell = tell
        self._kinds = tuple(kinds)
        self._doing = Doing(world)
        self.tally = Tally()
        self._quiet = Quiet(world, self.tally)

    def run(self, seconds: float) -> None:
        """Each kind of round once, then more in turn until the time is over."""
        deadline = time.monotonic() + seconds
        self._world.make()
        self._quiet.calm()
        rounds = self._rounds()
        for number in count():
            if number >= len(rounds) and time.monotonic() > deadline:
                return
            self._tell(f"round {number + 1}")
            rounds[number % len(rounds)]()
            took = self._quiet.check(is_asked=self._numbers.random() < 0.5)
            self._tell(f"  well again after {took:.1f} s, all promises hold")

    def _rounds(self) -> list[Callable[[], None]]:
        """Those for which there are faults among the chosen ones."""
        rounds: list[Callable[[], None]] = [self._at_random]
        if any(kind in self._kinds for group in NEIGHBOURS for kind in group):
            rounds.append(self._siege)
        if any(kind in self._kinds for kind in OUTAGES):
            rounds.append(self._outage)
        return rounds

    # -- rounds -----------------------------------------------------------------------

    def _at_random(self) -> None:
        """Begin faults and end them at their moments, and look around in between."""
        faults = schedule(self._numbers, ROUND_SECONDS, PAUSE_SECONDS, self._kinds)
        moments = [(fault.at, 1, fault) for fault in faults]
        moments += [(fault.at + fault.lasts, 0, fault) for fault in faults if fault.lasts]
        began = time.monotonic()
        for moment, is_beginning, fault in sorted(moments, key=lambda each: each[:2]):
            while (ahead := began + moment - time.monotonic()) > 0:
                if ahead > LOOK_SECONDS:
                    self._look_around()
                time.sleep(max(0.0, min(LOOK_SECONDS, began + moment - time.monotonic())))
            if is_beginning:
                self._begin(fault, moment)
            else:
                self._doing.end(fault)
        self._doing.heal()

    def _siege(self) -> None:
        """P8: who uses nothing of what is broken is served."""
        faults = siege(self._numbers, self._kinds)
        with served_in_siege(self._world, self._quiet, self.tally) as serve:
            began = time.monotonic()
            for fault in faults:
                self._begin(fault, time.monotonic() - began)
            took = serve(self._look_around)
            self._tell(f"  served after {took:.1f} s while {len(faults)} parts were broken")
            self._doing.heal()

    def _outage(self) -> None:
        """P7: what is there stays Ready, although nobody can tell what it should be."""
        faults = outage(self._numbers, len(SIZES), self._kinds)
        is_killed = self._numbers.random() < 0.5
        for fault in faults:
            self._begin(fault, 0.0)
        operator = self._world.stack.operator
        self._tell(f"         {'SIGKILL' if is_killed else 'SIGTERM'} and a new operator")
        if is_killed:
            operator.kill()
        else:
            operator.stop()
        watch = outage_watch(self._world, self._quiet, self.tally)
        operator.start()
        watch()
        self._doing.heal()

    def _begin(self, fault: Fault, moment: float) -> None:
        self._tell(f"  {moment:5.1f} s  {self._doing.begin(fault)}")
        self.tally.happened(fault.kind)

    # -- in between -------------------------------------------------------------------

    def _look_around(self) -> None:
        """Statuses conform and names are whole, also in the middle of everything."""
        if not self._doing.is_api_away:
            self._quiet.objects()
        engine = self._numbers.randrange(2)
        if ENGINES[engine] in self._doing.away:
            return
        held = holding(self._world.stack.engines[engine])
        self.tally.hold(Invariant.P4, checks.unknown(self._world, engine, held))
        names = sorted(held.named().keys() & self._world.versions.keys())
        if names:
            drawn = names[self._numbers.randrange(len(names))]
            self.tally.hold(Invariant.P4, checks.not_whole(self._world, engine, [drawn]))
