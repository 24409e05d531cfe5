"""What the API says while what it stands on is away: unknown is never empty, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.component.api.world import ApiWorld
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.credentials import Authority
from tests.parts.people_api import People, PeopleApiPart, problem, running_people_api
from tests.parts.registry import NewRegistry, RegistryPart

SECONDS = 40.0


@pytest.fixture
def resumed(apiserver: ApiServerPart) -> Iterator[ApiServerPart]:
    """It runs again afterwards, whatever happens."""
    yield apiserver
    apiserver.resume() if apiserver.is_running else apiserver.start()


def test_a_push_is_the_same_after_a_restart(
    apiserver: ApiServerPart, own_api: PeopleApiPart, accounts: People, registry: RegistryPart
) -> None:
    world = ApiWorld("api-restart", apiserver, own_api, accounts, registry)
    world.cache()
    wanted = {"image_tag": f"{world.name}/kali:1"}
    first = world.call("POST", "/registry/push", "engineer", wanted).json()
    own_api.kill()
    own_api.start()
    wait_for(lambda: world.call("GET", "/caches").status_code == 200, "the caches", SECONDS)
    again = world.call("POST", "/registry/push", "engineer", wanted).json()
    assert again == {**first, "message": "Push already in progress"}
    assert world.get(f"/registry/push/{first['operation_id']}/status")["status"] == "starting"
    world.remove_all()


def test_a_signal_ends_it_at_once(own_api: PeopleApiPart) -> None:
    assert own_api.stop() in (0, -15)


@pytest.mark.slow
def test_a_registry_that_is_away_is_unknown_and_not_empty(
    apiserver: ApiServerPart,
    api: PeopleApiPart,
    accounts: People,
    new_registry: NewRegistry,
) -> None:
    registry = new_registry()
    world = ApiWorld("api-registry-away", apiserver, api, accounts, registry)
    registry.push_image(f"docker.io/{world.name}/kali", "1")
    world.cache()
    assert world.get("/registry/stats")["tag_count"] == 1
    registry.stop()

    def is_noticed() -> bool:
        return bool(world.get("/registry/stats")["image_count"] is None)

    wait_for(is_noticed, "the registry to be missed", SECONDS)
    problem(world.call("GET", "/registry/images"), 503, "RegistryUnreachable")
    problem(world.call("GET", "/registry/tags"), 503, "RegistryUnreachable")
    stats = world.get("/registry/stats")
    assert stats["reason"] == "RegistryUnreachable"
    where = world.get(f"/registry/status/{world.name}/kali:1")
    assert where["in_registry"] is None
    assert "RegistryUnreachable" in where["message"]
    answer = world.call("DELETE", f"/registry/images/{world.name}/kali:1")
    problem(answer, 503, "RegistryUnreachable")
    registry.start()
    wait_for(lambda: not is_noticed(), "the registry to be seen again", SECONDS)
    world.remove_all()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stop", "pause"])
def test_while_the_api_server_is_away_nothing_is_known(
    resumed: ApiServerPart, api: PeopleApiPart, accounts: People, registry: RegistryPart, how: str
) -> None:
    world = ApiWorld(f"api-away-{how}", resumed, api, accounts, registry)
    resumed.put_namespace(world.name)
    world.cache()
    world.ranges("range-01", "nginx:1")
    resumed.stop() if how == "stop" else resumed.pause()
    wait_for(lambda: world.call("GET", "/caches").status_code == 503, "a 503", SECONDS)
    problem(world.call("GET", "/ranges"), 503)
    problem(world.call("POST", "/registry/push", "engineer", {"image_tag": "nginx:1"}), 503)
    health = api.call("GET", "/api/v1/registry/health")
    assert (health.status_code, health.json()) == (200, {"healthy": None})
    assert api.call("GET", "/api/v1/system/capabilities").status_code == 200
    resumed.start() if how == "stop" else resumed.resume()
    wait_for(lambda: world.call("GET", "/caches").status_code == 200, "it to be known", SECONDS)
    # What changed meanwhile or since is seen: the watch goes on.
    path = world.range_path("range-01")
    resumed.call("DELETE", path)
    gone = f"/ranges/{world.name}/range-01"
    wait_for(lambda: world.call("GET", gone).status_code == 404, "a change", SECONDS)
    resumed.call("DELETE", f"{objects.API}/imagecaches/{world.name}")


def test_it_serves_tls(account: Path, accounts: People, tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "pki")
    with running_people_api(account, authority=authority) as part:
        answer = part.call("GET", "/api/v1/me", accounts["admin"])
    assert answer.status_code == 200
    assert "max-age" in answer.headers["strict-transport-security"]
