"""What may go wrong, to which part, and a schedule of it made from random numbers alone.

Nothing here touches a part. One idea: every fault holds some parts for a while and needs
others to be well at its beginning, so a schedule never asks a stopped engine to untag.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

API, OPERATOR, SOURCE = "api", "operator", "source"
TENANT, VOLUME, SECRETS = "tenant", "volume", "secrets"
ENGINES = ("engine-1", "engine-2")
REGISTRIES = ("registry-1", "registry-2")
PARTS = (API, OPERATOR, SOURCE, TENANT, VOLUME, SECRETS, *REGISTRIES, *ENGINES)
_OF_MANY = (ENGINES, REGISTRIES)
"""A rule that names one of these means the one that the fault is about."""


class Kind(StrEnum):
    """The faults, in the words of the table that is printed at the end."""

    REGISTRY_KILLED = "registry killed"
    REGISTRY_HANGS = "registry hangs"
    REGISTRY_WIPED = "registry's volume lost"
    REGISTRY_STORAGE_DOWN = "registry answers /v2/ and 500 to everything else"
    SOURCE_KILLED = "source engine killed"
    SOURCE_HANGS = "source engine hangs"
    SOURCE_PRUNED = "image pruned at the source"
    ENGINE_KILLED = "range engine killed"
    ENGINE_HANGS = "range engine hangs"
    ENGINE_HANGS_IN_PULL = "range engine hangs in mid-pull"
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
    VOLUME_HANGS = "archive volume hangs"
    SECRETS_SLOW = "Secrets are not answered"
    SECRETS_REFUSED = "Secrets are refused: 403"
    TENANT_HANGS = "a tenant's engines accept and never answer"
    TENANT_HANGS_IN_PULL = "a tenant's engines hang in mid-pull"
    TENANT_DRIPS = "a tenant's engines drip progress lines"
    TENANT_CLAIMS = "a tenant's engines claim images that they lack"
    TENANT_CHANGES_PLATFORM = "a tenant's engines are of another architecture at each look"
    TENANT_TAKES_IDENTITY = "a tenant's engines show another engine's ID and images"
    POD_REPLACED = "pod replaced"
    PODS_SWAPPED = "pods replaced, addresses swapped"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a kind holds, what it needs, and for how long it lasts at most, in seconds."""

    holds: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    longest: float = 0.0


RULES: dict[Kind, Rule] = {
    Kind.REGISTRY_KILLED: Rule(holds=REGISTRIES, longest=5),
    Kind.REGISTRY_HANGS: Rule(holds=REGISTRIES, longest=6),
    Kind.REGISTRY_WIPED: Rule(holds=REGISTRIES, longest=2),
    Kind.REGISTRY_STORAGE_DOWN: Rule(holds=REGISTRIES, longest=6),
    Kind.SOURCE_KILLED: Rule(holds=(SOURCE,), longest=3),
    Kind.SOURCE_HANGS: Rule(holds=(SOURCE,), longest=5),
    Kind.SOURCE_PRUNED: Rule(holds=(SOURCE,), longest=5),
    Kind.ENGINE_KILLED: Rule(holds=ENGINES, longest=3),
    Kind.ENGINE_HANGS: Rule(holds=ENGINES, longest=5),
    Kind.ENGINE_HANGS_IN_PULL: Rule(holds=ENGINES, longest=5),
    Kind.ENGINE_EMPTIED: Rule(holds=ENGINES, longest=1),
    # It could not start again without the API server: the schedule waits for its end.
    Kind.OPERATOR_TERMINATED: Rule(holds=(OPERATOR,), longest=4),
    Kind.OPERATOR_KILLED: Rule(holds=(OPERATOR,), longest=4),
    Kind.API_HANGS: Rule(holds=(API, OPERATOR), longest=4),
    Kind.API_KILLED: Rule(holds=(API, OPERATOR), longest=1),
    Kind.VOLUME_HANGS: Rule(holds=(VOLUME,), longest=8),
    Kind.SECRETS_SLOW: Rule(holds=(SECRETS,), longest=8),
    Kind.SECRETS_REFUSED: Rule(holds=(SECRETS,), longest=8),
    Kind.TENANT_HANGS: Rule(holds=(TENANT,), longest=8),
    Kind.TENANT_HANGS_IN_PULL: Rule(holds=(TENANT,), longest=8),
    Kind.TENANT_DRIPS: Rule(holds=(TENANT,), longest=8),
    Kind.TENANT_CLAIMS: Rule(holds=(TENANT,), longest=8),
    Kind.TENANT_CHANGES_PLATFORM: Rule(holds=(TENANT,), longest=8),
    Kind.TENANT_TAKES_IDENTITY: Rule(holds=(TENANT,), needs=ENGINES, longest=8),
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
"""`ENGINES` and `REGISTRIES` stand for the one that the fault is about."""

NEIGHBOURS: tuple[tuple[Kind, ...], ...] = (
    (
        Kind.TENANT_HANGS,
        Kind.TENANT_HANGS_IN_PULL,
        Kind.TENANT_DRIPS,
        Kind.TENANT_CLAIMS,
        Kind.TENANT_CHANGES_PLATFORM,
        Kind.TENANT_TAKES_IDENTITY,
    ),
    (Kind.ENGINE_HANGS_IN_PULL, Kind.ENGINE_HANGS),
    (Kind.SOURCE_HANGS, Kind.SOURCE_KILLED),
    (Kind.VOLUME_HANGS,),
    (Kind.SECRETS_SLOW, Kind.SECRETS_REFUSED),
    (Kind.REGISTRY_KILLED, Kind.REGISTRY_HANGS, Kind.REGISTRY_STORAGE_DOWN),
)
"""What may break together without being an excuse for a range that uses none of it; in the order
in which it can begin: a pull is needed to hang in it."""
OUTAGES = NEIGHBOURS[-1]
RESTARTS = (Kind.OPERATOR_TERMINATED, Kind.OPERATOR_KILLED)

SHORTEST = 0.1
LIKELY = 0.8
"""How likely each group breaks in a siege."""
STANDING = 600.0
"""Seconds that nobody waits for: whoever begins such a fault ends it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, in seconds from the beginning of its round."""

    kind: Kind
    at: float
    lasts: float
    which: int
    """Which range engine or registry, where it is about one."""
    draw: int
    """A random number that picks the image, the object or the value."""

    @property
    def part(self) -> str | None:
        """The part that is away meanwhile; None for a change that is over at once."""
        parts = _about(RULES[self.kind].holds, self.which)
        return parts[0] if parts else None

    @property
    def one(self) -> str | None:
        """The engine or registry that it is about."""
        rule = RULES[self.kind]
        found = [parts for parts in (rule.holds, rule.needs) if parts in _OF_MANY]
        return found[0][self.which] if found else None

    def __str__(self) -> str:
        is_timed = 0 < self.lasts < STANDING
        lasting = f" for {self.lasts:.1f} s" if is_timed else ""
        about = f" ({self.one})" if self.one else ""
        return f"{self.kind}{about}{lasting}"


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
        kind, which = numbers.choice(kinds), numbers.randrange(len(ENGINES))
        rule, draw = RULES[kind], numbers.randrange(1 << 30)
        lasts = numbers.uniform(SHORTEST, rule.longest) if rule.longest else 0.0
        holds, needs = _about(rule.holds, which), _about(rule.needs, which)
        at = max([moment, *(free[part] for part in (*holds, *needs))])
        if at < seconds:
            found.append(Fault(kind, at, lasts, which, draw))
            free.update(dict.fromkeys(needs, at))  # nothing may take them away before that
            free.update(dict.fromkeys(holds, at + lasts))
        moment += numbers.expovariate(1 / pause)
    return tuple(sorted(found, key=lambda fault: fault.at))


def siege(numbers: random.Random, kinds: Collection[Kind] = tuple(Kind)) -> tuple[Fault, ...]:
    """Faults that stand together until they are healed, one of each group or none."""
    found = []
    for group in NEIGHBOURS:
        chosen, which = [kind for kind in group if kind in kinds], numbers.randrange(2)
        is_wanted = numbers.random() < LIKELY
        if chosen and is_wanted:
            # The other registry is the one of those who must not notice.
            at = 0 if group is OUTAGES else which
            found.append(_standing(numbers.choice(chosen), at, numbers.randrange(1 << 30)))
    return tuple(found)


def outage(
    numbers: random.Random, images: int, kinds: Collection[Kind] = tuple(Kind)
) -> tuple[Fault, ...]:
    """Both registries are away and the source has nothing left of so many images."""
    chosen = [kind for kind in OUTAGES if kind in kinds]
    if not chosen:
        return ()
    kind = numbers.choice(chosen)
    pruned = [_standing(Kind.SOURCE_PRUNED, 0, number) for number in range(images)]
    return (*(_standing(kind, which, which) for which in range(len(REGISTRIES))), *pruned)


def _standing(kind: Kind, which: int, draw: int) -> Fault:
    return Fault(kind, 0.0, STANDING, which, draw)


def _about(parts: tuple[str, ...], which: int) -> tuple[str, ...]:
    return (parts[which],) if parts in _OF_MANY else parts
