"""200 readers with event streams: what that costs the API server and this process."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.component.api.world import ApiWorld
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.event_reader import Reader
from tests.parts.people_api import (
    api_account,
    people,
    put_status,
    roles,
    running_people_api,
)
from tests.parts.registry import RegistryPart

READERS = 200
USERS = 20
RANGES = 500
WATCHED_SECONDS = 40.0
"""More than one round of reviews."""
MOST_CALLS_PER_SECOND = 5.0
MOST_KIB = 150 * 1024
OURS = "system:serviceaccount:cyroid:people-api"


@pytest.fixture
def audited() -> Iterator[ApiServerPart]:
    """An API server that writes down who asks what."""
    with tempfile.TemporaryDirectory(prefix="cyroid-audited-") as folder:
        part = ApiServerPart(Path(folder), is_audited=True)
        try:
            part.start()
            part.install_crds()
            yield part
        finally:
            part.close()


@pytest.mark.slow
def test_two_hundred_readers_cost_a_few_calls_and_little_memory(
    audited: ApiServerPart, registry: RegistryPart
) -> None:
    users = people(audited, {f"user-{n}": roles()["evaluator"] for n in range(USERS)})
    admin = people(audited, {"admin": roles()["admin"]})
    with running_people_api(api_account(audited)) as api, ExitStack() as stack:
        world = ApiWorld("crowd", audited, api, admin, registry)
        audited.put_namespace(world.name)
        world.cache()
        for number in range(RANGES):
            objects.create(audited, _range(world, number))
        tokens = [users[f"user-{number % USERS}"] for number in range(READERS)]
        paths = ["/api/v1/ranges/events", f"/api/v1/registry/events?cache={world.name}"]
        readers = [
            Reader(api.url, paths[number // USERS % 2], token)
            for number, token in enumerate(tokens)
        ]
        for reader in readers:
            stack.callback(reader.close)
        wait_for(lambda: all(each.events for each in readers), "all to be told", 60, api.log)
        before, began = _calls(audited), time.monotonic()
        seen = [len(each.events) for each in readers]
        changes = 0
        while time.monotonic() < began + WATCHED_SECONDS:
            number = changes % RANGES
            counts = {"images": {"present": changes + 1}}
            put_status(audited, world.range_path(f"range-{number:03}"), counts)
            changes += 1
        calls = (_calls(audited) - before) / (time.monotonic() - began)
        memory = api.memory_kib()
        last = world.range_path("range-000")
        put_status(audited, last, {"images": {"present": 77_777}})
        followers = readers[:USERS]
        wait_for(lambda: all(_tells(each, 77_777) for each in followers), "the last change", 20)
        told = [len(each.events) - old for each, old in zip(readers, seen, strict=True)]
    print(f"{calls:.1f} calls/s, {memory} KiB, {changes} changes, {told[0]} events of one reader")
    assert calls < MOST_CALLS_PER_SECOND
    assert memory < MOST_KIB


def _tells(reader: Reader, present: int) -> bool:
    rows = [row for name, data in list(reader.events) for row in data.get("changed", ())]
    return any(row["images_present"] == present for row in rows[-200:])


def _range(world: ApiWorld, number: int) -> dict[str, object]:
    return objects.range_images(
        f"range-{number:03}",
        world.name,
        imageCacheRef={"name": world.name},
        images=[{"image": f"docker.io/cyroid/image-{each}:1"} for each in range(13)],
    )


def _calls(part: ApiServerPart) -> int:
    """Requests of the API's account; a watch is one, however long."""
    found = 0
    with part.audit_log.open() as lines:
        for line in lines:
            entry = json.loads(line)
            found += entry["user"]["username"] == OURS
    return found
