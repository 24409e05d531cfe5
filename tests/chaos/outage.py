"""P7 over a restart: nobody can tell what an image is, and what is there stays Ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.chaos import checks
from tests.chaos.quiet import Quiet
from tests.chaos.tally import Invariant, Tally
from tests.chaos.world import World

WATCH_SECONDS = 10.0
"""After the start: some looks at everything, a hanging registry's first time-out among them."""
LOOK_SECONDS = 0.1


@contextmanager
def watched_outage(world: World, quiet: Quiet, tally: Tally) -> Iterator[Callable[[], None]]:
    """What is to be called once the new operator runs."""
    before = _warnings(world)

    def watch() -> None:
        deadline = time.monotonic() + WATCH_SECONDS
        while time.monotonic() < deadline:
            objects = quiet.objects()
            ranges = {name: objects[name] for name in world.ranges}
            tally.hold(Invariant.P7, checks.unready(ranges))
            time.sleep(LOOK_SECONDS)
        new = [text for key, text in _warnings(world).items() if before.get(key) != text]
        tally.hold(Invariant.P7, [f"a warning was told: {text}" for text in new])

    yield watch


def _warnings(world: World) -> dict[str, str]:
    """By the name of the event: what it warns of in a range, and how often it was told."""
    path = f"/apis/events.k8s.io/v1/namespaces/{world.site.name}/events"
    found: list[dict[str, Any]] = world.site.api.call("GET", path)["items"]
    return {
        each["metadata"]["name"]: f"{each['regarding']['name']} {each['reason']}:"
        f" {each.get('note')} x{(each.get('series') or {}).get('count', 1)}"
        for each in found
        if each.get("type") == "Warning" and each["regarding"].get("kind") == "RangeImages"
    }
