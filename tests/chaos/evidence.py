"""What is printed when a promise was broken: objects, events, engines, the end of the log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress

import httpx

from tests.chaos.engine_images import holding
from tests.chaos.world import World

LOG_LINES = 120
EVENTS = 60


def evidence(world: World) -> str:
    """Whatever can still be asked; never raises for a part that does not answer."""
    return "\n".join([*_objects(world), *_events(world), *_engines(world), *_log(world)])


def _objects(world: World) -> Iterator[str]:
    for name, path in world.paths.items():
        yield f"== {name}"
        with suppress(httpx.HTTPError, AssertionError):
            body = world.site.api.call("GET", path)
            body["metadata"].pop("managedFields", None)
            yield json.dumps(body, indent=1)


def _events(world: World) -> Iterator[str]:
    yield "== events"
    found = []
    with suppress(httpx.HTTPError, AssertionError):
        for namespace in (*(each.name for each in world.sites), "default"):
            path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
            found += world.site.api.call("GET", path)["items"]
    for event in sorted(found, key=lambda each: str(each.get("eventTime")))[-EVENTS:]:
        about = event["regarding"]["name"]
        yield f"{event.get('eventTime')} {about} {event['reason']}: {event.get('note')}"


def _engines(world: World) -> Iterator[str]:
    for engine in (world.stack.source, *world.stack.engines):
        yield f"== engine at {engine.address}:{engine.port}"
        with suppress(httpx.HTTPError):
            for image in holding(engine).images:
                names = ", ".join((*image.tags, *image.by_digest))
                yield f"{image.id[:19]} {image.content.command} {names}"


def _log(world: World) -> Iterator[str]:
    yield "== the last lines of the operator"
    lines = world.stack.operator.log_file.read_text(errors="replace").splitlines()
    yield from (line[:1000] for line in lines[-LOG_LINES:])
