"""Role by call: three service accounts, one without rights, one whose token ended, and nobody."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.component.api.world import ApiWorld
from tests.parts.apiserver import wait_for
from tests.parts.people_api import problem

READ = {"evaluator": True, "engineer": True, "admin": True, "none": False}
PUSH = {"evaluator": False, "engineer": True, "admin": True, "none": False}
DELETE = {"evaluator": False, "engineer": False, "admin": True, "none": False}
ANY = {"evaluator": True, "engineer": True, "admin": True, "none": True}

CALLS: list[tuple[str, str, Mapping[str, bool]]] = [
    ("GET", "/registry/images", READ),
    ("GET", "/registry/stats", READ),
    ("GET", "/registry/tags", READ),
    ("GET", "/registry/unpushed", READ),
    ("GET", "/registry/pushes/active", READ),
    ("GET", "/registry/status/nginx:1", READ),
    ("GET", "/registry/gc", READ),
    ("GET", "/cache/images", READ),
    ("GET", "/caches", READ),
    ("GET", "/ranges", READ),
    ("GET", "/ranges/NAME/range-01", READ),
    ("GET", "/events", READ),
    ("GET", "/events/spring", READ),
    ("GET", "/doctor", READ),
    ("GET", "/me", ANY),
    ("POST", "/registry/push", PUSH),
    ("POST", "/registry/reconcile", PUSH),
    ("POST", "/ranges/NAME/range-01/reconcile", PUSH),
    ("POST", "/ranges/NAME/range-01/suspend", PUSH),
    ("POST", "/ranges/NAME/range-01/resume", PUSH),
    ("POST", "/registry/gc", DELETE),
    ("DELETE", "/registry/images/NAME/none:1", DELETE),
]
BODIES = {"/registry/push": {"image_tag": "nginx:1"}, "/registry/gc": {"dry_run": True}}


@pytest.mark.slow
def test_each_role_may_what_the_contract_says(world: ApiWorld) -> None:
    world.cache()
    world.ranges("range-01", "nginx:1", event="spring")
    found, wanted = {}, {}
    for method, path, table in CALLS:
        for role, may in table.items():
            real = path.replace("NAME", world.name)
            answer = world.call(method, real, role, BODIES.get(path))
            if answer.status_code == 403:
                problem(answer, 403, "people-", "the right `", "ClusterRole")
            found[method, path, role] = answer.status_code not in (401, 403)
            wanted[method, path, role] = may
    assert found == wanted


@pytest.mark.parametrize(("method", "path"), [call[:2] for call in CALLS])
def test_nobody_is_told_anything_without_a_token(world: ApiWorld, method: str, path: str) -> None:
    answer = world.api.call(method, f"/api/v1{path}")
    problem(answer, 401, "Authorization: Bearer")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic dXNlcjpwYXNz", "bearer " + "x" * 13_000, "Bearer nonsense"],
)
def test_what_is_no_token_is_a_401(world: ApiWorld, header: str) -> None:
    answer = world.api.call("GET", "/api/v1/caches", headers={"authorization": header})
    assert "nonsense" not in problem(answer, 401)


def test_a_path_that_is_not_there_says_nothing_to_nobody(world: ApiWorld) -> None:
    problem(world.api.call("GET", "/api/v1/secrets"), 401)
    problem(world.call("GET", "/secrets"), 404, "/api/v1/secrets")


@pytest.mark.slow
def test_a_token_whose_account_is_gone_stops_within_seconds(world: ApiWorld) -> None:
    path = "/api/v1/namespaces/default/serviceaccounts"
    world.apiserver.call("POST", path, {"metadata": {"name": world.name}})
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    made = world.apiserver.call("POST", f"{path}/{world.name}/token", asked)
    token = made["status"]["token"]
    assert world.api.get("/api/v1/me", token)["user"].endswith(f":default:{world.name}")
    world.apiserver.call("DELETE", f"{path}/{world.name}")
    wait_for(
        lambda: world.api.call("GET", "/api/v1/me", token).status_code == 401,
        "the token to be refused",
        30,
    )


def test_me_says_what_one_may(world: ApiWorld) -> None:
    rights = {role: world.get("/me", role)["rights"] for role in ("evaluator", "engineer", "admin")}
    names = ("read", "push", "delete", "create_ranges")
    assert {role: [each[name] for name in names] for role, each in rights.items()} == {
        "evaluator": [True, False, False, False],
        "engineer": [True, True, False, True],
        "admin": [True, True, True, True],
    }
