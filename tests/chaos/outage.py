"""P7 over a restart: nobody can tell what an image is, and what is there stays Ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos import checks
from tests.chaos.quiet import Quiet
from tests.chaos.tally import Invariant, Tally
from tests.chaos.world import World
from tests.parts.site import condition

WATCH_SECONDS = 10.0
"""After the start: some looks at everything, a hanging registry's first time-out among them."""
LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class _Warning:
    """An event on a range."""

    name: str
    """Of the range."""
    reason: str
    text: str
    """The message, and how often it was told."""


def outage_watch(world: World, quiet: Quiet, tally: Tally) -> Callable[[], None]:
    """Made while no operator runs, to be called once the new one does.

    What the old one told is not looked at: a registry that is made to answer 500 is away for a
    moment first, and both may be told.
    """
    before = _warnings(world)

    def watch() -> None:
        deadline = time.monotonic() + WATCH_SECONDS
        while time.monotonic() < deadline:
            objects = quiet.objects()
            ranges = {name: objects[name] for name in world.ranges}
            tally.hold(Invariant.P7, checks.unready(ranges))
            time.sleep(LOOK_SECONDS)
        new = [each for key, each in _warnings(world).items() if before.get(key) != each]
        tally.hold(Invariant.P7, _untrue(new, quiet.objects()))

    return watch


def _untrue(warnings: Iterable[_Warning], objects: Mapping[str, Any]) -> list[str]:
    """All but the outage itself, which may be told once: nothing is missing."""
    told: set[str] = set()
    found: list[str] = []
    for each in warnings:
        outage = condition(objects[each.name], "RegistryAvailable").get("reason")
        if each.reason != outage or each.name in told:
            found.append(f"a warning was told: {each.name} {each.reason}: {each.text}")
        told.add(each.name)
    return found


def _warnings(world: World) -> dict[str, _Warning]:
    """By the name of the event: what it warns of in a range, and how often it was told."""
    path = f"/apis/events.k8s.io/v1/namespaces/{world.site.name}/events"
    found: list[dict[str, Any]] = world.site.api.call("GET", path)["items"]
    return {
        each["metadata"]["name"]: _Warning(
            each["regarding"]["name"],
            each["reason"],
            f"{each.get('note')} x{(each.get('series') or {}).get('count', 1)}",
        )
        for each in found
        if each.get("type") == "Warning" and each["regarding"].get("kind") == "RangeImages"
    }
