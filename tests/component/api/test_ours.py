"""What stands beside CYROID's contract: tags, ranges, events, collection, what one may see."""

from __future__ import annotations

import json

import pytest

from cyroid_images.api.command import openapi
from cyroid_images.kube.rights import Right
from tests.component.api.world import ApiWorld
from tests.parts.apiserver import wait_for
from tests.parts.identity import OWN_NAMESPACE, grant
from tests.parts.people_api import GROUP, condition, problem, token_in

ID = "sha256:" + "a" * 64


def test_a_tag_is_told_with_digest_size_and_who_wants_it(world: ApiWorld) -> None:
    one = world.registry.push_image(f"docker.io/{world.name}/kali", "1")
    world.registry.push_image(f"local/{world.name}/samba", "2")
    world.cache(images=[{"image": f"{world.name}/kali:1"}])
    world.ranges("range-01", f"127.0.0.1:5000/{world.name}/samba:2")
    page = world.get(f"/registry/tags?filter={world.name}/", "evaluator")
    assert page["total"] == 2
    samba, kali = page["items"]
    assert samba["image"] == f"127.0.0.1:5000/{world.name}/samba:2"
    assert (samba["used_by"], samba["used_by_count"]) == ([f"{world.name}/range-01"], 1)
    assert kali["digest"] == str(one.digest)
    assert kali["size_bytes"] > 0
    assert kali["platform"] == "linux/amd64"
    assert (kali["listed"], kali["used_by_count"]) == (True, 0)


def test_unused_tags_are_those_that_nobody_asks_for(world: ApiWorld) -> None:
    for name in ("listed", "wanted", "left"):
        world.registry.push_image(f"docker.io/{world.name}/{name}", "1")
    world.cache(images=[{"image": f"{world.name}/listed:1"}])
    world.ranges("range-01", f"{world.name}/wanted:1")
    page = world.get(f"/registry/tags?filter={world.name}/&unused=true")
    assert [row["image"] for row in page["items"]] == [f"{world.name}/left:1"]


def test_tags_come_in_pages(world: ApiWorld) -> None:
    for tag in "12345":
        world.registry.push_image(f"docker.io/{world.name}/kali", tag)
    world.cache()
    page = world.get(f"/registry/tags?filter={world.name}/&limit=2&offset=2")
    assert (page["total"], [row["tag"] for row in page["items"]]) == (5, ["3", "4"])


def test_a_name_that_a_tag_is_told_by_can_be_used(world: ApiWorld) -> None:
    """What is shown can be pushed, looked up and deleted by that name."""
    for repository in ("docker.io/library/x-NAME", "local/a/NAME", "ghcr.io/a/NAME", "h_5000/NAME"):
        world.registry.push_image(repository.replace("NAME", world.name), "1")
    world.cache()
    images = [row["image"] for row in world.get(f"/registry/tags?filter={world.name}")["items"]]
    assert len(images) == 4
    for image in images:
        assert world.get(f"/registry/status/{image}")["in_registry"] is True, image


def test_what_was_built_and_is_not_pushed(world: ApiWorld) -> None:
    world.cache()
    row = {"source": "builder", "id": ID, "sizeBytes": 7, "created": "2026-11-01T10:00:00Z"}
    world.says(
        sourceImages=[
            {**row, "image": "a:1", "inRegistry": False},
            {**row, "image": "b:1", "inRegistry": True},
            {**row, "image": "c:1"},
        ]
    )
    (image,) = world.get("/registry/unpushed", "evaluator")
    assert (image["image"], image["source"], image["size_bytes"]) == ("a:1", "builder", 7)


def test_a_range_is_looked_at_again_suspended_and_resumed(world: ApiWorld) -> None:
    world.cache()
    world.ranges("range-01", "nginx:1")
    path = f"/ranges/{world.name}/range-01"
    for what in ("reconcile", "suspend"):
        answer = world.call("POST", f"{path}/{what}", "engineer")
        assert answer.status_code == 200, answer.text
    body = world.apiserver.call("GET", world.range_path("range-01"))
    assert body["spec"]["suspend"] is True
    assert body["metadata"]["annotations"]["cyroid.io/reconcile-at"]
    managers = {each["manager"] for each in body["metadata"]["managedFields"]}
    assert "cyroid-api" in managers
    wait_for(lambda: world.get(path)["suspended"], "it to be seen", 10)
    world.call("POST", f"{path}/resume", "engineer")
    assert "suspend" not in world.apiserver.call("GET", world.range_path("range-01"))["spec"]
    missing = f"/ranges/{world.name}/none/suspend"
    problem(world.call("POST", missing, "engineer"), 404, "none")
    assert "people-engineer changed RangeImages" in world.api.log()


def test_an_event_is_the_ranges_that_carry_its_label(world: ApiWorld) -> None:
    world.cache()
    bad = condition("Ready", "False", "ImagesMissing", "kali is missing")
    world.ranges("range-01", "nginx:1", event=world.name)
    world.ranges("range-02", "nginx:1", event=world.name, conditions=[bad])
    (row,) = [each for each in world.get("/events") if each["event"] == world.name]
    assert (row["ready"], row["total"]) == (1, 2)
    view = world.get(f"/events/{world.name}")
    assert [each["name"] for each in view["ranges"]] == ["range-02", "range-01"]
    page = world.get(f"/ranges?event={world.name}&limit=1")
    assert (page["total"], page["ready"], len(page["items"])) == (2, 1, 1)
    problem(world.call("GET", "/events/no-such"), 404, "no-such")


def test_a_collection_is_asked_for_by_annotation(world: ApiWorld) -> None:
    world.cache()
    assert world.get("/registry/gc", "evaluator")["started"] is None
    answer = world.call("POST", "/registry/gc", "admin", {"dry_run": True})
    assert answer.status_code == 202, answer.text
    metadata = world.apiserver.call("GET", world.cache_path)["metadata"]
    token = metadata["annotations"]["cyroid.io/collect"]
    assert token.startswith("dry-run/")
    done = {"started": "2026-11-01T10:00:00Z", "finished": "2026-11-01T10:00:09Z"}
    world.says(collection={**done, "handled": token, "isDryRun": True, "freedBytes": 42})
    found = world.get("/registry/gc")
    assert (found["requested"], found["dry_run"], found["running"]) == (token, True, False)
    assert found["freed_bytes"] == 42


def test_who_may_list_ranges_in_one_namespace_sees_those(world: ApiWorld) -> None:
    world.cache()
    world.ranges("range-01", "nginx:1", event="shared")
    other = ApiWorld(f"{world.name}-b", world.apiserver, world.api, world.people, world.registry)
    world.apiserver.put_namespace(other.name)
    other.ranges("range-02", "nginx:1", event="shared")
    account = f"guest-{world.name}"
    rights = [Right(verb, GROUP, "rangeimages", world.name) for verb in ("get", "list")]
    token = token_in(grant(world.apiserver, account, rights))

    def asked(path: str) -> int:
        return world.api.call("GET", f"/api/v1{path}", token).status_code

    page = world.api.get("/api/v1/ranges", token)
    assert [row["name"] for row in page["items"]] == ["range-01"]
    assert world.api.get("/api/v1/events/shared", token)["total"] == 1
    assert asked(f"/ranges?namespace={world.name}") == 200
    assert asked(f"/ranges?namespace={other.name}") == 403
    assert asked(f"/ranges/{other.name}/range-02") == 403
    assert asked("/caches") == 403
    other.remove_all()


@pytest.mark.parametrize("path", ["/", "/registry", "/ranges", "/events", "/events/spring"])
def test_every_path_of_the_page_is_the_page(world: ApiWorld, path: str) -> None:
    answer = world.api.call("GET", path)
    assert answer.status_code == 200
    assert "<html" in answer.text


def test_the_api_describes_itself(world: ApiWorld) -> None:
    assert world.api.get("/openapi.json") == json.loads(openapi())


def test_the_doctor_looks_at_caches_and_ranges(world: ApiWorld) -> None:
    world.cache()
    rows = world.get("/doctor")
    assert {"check", "result", "what", "todo"} == set(rows[0])
    assert {row["result"] for row in rows} <= {"ok", "warn", "no", "unknown"}


def test_the_accounts_namespace_is_not_shown(world: ApiWorld) -> None:
    """The API reads with its own rights, which reach no further than both kinds."""
    path = f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets"
    problem(world.api.call("GET", path, world.people["admin"]), 404)
