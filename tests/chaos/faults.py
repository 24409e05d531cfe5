"""What may go wrong, to which part, and a schedule of it made from random numbers alone.

Nothing here touches a part. One idea: every fault holds some parts for a while and needs
others to be well at its beginning, so a schedule never asks a stopped engine to untag.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

API, OPERATOR, REGISTRY, SOURCE = "api", "operator", "registry", "source"
ENGINES = ("engine-1", "engine-2")
PARTS = (API, OPERATOR, REGISTRY, SOURCE, *ENGINES)


class Kind(StrEnum):
    """The faults, in the words of the table that is printed at the end."""

    REGISTRY_KILLED = "registry killed"
    REGISTRY_HANGS = "registry hangs"
    REGISTRY_WIPED = "registry's volume lost"
    SOURCE_KILLED = "source engine killed"
    SOURCE_HANGS = "source engine hangs"
    ENGINE_KILLED = "range engine killed"
    ENGINE_HANGS = "range engine hangs"
    ENGINE_EMPTIED = "range engine came back empty"
    OPERATOR_TERMINATED = "operator: SIGTERM"
    OPERATOR_KILLED = "operator: SIGKILL"
    API_HANGS = "API server hangs"
    API_KILLED = "API server killed"
    IMAGE_REMOVED = "image removed in an engine"
    IMAGE_RETAGGED = "image retagged in an engine"
    TAG_MOVED = "tag moved at the source"
    IMAGE_LISTED = "image added to a spec"
    IMAGE_UNLISTED = "image taken off a spec"
    DELIVERY_SWITCHED = "delivery switched"
    OBJECT_REMADE = "object deleted and made again"
    CACHE_REMADE = "cache deleted and made again"
    POD_REPLACED = "pod replaced"
    PODS_SWAPPED = "pods replaced, addresses swapped"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a kind holds, what it needs, and for how long it lasts at most, in seconds."""

    holds: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    longest: float = 0.0


RULES: dict[Kind, Rule] = {
    Kind.REGISTRY_KILLED: Rule(holds=(REGISTRY,), longest=5),
    Kind.REGISTRY_HANGS: Rule(holds=(REGISTRY,), longest=6),
    Kind.REGISTRY_WIPED: Rule(holds=(REGISTRY,), longest=2),
    Kind.SOURCE_KILLED: Rule(holds=(SOURCE,), longest=3),
    Kind.SOURCE_HANGS: Rule(holds=(SOURCE,), longest=5),
    Kind.ENGINE_KILLED: Rule(holds=ENGINES, longest=3),
    Kind.ENGINE_HANGS: Rule(holds=ENGINES, longest=5),
    Kind.ENGINE_EMPTIED: Rule(holds=ENGINES, longest=1),
    # It could not start again without the API server: the schedule waits for its end.
    Kind.OPERATOR_TERMINATED: Rule(holds=(OPERATOR,), longest=4),
    Kind.OPERATOR_KILLED: Rule(holds=(OPERATOR,), longest=4),
    Kind.API_HANGS: Rule(holds=(API, OPERATOR), longest=4),
    Kind.API_KILLED: Rule(holds=(API, OPERATOR), longest=1),
    Kind.IMAGE_REMOVED: Rule(needs=ENGINES),
    Kind.IMAGE_RETAGGED: Rule(needs=ENGINES),
    Kind.TAG_MOVED: Rule(needs=(SOURCE,)),
    Kind.IMAGE_LISTED: Rule(needs=(API,)),
    Kind.IMAGE_UNLISTED: Rule(needs=(API,)),
    Kind.DELIVERY_SWITCHED: Rule(needs=(API,)),
    Kind.OBJECT_REMADE: Rule(needs=(API,)),
    Kind.CACHE_REMADE: Rule(needs=(API,)),
    Kind.POD_REPLACED: Rule(needs=(API,)),
    Kind.PODS_SWAPPED: Rule(needs=(API,)),
}
"""`ENGINES` stands for the one engine that the fault is about."""

SHORTEST = 0.1


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, in seconds from the beginning of its round."""

    kind: Kind
    at: float
    lasts: float
    engine: int
    """Which range engine, where it is about one."""
    draw: int
    """A random number that picks the image, the object or the value."""

    @property
    def part(self) -> str | None:
        """The part that is away meanwhile; None for a change that is over at once."""
        parts = _about(RULES[self.kind].holds, self.engine)
        return parts[0] if parts else None

    def __str__(self) -> str:
        lasting = f" for {self.lasts:.1f} s" if self.lasts else ""
        about = f" ({ENGINES[self.engine]})" if self.kind in _OF_ENGINES else ""
        return f"{self.kind}{about}{lasting}"


_OF_ENGINES = {kind for kind, rule in RULES.items() if ENGINES in (rule.holds, rule.needs)}


def schedule(
    numbers: random.Random, seconds: float, pause: float, kinds: Sequence[Kind] = tuple(Kind)
) -> tuple[Fault, ...]:
    """Faults that begin within these seconds, in order, about `pause` seconds apart.

    The same state of `numbers` gives the same faults.
    """
    free = dict.fromkeys(PARTS, 0.0)
    """When each part is well again."""
    found: list[Fault] = []
    moment = 0.0
    while moment < seconds:
        kind, engine = numbers.choice(kinds), numbers.randrange(len(ENGINES))
        rule, draw = RULES[kind], numbers.randrange(1 << 30)
        lasts = numbers.uniform(SHORTEST, rule.longest) if rule.longest else 0.0
        holds, needs = _about(rule.holds, engine), _about(rule.needs, engine)
        at = max([moment, *(free[part] for part in (*holds, *needs))])
        if at < seconds:
            found.append(Fault(kind, at, lasts, engine, draw))
            free.update(dict.fromkeys(holds, at + lasts))
        moment += numbers.expovariate(1 / pause)
    return tuple(sorted(found, key=lambda fault: fault.at))


def _about(parts: tuple[str, ...], engine: int) -> tuple[str, ...]:
    return (ENGINES[engine],) if parts == ENGINES else parts
