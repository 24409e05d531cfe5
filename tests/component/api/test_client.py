"""Every method of the client against the real API, on a real API server and registry."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.client import (
    Client,
    ClientOptions,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PushesTold,
    StatsTold,
    Unauthorized,
    Unavailable,
    UnpushedTold,
)
from cyroid_images.client.surface import Answered, Given, Surface
from cyroid_images.overview.doctor.checks import CheckResult
from cyroid_images.overview.operations import PushPhase
from cyroid_images.overview.pages import RangeChanges
from tests.component.api.world import ApiWorld
from tests.component.client.both import Both
from tests.parts.archives import KALI, old_tar
from tests.parts.catalog import TRAINING_V2, bundle_members, zip_bundle
from tests.parts.people_api import People, condition, put_status, running_people_api

SOURCE = {"name": "bundles", "archive": {"path": "bundles"}}
GOOD = bundle_members(TRAINING_V2.exported(), {KALI: old_tar(KALI)})
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture(params=[False, True], ids=["blocking", "awaiting"])
def speaks(request: pytest.FixtureRequest, world: ApiWorld) -> Any:
    """Makes a client of this kind for a role."""

    def client(role: str | None = "admin", **more: Any) -> Both:
        token = None if role is None else world.people[role]
        return Both(world.api.url, token, awaits=request.param, **more)

    return client


@pytest.fixture
def filled(world: ApiWorld) -> str:
    """An image in the registry that a range wants, one that nobody wants, one that is missing."""
    wanted, idle = f"{world.name}/kali", f"{world.name}/idle"
    world.registry.push_image(f"docker.io/{wanted}", "1")
    world.registry.push_image(f"docker.io/{idle}", "1")
    world.cache(images=[{"image": f"{wanted}:1"}])
    world.ranges("range-01", f"{wanted}:1", event=f"event-{world.name}")
    row = {"image": f"{world.name}/new:1", "source": "builder", "id": DIGEST, "inRegistry": False}
    world.says(sourceImages=[{**row, "sizeBytes": 5}])
    return world.name


def test_what_the_registry_holds(speaks: Any, filled: str) -> None:
    client = speaks("evaluator")
    page = client.call("images", cache=filled, matching=filled, limit=1)
    assert page.total == 2
    assert [(each.name, each.tags) for each in page.items] == [(f"{filled}/idle", ("1",))]
    everything = client.take(9, "all_images", cache=filled, matching=filled)
    assert [each.name for each in everything] == [f"{filled}/idle", f"{filled}/kali"]

    tags = client.call("tags", cache=filled, matching=filled)
    assert tags.total == 2
    rows = {each.image: each for each in client.take(9, "all_tags", cache=filled, matching=filled)}
    kali = rows[f"{filled}/kali:1"]
    assert kali.used_by == (f"{filled}/range-01",)
    assert kali.listed
    assert kali.digest is not None
    unused = client.take(9, "all_tags", cache=filled, matching=filled, unused=True)
    assert [each.image for each in unused] == [f"{filled}/idle:1"]

    stats = client.call("stats", cache=filled)
    assert stats.healthy is True
    assert stats.image_count is not None
    assert stats.image_count >= 2
    (lacking,) = client.call("unpushed", cache=filled)
    assert (lacking.image, lacking.source) == (f"{filled}/new:1", "builder")
    (held,) = client.call("source_images", cache=filled)
    assert held.tags == (f"{filled}/new:1",)
    where = client.call("image_status", f"{filled}/new:1", cache=filled)
    assert (where.in_registry, where.on_host, where.needs_push) == (False, True, True)
    assert client.call("image_status", f"{filled}/kali:1", cache=filled).in_registry is True


def test_who_asks_and_what_there_is(world: ApiWorld, speaks: Any, filled: str) -> None:
    me = speaks("engineer").call("me", cache=filled)
    assert "people-engineer" in me.user
    assert (me.rights.read, me.rights.push, me.rights.delete) == (True, True, False)
    client = speaks("evaluator")
    rows = {each.name: each for each in client.call("caches")}
    assert rows[filled].pull_host == world.registry.pull_host
    assert all(isinstance(each.result, CheckResult) for each in client.call("doctor"))
    assert client.call("collection", cache=filled).started is None


def test_what_needs_no_token(speaks: Any) -> None:
    assert speaks(None).call("capabilities").features["docker_registry"] is True
    assert speaks(None).call("health").healthy in (True, False, None)


def test_ranges_and_their_event(speaks: Any, filled: str) -> None:
    client, event = speaks("evaluator"), f"event-{filled}"
    page = client.call("ranges", namespace=filled)
    assert (page.total, page.ready) == (1, 1)
    (row,) = client.take(9, "all_ranges", event=event)
    detail = client.call("range_detail", filled, "range-01")
    assert (detail.name, detail.images) == (row.name, (f"{filled}/kali:1",))
    assert (event, 1, 1) in {(each.event, each.ready, each.total) for each in client.call("events")}
    view = client.call("event", event)
    assert [each.name for each in view.ranges] == ["range-01"]
    with pytest.raises(NotFound, match="no-such-event"):
        client.call("event", "no-such-event")
    with pytest.raises(NotFound):
        client.call("range_detail", filled, "absent")


def test_a_range_is_looked_at_suspended_and_resumed(
    world: ApiWorld, speaks: Any, filled: str
) -> None:
    def stored() -> dict[str, Any]:
        return world.apiserver.call("GET", world.range_path("range-01"))

    client = speaks("engineer")
    assert client.call("suspend_range", filled, "range-01").success
    assert stored()["spec"]["suspend"] is True
    client.call("resume_range", filled, "range-01")
    assert "suspend" not in stored()["spec"]
    client.call("reconcile_range", filled, "range-01")
    assert "cyroid.io/reconcile-at" in stored()["metadata"]["annotations"]


def seen_now(world: ApiWorld) -> dict[str, Any]:
    """What a pass of the newest spec leaves in a status, whose manual pass is over."""
    body = world.apiserver.call("GET", world.cache_path)
    generation = body["metadata"]["generation"]
    token = (body["metadata"].get("annotations") or {}).get("cyroid.io/reconcile-at")
    kept = [each for each in body["status"]["conditions"] if each["type"] != "Ready"]
    ready = condition("Ready", "True", "AllImagesCached", generation=generation)
    return {"conditions": [ready, *kept], "lastHandledReconcileAt": token}


def test_a_push_is_followed_until_it_is_proven(world: ApiWorld, speaks: Any, filled: str) -> None:
    image = f"{filled}/new:1"
    moving = {"image": image, "route": "Registry", "doneBytes": 2, "totalBytes": 4}
    there = {"image": image, "digest": DIGEST, "sizeBytes": 4, "repository": f"docker.io/{image}"}

    def operator() -> None:
        """What the operator would write, once the push is listed."""
        listed.wait(30)
        put_status(world.apiserver, world.cache_path, {"transfers": [moving]})
        pushing.wait(30)
        done = {"transfers": [], "imageStatuses": [there], **seen_now(world)}
        put_status(world.apiserver, world.cache_path, done)

    listed, pushing = threading.Event(), threading.Event()
    given: list[Any] = []

    def see(status: Any) -> None:
        given.append(status)
        (listed if status.status is PushPhase.STARTING else pushing).set()

    with ThreadPoolExecutor(1) as thread:
        written = thread.submit(operator)
        speaks("engineer").each(see, "push_and_follow", image, cache=filled, within=60)
        written.result(30)
    assert [each.status for each in given] == [
        PushPhase.STARTING,
        PushPhase.PUSHING,
        PushPhase.COMPLETED,
    ]
    assert given[-1].digest == DIGEST
    again = speaks("admin").call("push_status", given[0].operation_id)
    assert again == given[-1]
    active = speaks("evaluator").call("active_pushes", cache=filled).pushes
    assert image not in {each.image_tag for each in active}


def test_two_people_follow_the_same_push(speaks: Any, filled: str) -> None:
    image = f"{filled}/new:1"
    first = speaks("engineer").call("push", image, cache=filled)
    second = speaks("admin").call("push", image, cache=filled)
    assert first.operation_id == second.operation_id
    assert second.message == "Push already in progress"
    (active,) = [
        each
        for each in speaks("evaluator").call("active_pushes", cache=filled).pushes
        if each.image_tag == image
    ]
    assert active.operation_id == first.operation_id


def test_the_whole_cache_is_looked_at_and_collected(
    world: ApiWorld, speaks: Any, filled: str
) -> None:
    assert speaks("engineer").call("reconcile", cache=filled).success
    assert speaks("admin").call("collect", cache=filled).success
    notes = world.apiserver.call("GET", world.cache_path)["metadata"]["annotations"]
    assert "cyroid.io/reconcile-at" in notes
    assert notes["cyroid.io/collect"].startswith("dry-run/")


def test_refusals_are_of_their_kinds(world: ApiWorld, speaks: Any, filled: str) -> None:
    image = f"{filled}/kali:1"
    with pytest.raises(Unauthorized):
        speaks(None).call("images", cache=filled)
    with pytest.raises(Unauthorized):
        Both(world.api.url, "not-a-token", awaits=False).call("images", cache=filled)
    with pytest.raises(Forbidden, match="patch"):
        speaks("evaluator").call("push", image, cache=filled)
    with pytest.raises(Forbidden, match="delete"):
        speaks("engineer").call("delete_image", image, cache=filled)
    with pytest.raises(Forbidden):
        speaks("none").call("images", cache=filled)
    with pytest.raises(Conflict, match=f"{filled}/range-01"):
        speaks("admin").call("delete_image", image, cache=filled)
    with pytest.raises(NotFound):
        speaks("admin").call("delete_image", f"{filled}/never:1", cache=filled)
    with pytest.raises(NotFound, match="no push"):
        speaks("evaluator").call("push_status", "0123456789abcdef")
    with pytest.raises(NotFound):
        speaks("evaluator").call("stats", cache="no-such-cache")
    with pytest.raises(Invalid):
        speaks("admin").call("push", "NOT a name", cache=filled)


def test_an_image_is_deleted(world: ApiWorld, speaks: Any, filled: str) -> None:
    image = f"{filled}/idle:1"

    def operator() -> None:
        world.until(lambda: "removedImages" in world.spec())
        gone = [{"image": image, "isRemoved": True}]
        put_status(world.apiserver, world.cache_path, {"removedImages": gone})

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(operator)
        removed = speaks("admin").call("delete_image", image, cache=filled)
        done.result(30)
    assert removed.success
    assert image in removed.message


def test_a_registry_that_is_not_healthy_takes_no_push(
    world: ApiWorld, speaks: Any, filled: str
) -> None:
    down = condition("RegistryAvailable", "False", "RegistryUnreachable", "nobody answers")
    world.says(conditions=[condition("Ready", "False", "RegistryUnreachable"), down])
    with pytest.raises(Unavailable, match="RegistryUnreachable: nobody answers") as caught:
        speaks("engineer").call("push", f"{filled}/kali:1", cache=filled)
    assert (caught.value.status, caught.value.retry_after) == (503, 5.0)


def test_changes_come_as_they_happen(speaks: Any, filled: str) -> None:
    client = speaks("evaluator")
    news = client.take(3, "watch_registry", cache=filled)
    assert {type(each) for each in news} == {PushesTold, StatsTold, UnpushedTold}
    (first,) = client.take(1, "watch_ranges", event=f"event-{filled}")
    assert first.reset
    assert [each.name for each in first.changed] == ["range-01"]


def test_a_stream_goes_on_over_a_restart_of_the_api(
    account: Path, accounts: People, filled: str
) -> None:
    with running_people_api(account) as api:
        with Client(api.url, accounts["evaluator"]) as client:
            news = client.watch_ranges(event=f"event-{filled}")
            first = next(news)
            api.kill()
            api.start()
            second = next(news)
        assert isinstance(first, RangeChanges)
        assert isinstance(second, RangeChanges)
        assert (first.reset, second.reset) == (True, True)
        api.kill()
        quick = ClientOptions(retries=0)
        with (
            Client(api.url, accounts["evaluator"], options=quick) as client,
            pytest.raises(Unavailable, match="no answer"),
        ):
            client.caches()


@pytest.mark.parametrize("form", ["path", "file", "chunks"])
def test_a_bundle_is_sent_while_it_is_read(
    world: ApiWorld, speaks: Any, tmp_path: Path, form: str
) -> None:
    world.cache(sources=[SOURCE])
    bundle = tmp_path / "lab.zip"
    bundle.write_bytes(zip_bundle(GOOD))
    with bundle.open("rb") as file:
        content = {"path": bundle, "file": file, "chunks": iter([bundle.read_bytes()])}[form]
        told = speaks("admin").call("import_bundle", content, cache=world.name, name="lab.zip")
    assert told.loaded == (KALI,)
    assert told.name.startswith("bundles/lab-")


def test_what_docker_saved_is_sent_and_what_is_none_is_refused(
    world: ApiWorld, speaks: Any
) -> None:
    world.cache(sources=[SOURCE])
    told = speaks("admin").call(
        "upload_docker_images", [old_tar(KALI)], cache=world.name, name="kali.tar"
    )
    assert (told.status, told.images, told.count) == ("loaded", (KALI,), 1)
    with pytest.raises(Invalid):
        speaks("admin").call("upload_docker_images", [b"no tar at all"], cache=world.name)
    with pytest.raises(Forbidden):
        speaks("engineer").call("upload_docker_images", [old_tar(KALI)], cache=world.name)


def test_each_method_is_tried_here() -> None:
    told, _, _ = Path(__file__).read_text().rpartition("def test_each_method")
    methods = {name for name, each in vars(Surface).items() if isinstance(each, Answered | Given)}
    tried = {name for name in methods if re.search(rf'"{name}"', told)}
    assert methods - tried == {"follow_push"}, "push_and_follow does that after a push"
