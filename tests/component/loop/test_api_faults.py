"""The API server goes, refuses, or asks for patience: transfers go on, and status catches up.

The operator of these tests reaches the API server through a fault proxy; the tests do not.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cyroid_images.kube import rights
from tests.parts.api_proxy import before_api_server
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE, grant
from tests.parts.operator import OperatorPart
from tests.parts.proxy import Answer, FaultProxy, Line, NewProxy
from tests.parts.registry import RegistryPart
from tests.parts.site import PUSH_SECRET, Site, condition, holds

pytestmark = pytest.mark.slow

STATUS = ".*/rangeimages/{}/status.*"
OURS = r"(?!.*[?&]watch=true)(?!.*/leases).*"
"""What is no watch, and not about the Lease, which waits for nothing."""


@pytest.fixture(scope="module")
def proxied(
    apiserver: ApiServerPart, operator_process: OperatorPart
) -> Iterator[tuple[FaultProxy, OperatorPart]]:
    """An operator behind a proxy, in place of the one of the session."""
    if operator_process.is_running():
        operator_process.stop()
    wanted = rights.needed(OWN_NAMESPACE, [PUSH_SECRET, "cyroid-docker-client"])
    kubeconfig = grant(apiserver, "proxied-operator", wanted)
    with (
        before_api_server(kubeconfig) as (proxy, path),
        tempfile.TemporaryDirectory(prefix="cyroid-proxied-") as folder,
    ):
        part = OperatorPart(Path(folder), path, OWN_NAMESPACE)
        try:
            yield proxy, part
        finally:
            part.kill()


@pytest.fixture
def operator(proxied: tuple[FaultProxy, OperatorPart]) -> Iterator[OperatorPart]:
    """The operator behind the proxy; a defect in its log fails the test."""
    _, part = proxied
    began = part.log_size()
    part.start()
    yield part
    said = part.log(began)
    assert "Traceback" not in said, said


@pytest.fixture
def proxy(proxied: tuple[FaultProxy, OperatorPart]) -> Iterator[FaultProxy]:
    """The way to the API server; well again afterwards."""
    proxy, _ = proxied
    yield proxy
    proxy.heal()


@pytest.fixture
def resumed(apiserver: ApiServerPart) -> Iterator[ApiServerPart]:
    """The API server, which runs again afterwards."""
    yield apiserver
    if not apiserver.is_running:
        apiserver.start()


@pytest.mark.row("K1")
def test_a_transfer_outlives_the_api_server_and_is_told_afterwards_with_its_true_time(  # noqa: PLR0917 - fixtures
    site: Site,
    registry: RegistryPart,
    containerd_engine: EnginePart,
    resumed: ApiServerPart,
    proxy: FaultProxy,
    new_proxy: NewProxy,
) -> None:
    way, image = new_proxy(registry.pull_host), site.image("far:1")
    site.cache(registry, registry={"pullHost": way.host})
    way.line = Line(bytes_per_second=15_000)
    site.serve("far", containerd_engine, [image])
    wait_for(lambda: any(each.down for each in way.seen("GET", ".*/blobs/.*")), "bytes to move", 30)
    resumed.stop()
    way.line = Line()
    wait_for(lambda: holds(containerd_engine, image), "the transfer to end", 15)
    ended, mark = datetime.now(UTC), site.operator.log_size()
    wait_for(
        lambda: site.operator.log(mark).count("far not written; will retry") >= 2,
        "it to be told in vain",
        15,
        site.operator.log,
    )
    tries = len(proxy.seen("PATCH", STATUS.format("far")))
    resumed.start()
    body = site.until("far", Ready="True/AllImagesPresent")
    turned = datetime.fromisoformat(condition(body, "Ready")["lastTransitionTime"])
    assert turned <= ended + timedelta(seconds=2)
    assert datetime.now(UTC) - turned > timedelta(seconds=2)
    assert len(proxy.seen("PATCH", STATUS.format("far"))) - tries <= 2  # one may have come early


@pytest.mark.row("K2")
def test_conflicts_and_edits_beside_us_end_with_the_newest_spec_and_touch_nothing_foreign(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, proxy: FaultProxy
) -> None:
    one, two = site.image("one:1", 1), site.image("two:1", 2)
    proxy.on("PATCH", STATUS.format("busy"), _refusal(409, "Conflict"), times=3)
    site.cache(registry)
    site.serve("busy", containerd_engine, [one])
    wait_for(lambda: bool(proxy.seen("PATCH", STATUS.format("busy"))), "the first conflict", 15)
    edited = site.api.kubectl(
        "patch", "rimg", "busy", f"--namespace={site.name}", "--type=merge", "--patch",
        json.dumps({"metadata": {"labels": {"edited-by": "a-person"}},
                    "spec": {"images": [{"image": one}, {"image": two}]}}),
    )  # fmt: skip
    assert edited.returncode == 0, edited.stderr
    body = site.until("busy", Ready="True/AllImagesPresent")
    assert body["metadata"]["labels"] == {"edited-by": "a-person"}
    assert body["status"]["observedGeneration"] == body["metadata"]["generation"] == 2
    assert body["status"]["summary"]["images"] == "2/2"
    fields = [each for each in body["metadata"]["managedFields"] if each["manager"] == OWN_MANAGER]
    assert [set(each["fieldsV1"]) for each in fields] == [{"f:status"}]
    assert not [e for e in site.events("StatusRejected") if e["type"] == "Warning"]


@pytest.mark.row("K4")
def test_an_api_server_that_asks_for_patience_gets_it_and_nobody_hears_of_it(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, proxy: FaultProxy
) -> None:
    patience = 2.0
    refusal = _refusal(429, "TooManyRequests", {"Retry-After": f"{patience:.0f}"})
    proxy.on("PATCH", STATUS.format("calm"), refusal, times=1)
    site.cache(registry)
    site.serve("calm", containerd_engine, [site.image("calm:1")])
    site.until("calm", Ready="True/AllImagesPresent")
    first, *_ = proxy.seen("PATCH", STATUS.format("calm"))
    after = [
        each
        for each in proxy.seen("GET|PATCH|POST", OURS)
        if each.began > first.began + patience / 2
    ]
    assert after
    soonest = min(after, key=lambda each: each.began)
    assert soonest.began - first.began >= patience - 0.1, soonest.target
    assert not [e for e in site.api.call("GET", EVENTS.format(site.name))["items"]
                if e["type"] == "Warning" and e["reason"] != "InsecureEndpoint"]  # fmt: skip


@pytest.mark.row("K3")
def test_a_resync_asks_no_engine_where_nothing_changed_and_a_new_operator_asks_each_hardly_twice(  # noqa: PLR0917 - fixtures
    site: Site,
    registry: RegistryPart,
    containerd_engine: EnginePart,
    resumed: ApiServerPart,
    proxy: FaultProxy,
    new_proxy: NewProxy,
) -> None:
    """Two ranges share an engine, whose image lists are counted; their status stays as it is.

    A new operator looks once before it knows what is wanted, and once when it knows.
    """
    engine, names = new_proxy(f"{containerd_engine.address}:{containerd_engine.port}"), "ab"
    image = site.image("sync:1")
    site.cache(registry, refresh={"interval": "10m"})
    for name in names:
        site.pod(name)
        site.ranges(name, engine.port, [image], interval="10m")
    before = [site.until(name, Ready="True/AllImagesPresent")["status"] for name in names]
    first, lists = lists_of(engine), len(proxy.seen("GET", LISTS))
    resumed.stop()
    resumed.start()
    wait_for(lambda: len(proxy.seen("GET", LISTS)) >= lists + 2, "kopf and us to list", 30)
    assert lists_of(engine) == first
    site.operator.stop()
    site.operator.start()
    site.reconcile_now("again", *(site.path(name) for name in names))
    for name, was in zip(names, before, strict=True):
        body = site.until(
            name, at=lambda body: body["status"].get("lastHandledReconcileAt") == "again"
        )
        assert body["status"] == {**was, "lastHandledReconcileAt": "again"}
    assert lists_of(engine) - first <= 2 + len(names)  # each manual pass looks on its own


LISTS = r".*/pods\?limit=.*"
"""Of pods: kopf's own list after it lost its place, and ours two seconds later."""


def lists_of(engine: FaultProxy) -> int:
    """How often it was asked for its images."""
    return len(engine.seen("GET", ".*/images/json.*"))


OWN_MANAGER = "cyroid-operator"
EVENTS = "/apis/events.k8s.io/v1/namespaces/{}/events"


def _refusal(code: int, reason: str, headers: dict[str, str] | None = None) -> Answer:
    """As the API server words it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    told = json.dumps({**body, "reason": reason, "message": f"{reason} of a test"})
    return Answer(code, {"Content-Type": "application/json", **(headers or {})}, told.encode())
