"""What the operator does with it: an object is applied, and its condition says when it is done.

Time is taken from outside, as a user with `kubectl get --watch` sees it. Nothing here looks
into the operator. Every call leaves the API server as it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from tests.bench.stage import Stage
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition

RARELY = "10m"
"""Longer than any run: only events may wake the operator."""
SECONDS = 900.0
"""For one delivery: many times what the slowest takes."""
RANGE = "range"
LOOK_SECONDS = 0.01
"""Finer than anything that is compared."""


@dataclass(frozen=True, slots=True)
class Held:
    """An image as the status of the cache tells of it."""

    repository: str
    digest: str


@contextmanager
def site(
    stage: Stage, source: EnginePart, registry: RegistryPart, /, **spec: Any
) -> Iterator[Site]:
    """A cache that is ready, over this registry and source; gone afterwards."""
    made = stage.site("bench", source)
    try:
        made.cache(registry, refresh={"interval": RARELY}, **spec)
        await_ready(made, made.cache_path)
        yield made
    finally:
        made.remove_all()


def push(
    stage: Stage, source: EnginePart, registry: RegistryPart, images: Sequence[str]
) -> tuple[float, dict[str, Held]]:
    """Seconds from the creation of a cache with these images to Ready, and what it holds."""
    made = stage.site("push", source)
    try:
        began = time.monotonic()
        wanted = [{"image": image} for image in images]
        made.cache(registry, images=wanted, refresh={"interval": RARELY})
        seen = await_ready(made, made.cache_path)
        took = time.monotonic() - began
    finally:
        made.remove_all()
    rows = seen["status"]["imageStatuses"]
    return took, {row["image"]: Held(row["repository"], row["digest"]) for row in rows}


def deliver(
    made: Site, targets: Mapping[str, EnginePart], images: Sequence[str], **spec: Any
) -> float:
    """Seconds from the creation of a RangeImages per target to the last one's Ready.

    The pods are there before; a RangeImages is created for each by the name of its range.
    """
    for name, target in targets.items():
        made.pod(name, target.address)
    began = time.monotonic()
    for name, target in targets.items():
        made.ranges(name, target.port, images, interval=RARELY, **spec)
    for name in targets:
        await_ready(made, made.path(name))
    return time.monotonic() - began


def await_ready(made: Site, path: str) -> dict[str, Any]:
    """The object once it is Ready; fails at once if the operator gave up on it."""
    seen: dict[str, Any] = {}
    with closing(made.api.versions(path, SECONDS)) as versions:
        for seen in versions:
            assert condition(seen, "Stalled").get("status") != "True", _evidence(made, seen)
            ready = condition(seen, "Ready")
            at = ready.get("observedGeneration")
            if ready.get("status") == "True" and at == seen["metadata"]["generation"]:
                return seen
    raise TimeoutError(f"{path} not Ready when its watch ended\n{_evidence(made, seen)}")


def await_so(is_so: Callable[[], bool]) -> None:
    """Look every 10 ms until it is so; for what takes so little that no watch is worth it."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {SECONDS:.0f} s")
        time.sleep(LOOK_SECONDS)


def came_by_tar(made: Site, name: str) -> bool:
    """Whether the status says that tar brought something."""
    return bool(made.api.call("GET", made.path(name))["status"].get("tarDeliveries"))


def _evidence(made: Site, seen: Mapping[str, Any]) -> str:
    return f"{seen.get('status')}\n{made.operator.log()[-6000:]}"
