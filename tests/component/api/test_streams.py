"""Server-sent events on the real API: what changes, to whom, how many, at what cost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.component.api.world import ApiWorld
from tests.parts.apiserver import wait_for
from tests.parts.event_reader import Reader
from tests.parts.people_api import PeopleApiPart, problem, put_status

SECONDS = 20.0


@contextmanager
def reading(world: ApiWorld, path: str, role: str = "evaluator") -> Iterator[Reader]:
    reader = Reader(world.api.url, path, world.people[role])
    try:
        wait_for(lambda: bool(reader.events), "the first event", SECONDS, world.api.log)
        yield reader
    finally:
        reader.close()


def test_a_push_is_followed(world: ApiWorld) -> None:
    image = f"{world.name}/kali:1"
    world.cache()
    with reading(world, f"/api/v1/registry/events?cache={world.name}") as reader:
        wait_for(lambda: {"pushes", "stats", "unpushed"} == {n for n, _ in reader.events}, "all", 5)
        assert reader.last("pushes") == []
        world.call("POST", "/registry/push", "engineer", {"image_tag": image})
        wait_for(lambda: bool(reader.last("pushes")), "the push", SECONDS)
        assert reader.last("pushes")[0]["status"] == "starting"
        row = {"image": image, "source": "builder", "id": "sha256:" + "a" * 64}
        world.says(sourceImages=[{**row, "inRegistry": False}])
        wait_for(lambda: bool(reader.last("unpushed")), "the build", SECONDS)
        assert reader.last("unpushed")[0]["image"] == image


def test_ranges_begin_with_all_and_go_on_with_what_changed(world: ApiWorld) -> None:
    world.cache()
    event = world.name
    world.ranges("range-01", "nginx:1", event=event)
    world.ranges("range-02", "nginx:1", event=event)
    world.ranges("other", "nginx:1")
    with reading(world, f"/api/v1/ranges/events?event={event}") as reader:
        first = reader.last("ranges")
        assert first["reset"] is True
        assert (first["ready"], first["total"]) == (2, 2)
        assert {row["name"] for row in first["changed"]} == {"range-01", "range-02"}
        put_status(world.apiserver, world.range_path("range-02"), {"images": {"present": 1}})
        wait_for(lambda: not reader.last("ranges")["reset"], "a change", SECONDS)
        (row,) = reader.last("ranges")["changed"]
        assert (row["name"], row["images_present"]) == ("range-02", 1)
        world.apiserver.call("DELETE", world.range_path("range-01"))
        wait_for(lambda: bool(reader.last("ranges")["removed"]), "a removal", SECONDS)
        assert reader.last("ranges")["removed"] == [f"{world.name}/range-01"]
        assert reader.last("ranges")["total"] == 1


def test_one_user_has_so_many_streams(world: ApiWorld) -> None:
    world.cache()
    path = f"/api/v1/registry/events?cache={world.name}"
    with ExitStack() as stack:
        for _ in range(16):
            stack.enter_context(reading(world, path, "engineer"))
        problem(world.api.call("GET", path, world.people["engineer"]), 429, "people-engineer", "16")
        stack.enter_context(reading(world, path, "admin"))

    def is_free() -> bool:
        reader = Reader(world.api.url, path, world.people["engineer"])
        wait_for(lambda: reader.status is not None, "an answer", SECONDS)
        reader.close()
        return reader.status == 200

    wait_for(is_free, "places to be free again", SECONDS)


def test_streams_need_a_right(world: ApiWorld) -> None:
    world.cache()
    path = f"/api/v1/registry/events?cache={world.name}"
    problem(world.api.call("GET", path), 401)
    problem(world.api.call("GET", path, world.people["none"]), 403, "people-none")


@pytest.mark.slow
def test_a_stream_does_not_hold_the_exit(world: ApiWorld, own_api: PeopleApiPart) -> None:
    world.cache()
    path = f"/api/v1/registry/events?cache={world.name}"
    token = world.people["admin"]
    caches = "/api/v1/caches"
    wait_for(lambda: own_api.call("GET", caches, token).status_code == 200, "it", SECONDS)
    reader = Reader(own_api.url, path, token)
    wait_for(lambda: bool(reader.events), "the first event", SECONDS)
    began = time.monotonic()
    own_api.stop()
    assert time.monotonic() - began < 8
    wait_for(lambda: reader.is_over, "the end of the stream", SECONDS)
    reader.close()
