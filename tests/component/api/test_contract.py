"""CYROID's contract: one test per row, with the exact fields its clients read."""

from __future__ import annotations

from tests.component.api.world import ApiWorld

DIGEST = "sha256:" + "a" * 64


def test_images_are_names_with_tags(world: ApiWorld) -> None:
    stored = world.registry.push_image(f"docker.io/{world.name}/kali", "1")
    world.registry.push_image(f"docker.io/{world.name}/kali", "2")
    world.cache(images=[{"image": f"{world.name}/kali:1"}])
    row = {
        "image": f"{world.name}/kali:1",
        "repository": f"docker.io/{world.name}/kali",
        "digest": str(stored.digest),
        "sizeBytes": 5,
    }
    world.says(imageStatuses=[row])
    (image,) = world.get(f"/registry/images?filter={world.name}", "evaluator")
    assert image["name"] == f"{world.name}/kali"
    assert image["tags"] == ["1", "2"]
    assert [each["digest"] for each in image["details"]] == [str(stored.digest), None]


def test_a_push_is_an_entry_that_everybody_follows(world: ApiWorld) -> None:
    world.cache()
    image = f"{world.name}/kali:1"
    first = world.call("POST", "/registry/push", "engineer", {"image_tag": image})
    assert first.status_code == 200, first.text
    assert set(first.json()) == {"operation_id", "image_tag", "message"}
    assert first.json()["message"] == "Push started"
    again = world.call("POST", "/registry/push", "admin", {"image_tag": image}).json()
    assert again == {**first.json(), "message": "Push already in progress"}
    assert world.spec()["images"] == [{"image": image}]
    status = world.get(f"/registry/push/{again['operation_id']}/status", "evaluator")
    assert status["status"] == "starting"
    assert status["image_tag"] == image
