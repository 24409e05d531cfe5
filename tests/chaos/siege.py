"""P8 while others stand broken: a new range of somebody else is served, an old one stays Ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.chaos import checks
from tests.chaos.others import QUIET
from tests.chaos.quiet import Quiet, within
from tests.chaos.tally import Invariant, Tally
from tests.chaos.world import World
from tests.parts.site import condition

BITE_SECONDS = 5.0
"""Two looks at everything: until then a fault has done what it does."""
SERVED_SECONDS = 30.0
"""Alone it takes two seconds; half of each share is what others can take."""

Serve = Callable[[Callable[[], None]], float]
"""Looks around until the faults bite, then asks; the seconds until the new range was Ready."""


@contextmanager
def served_in_siege(world: World, quiet: Quiet, tally: Tally) -> Iterator[Serve]:
    """What is to be called while the faults stand; what was asked for is taken back at the end."""
    others, made = world.others, list[str]()
    image = others.put_probe()

    def serve(look_around: Callable[[], None]) -> float:
        deadline = time.monotonic() + BITE_SECONDS
        while time.monotonic() < deadline:
            look_around()
        began = time.monotonic()
        made.append(others.ask_for(image))
        path = others.quiet.path(made[0])
        within(SERVED_SECONDS, lambda: checks.is_ready(others.quiet.read(path)))
        late, took = others.quiet.read(path), time.monotonic() - began
        told = condition(late, "Ready")
        wrong = [f"{QUIET} is not served within {took:.0f} s: {told.get('reason')}, {told}"]
        tally.hold(Invariant.P8, [] if checks.is_ready(late) else wrong)
        old = {QUIET: quiet.objects()[QUIET]}
        tally.hold(Invariant.P8, checks.unready(old))
        return took

    yield serve
    if made:
        others.end_probe(made[0])
