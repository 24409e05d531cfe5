"""An image's whole life by the REST API, with the real operator: pushed, wanted, removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.people_api import People, PeopleApiPart, problem
from tests.parts.registry import RegistryPart
from tests.parts.site import Site

pytestmark = pytest.mark.slow

SECONDS = 60.0


def test_an_image_is_pushed_followed_wanted_and_removed(
    site: Site, registry: RegistryPart, api: PeopleApiPart, accounts: People
) -> None:
    def call(method: str, path: str, role: str, body: Any = None) -> Any:
        return api.call(method, f"/api/v1{path}?cache={site.name}", accounts[role], body)

    image = site.image("kali:1")
    site.cache(registry)

    def started() -> Any:
        return call("POST", "/registry/push", "engineer", {"image_tag": image})

    # A 503 until the operator has looked at the registry, then it is taken.
    wait_for(lambda: started().status_code == 200, "the push to be taken", SECONDS)
    push = started().json()

    def status() -> Any:
        path = f"/registry/push/{push['operation_id']}/status"
        return call("GET", path, "evaluator").json()

    wait_for(lambda: status()["status"] == "completed", "the push", SECONDS, site.operator.log)
    where = call("GET", f"/registry/status/{image}", "evaluator").json()
    assert where["in_registry"] is True
    assert where["digest"] == status()["digest"]
    images = call("GET", "/registry/images", "evaluator").json()
    (row,) = [each for each in images if each["name"] == image.removesuffix(":1")]
    assert row["tags"] == ["1"]

    site.ranges("red", 2375, [image])

    def refused() -> bool:
        return bool(call("DELETE", f"/registry/images/{image}", "admin").status_code == 409)

    wait_for(refused, "the range to be seen", SECONDS)
    problem(call("DELETE", f"/registry/images/{image}", "admin"), 409, f"{site.name}/red")
    site.delete("red")
    wait_for(lambda: not refused(), "the image to be let go", SECONDS, site.operator.log)

    def is_gone() -> bool:
        path = f"/registry/status/{image}"
        return call("GET", path, "evaluator").json()["in_registry"] is False

    wait_for(is_gone, "the tag to be gone", SECONDS, site.operator.log)
    problem(call("DELETE", f"/registry/images/{image}", "admin"), 404, image)
