"""What is sent wrongly or to do harm: each gets a clear answer, and nothing is lost."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit

import pytest

from tests.component.api.world import ApiWorld
from tests.parts.people_api import condition, problem

PASSWORD = "hunter2secret"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "UPPER/case:1",
        "nginx:" + "x" * 129,
        "a" * 600,
        "../../etc/passwd",
        "nginx:1\nnginx:2",
        "https://registry.example/nginx:1",
        f"user:{PASSWORD}@registry.example/nginx:1",
        f"https://user:{PASSWORD}@registry.example/nginx:1",
        "nginx\u202e:1",
        "a" * 64,
    ],
)
def test_a_name_that_is_none_is_a_422_and_no_entry(world: ApiWorld, name: str) -> None:
    world.cache()
    answer = world.call("POST", "/registry/push", "engineer", {"image_tag": name})
    assert PASSWORD not in problem(answer, 422)
    assert "images" not in world.spec()
    assert PASSWORD not in world.api.log()


@pytest.mark.parametrize(
    "body", [None, [], {"image": "nginx:1"}, {"image_tag": 5}, {"image_tag": None}, "nginx:1"]
)
def test_a_body_that_is_none_is_a_422_that_says_where(world: ApiWorld, body: object) -> None:
    world.cache()
    problem(world.call("POST", "/registry/push", "engineer", body), 422)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "offset=-1", "offset=1e9"])
def test_a_page_has_bounds(world: ApiWorld, query: str) -> None:
    world.cache()
    problem(world.call("GET", f"/registry/tags?{query}"), 422, query.partition("=")[0])


@pytest.mark.parametrize("cache", ["No", "a/b", "x" * 64, "..", "a%2Fb"])
def test_the_name_of_a_cache_is_one(world: ApiWorld, cache: str) -> None:
    answer = world.api.call("GET", f"/api/v1/registry/stats?cache={cache}", world.people["admin"])
    problem(answer, 422, "cache")


def test_a_cache_that_is_not_there_is_a_404(world: ApiWorld) -> None:
    path = "/api/v1/registry/stats?cache=not-there"
    problem(world.api.call("GET", path, world.people["admin"]), 404, "not-there")


def test_a_large_body_is_not_read(world: ApiWorld) -> None:
    wanted = {"image_tag": "x" * 100_000}
    problem(world.call("POST", "/registry/push", "admin", wanted), 413, "65536")


def test_a_large_body_without_a_length_is_cut(world: ApiWorld) -> None:
    answer = world.api.call(
        "POST",
        f"/api/v1/registry/push?cache={world.name}",
        world.people["admin"],
        headers={"content-type": "application/json"},
        content=(b"x" * 10_000 for _ in range(50)),
    )
    problem(answer, 413)


def raw(world: ApiWorld, text: str) -> bytes:
    """What is answered to exactly this."""
    where = urlsplit(world.api.url)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as line:
        line.sendall(text.encode())
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_headers_without_an_end_are_refused(world: ApiWorld) -> None:
    flood = "x-many: " + "x" * 60_000
    assert b" 400 " in raw(world, f"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n{flood}")


@pytest.mark.parametrize(
    "path", ["/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%2f..%2fcli.py"]
)
def test_the_files_of_the_page_end_at_its_folder(world: ApiWorld, path: str) -> None:
    said = raw(world, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"root:" not in said
    assert b"argparse" not in said


def test_every_answer_has_the_headers_of_a_page_that_trusts_nobody(world: ApiWorld) -> None:
    for path in ("/api/v1/system/capabilities", "/api/v1/me", "/no/such/file.js"):
        headers = world.api.call("GET", path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers
    assert world.api.call("GET", "/api/v1/me").headers["cache-control"] == "no-store"


def test_an_image_that_surely_nobody_has_is_a_404(world: ApiWorld) -> None:
    world.cache()
    row = {"image": f"{world.name}/a:1", "source": "builder", "id": "sha256:" + "a" * 64}
    world.says(sourceImages=[row])
    wanted = {"image_tag": f"{world.name}/none:1"}
    answer = world.call("POST", "/registry/push", "engineer", wanted)
    problem(answer, 404, f"{world.name}/none:1", "builder")
    assert "images" not in world.spec()


def test_an_image_is_taken_while_a_source_has_not_answered(world: ApiWorld) -> None:
    world.cache()
    row = {"image": f"{world.name}/a:1", "source": "builder", "id": "sha256:" + "a" * 64}
    away = condition("SourceAvailable", "False", "SourceUnreachable", "no route")
    healthy = condition("RegistryAvailable", "True", "Available")
    ready = condition("Ready", "False", "SourceUnreachable")
    world.says(sourceImages=[row], conditions=[ready, healthy, away])
    wanted = {"image_tag": f"{world.name}/none:1"}
    assert world.call("POST", "/registry/push", "engineer", wanted).status_code == 200


def test_a_full_list_says_what_to_do(world: ApiWorld) -> None:
    world.cache(images=[{"image": f"{world.name}/{number}:1"} for number in range(128)])
    answer = world.call("POST", "/registry/push", "engineer", {"image_tag": "one-more:1"})
    problem(answer, 409, "128")
    assert len(world.spec()["images"]) == 128


@pytest.mark.slow
def test_many_who_push_and_delete_at_once_lose_nothing(world: ApiWorld) -> None:
    world.cache(images=[{"image": f"{world.name}/old:1"}])
    answers: dict[int, int] = {}

    def push(number: int) -> None:
        wanted = {"image_tag": f"{world.name}/{number % 6}:1"}
        answers[number] = world.call("POST", "/registry/push", "engineer", wanted).status_code

    def delete() -> None:
        path = f"/registry/images/{world.name}/old:1"
        answers[-1] = world.call("DELETE", path).status_code

    workers = [threading.Thread(target=push, args=(number,)) for number in range(12)]
    workers.append(threading.Thread(target=delete))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert set(answers.values()) == {200}, answers
    names = sorted(row["image"] for row in world.spec()["images"])
    assert names == [f"{world.name}/{number}:1" for number in range(6)]
    assert world.spec()["removedImages"] == [{"image": f"{world.name}/old:1"}]
