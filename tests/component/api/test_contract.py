"""CYROID's contract: one test per row, with the exact fields its clients read."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from cyroid_images.model.images.digest import Digest
from tests.component.api.world import ApiWorld
from tests.parts.apiserver import wait_for
from tests.parts.people_api import condition, problem

ID = "sha256:" + "a" * 64


def cached(world: ApiWorld, name: str, digest: Digest) -> dict[str, Any]:
    """The row of an image that is in the registry."""
    return {
        "image": f"{world.name}/{name}",
        "repository": f"docker.io/{world.name}/{name.partition(':')[0]}",
        "digest": str(digest),
        "sizeBytes": 5,
    }


def at_source(world: ApiWorld, name: str, **more: Any) -> dict[str, Any]:
    """The row of an image that the source holds."""
    return {"image": f"{world.name}/{name}", "source": "builder", "id": ID, **more}


def test_images_are_names_with_tags(world: ApiWorld) -> None:
    stored = world.registry.push_image(f"docker.io/{world.name}/kali", "1")
    world.registry.push_image(f"docker.io/{world.name}/kali", "2")
    world.registry.push_image(f"docker.io/{world.name}/kali", "_pin-0123")
    world.cache(images=[{"image": f"{world.name}/kali:1"}])
    world.says(imageStatuses=[cached(world, "kali:1", stored.digest)])
    (image,) = world.get(f"/registry/images?filter={world.name}/", "evaluator")
    assert image["name"] == f"{world.name}/kali"
    assert image["tags"] == ["1", "2"]
    assert [each["digest"] for each in image["details"]] == [str(stored.digest), None]


def test_stats_count_what_the_registry_lists(world: ApiWorld) -> None:
    world.registry.push_image(f"docker.io/{world.name}/kali", "1")
    world.cache()
    images = world.get("/registry/images", "evaluator")
    stats = world.get("/registry/stats", "evaluator")
    assert {"image_count", "tag_count", "healthy"} <= set(stats)
    assert stats["image_count"] == len(images) > 0
    assert stats["tag_count"] == sum(len(image["tags"]) for image in images)
    assert stats["healthy"] is True


def test_a_push_is_an_entry_that_everybody_follows(world: ApiWorld) -> None:
    world.cache()
    image = f"{world.name}/kali:1"
    first = world.call("POST", "/registry/push", "engineer", {"image_tag": image})
    assert first.status_code == 200, first.text
    assert set(first.json()) == {"operation_id", "image_tag", "message"}
    assert first.json() | {"operation_id": ""} == {
        "operation_id": "",
        "image_tag": image,
        "message": "Push started",
    }
    again = world.call("POST", "/registry/push", "admin", {"image_tag": image}).json()
    assert again == {**first.json(), "message": "Push already in progress"}
    assert world.spec()["images"] == [{"image": image}]


def test_the_status_of_a_push_goes_from_starting_to_completed(world: ApiWorld) -> None:
    world.cache()
    image = f"{world.name}/kali:1"
    started = world.call("POST", "/registry/push", "engineer", {"image_tag": image}).json()
    path = f"/registry/push/{started['operation_id']}/status"
    first = world.get(path, "evaluator")
    wanted = {"operation_id", "image_tag", "status", "progress_percent"}
    assert wanted | {"current_layer", "total_layers", "error_message"} <= set(first)
    assert (first["status"], first["progress_percent"]) == ("starting", 0)
    moving = {"image": image, "route": "Registry", "doneBytes": 30, "totalBytes": 100}
    world.says(transfers=[moving])
    now = world.get(path, "evaluator")
    assert (now["status"], now["progress_percent"]) == ("pushing", 30)
    world.says(transfers=[{**moving, "doneBytes": 100}])
    assert world.get(path)["status"] == "verifying"
    world.says(transfers=[], imageStatuses=[cached(world, "kali:1", Digest.parse(ID))])
    now = world.get(path, "evaluator")
    assert (now["status"], now["progress_percent"]) == ("completed", 100)


def test_a_push_that_nobody_asked_for_is_a_404(world: ApiWorld) -> None:
    world.cache()
    problem(world.call("GET", "/registry/push/0123456789abcdef/status"), 404, "0123456789abcdef")


def test_active_pushes_are_those_that_are_not_over(world: ApiWorld) -> None:
    world.cache(images=[{"image": f"{world.name}/{name}:1"} for name in ("a", "b")])
    world.says(imageStatuses=[cached(world, "a:1", Digest.parse(ID))])
    answer = world.get("/registry/pushes/active", "evaluator")
    assert set(answer) == {"pushes"}
    (push,) = answer["pushes"]
    assert push["image_tag"] == f"{world.name}/b:1"
    wanted = {"operation_id", "image_tag", "status", "progress_percent"}
    assert wanted | {"current_layer", "total_layers"} <= set(push)


def test_where_an_image_is(world: ApiWorld) -> None:
    world.registry.push_image(f"docker.io/{world.name}/both", "1")
    world.cache()
    world.says(
        sourceImages=[
            at_source(world, "both:1", inRegistry=True),
            at_source(world, "moved:1", inRegistry=False),
            at_source(world, "new:1", inRegistry=False),
        ]
    )
    world.registry.push_image(f"docker.io/{world.name}/moved", "1")

    def found(name: str) -> tuple[bool, bool, bool]:
        answer = world.get(f"/registry/status/{world.name}/{name}", "evaluator")
        assert {"image_tag", "in_registry", "on_host", "needs_push"} <= set(answer)
        assert answer["image_tag"] == f"{world.name}/{name}"
        return answer["in_registry"], answer["on_host"], answer["needs_push"]

    assert found("both:1") == (True, True, False)
    assert found("moved:1") == (True, True, True), "the same tag, another digest"
    assert found("new:1") == (False, True, True)
    assert found("none:1") == (False, False, False)


def test_health_is_one_word_for_everybody(world: ApiWorld) -> None:
    answer = world.api.call("GET", "/api/v1/registry/health")
    assert answer.status_code == 200
    assert set(answer.json()) == {"healthy"}


@pytest.mark.slow
def test_an_image_is_removed_and_told_truly(world: ApiWorld) -> None:
    world.registry.push_image(f"docker.io/{world.name}/kali", "1")
    image = f"{world.name}/kali:1"
    world.cache(images=[{"image": image}, {"image": f"{world.name}/other:1"}])
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(world.call("DELETE", f"/registry/images/{image}"))
    )
    asking.start()
    wait_for(lambda: world.spec().get("removedImages") == [{"image": image}], "the wish", 10)
    assert world.spec()["images"] == [{"image": f"{world.name}/other:1"}]
    world.says(removedImages=[{"image": image, "isRemoved": True}])
    asking.join(20)
    assert answers[0].status_code == 200, answers[0].text
    assert answers[0].json() == {"success": True, "message": f"Removed {image}"}


def test_what_was_removed_before_and_came_back_is_not_told_as_removed(world: ApiWorld) -> None:
    world.registry.push_image(f"docker.io/{world.name}/kali", "1")
    image = f"{world.name}/kali:1"
    world.cache(removedImages=[{"image": image}])
    world.says(removedImages=[{"image": image, "isRemoved": True}])
    answer = world.call("DELETE", f"/registry/images/{image}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["message"].startswith(f"Removal started: {image}")
    annotations = world.apiserver.call("GET", world.cache_path)["metadata"]["annotations"]
    assert "cyroid.io/reconcile-at" in annotations


def test_what_a_range_wants_is_not_removed(world: ApiWorld) -> None:
    image = f"{world.name}/kali:1"
    world.cache(images=[{"image": image}])
    world.ranges("range-01", f"docker.io/{image}")
    answer = world.call("DELETE", f"/registry/images/{image}")
    problem(answer, 409, image, f"{world.name}/range-01")
    assert "removedImages" not in world.spec()


def test_what_is_not_there_cannot_be_removed(world: ApiWorld) -> None:
    world.cache()
    problem(world.call("DELETE", f"/registry/images/{world.name}/none:1"), 404, "none:1")


def test_capabilities_name_a_registry(world: ApiWorld) -> None:
    answer = world.api.get("/api/v1/system/capabilities")
    assert set(answer) == {"substrate", "substrate_label", "features"}
    assert answer["features"]["docker_registry"] is True
    assert answer["features"]["image_cache"] is True


def test_the_images_of_the_source_engines(world: ApiWorld) -> None:
    world.cache()
    size = {"sizeBytes": 1024**3, "created": "2026-11-01T10:00:00Z"}
    world.says(sourceImages=[at_source(world, "a:1", **size), at_source(world, "a:2", **size)])
    (image,) = world.get("/cache/images", "evaluator")
    assert {"id", "tags", "size_bytes", "size_gb", "created"} <= set(image)
    assert image["tags"] == [f"{world.name}/a:1", f"{world.name}/a:2"]
    assert (image["id"], image["size_bytes"], image["size_gb"]) == (ID, 1024**3, 1.0)


def test_a_registry_that_is_down_takes_no_push(world: ApiWorld) -> None:
    world.cache()
    down = condition("RegistryAvailable", "False", "RegistryUnreachable", "connection refused")
    world.says(conditions=[condition("Ready", "False", "RegistryUnreachable"), down])
    wanted = {"image_tag": f"{world.name}/kali:1"}
    answer = world.call("POST", "/registry/push", "engineer", wanted)
    problem(answer, 503, "RegistryUnreachable", "connection refused")
    assert world.get("/registry/stats")["healthy"] is False
