"""One active operator; what it needs at the start; what its probes say."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.component.operator.conftest import MakeOperator
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.conformance import assert_status_conforms
from tests.parts.identity import OWN_NAMESPACE
from tests.parts.operator import OperatorPart

pytestmark = pytest.mark.slow

RANGE_CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rangeimages.cyroid.io"
CACHE_CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/imagecaches.cyroid.io"
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OWN_NAMESPACE}/leases/cyroid-operator"
PLACE = f"{objects.API}/namespaces/default/rangeimages"
SOON = 20.0


def holder(part: ApiServerPart) -> str:
    answer = part.request("GET", LEASE)
    return str(answer.json()["spec"].get("holderIdentity", "")) if answer.is_success else ""


def until_held_by(part: ApiServerPart, name: str) -> None:
    wait_for(lambda: holder(part) == name, f"the Lease to be held by {name!r}", SOON)


def ask(operator: OperatorPart, path: str) -> httpx.Response:
    return httpx.get(f"{operator.url}{path}", timeout=5, trust_env=False)


def put_range(part: ApiServerPart, name: str) -> str:
    """A RangeImages that waits for its cache; its path."""
    body = objects.range_images(name, "default")
    part.call("POST", PLACE, body)
    return f"{PLACE}/{name}"


def handled(part: ApiServerPart, path: str, token: str) -> dict[str, Any]:
    """The object once a pass has handled this token."""

    def read() -> dict[str, Any]:
        return part.call("GET", path)

    wait_for(
        lambda: read().get("status", {}).get("lastHandledReconcileAt") == token,
        f"{token} to be handled",
        SOON,
    )
    body = read()
    assert_status_conforms(body)
    return body


def ask_for_pass(part: ApiServerPart, path: str, token: str) -> None:
    body = {"metadata": {"annotations": {"cyroid.io/reconcile-at": token}}}
    part.call("PATCH", path, body, content_type="application/merge-patch+json")


@pytest.mark.row("K7")
def test_kinds_that_come_late_are_waited_for(
    apiserver: ApiServerPart, make_operator: MakeOperator
) -> None:
    _remove_crds(apiserver)  # of a test before this one
    early = make_operator("early")
    early.start()
    until_held_by(apiserver, "early")
    # Until the answer to its write has come it does not know that it leads, and waits.
    wait_for(lambda: not ask(early, "/readyz").json()["kinds"], "it to miss them", SOON, early.log)
    assert ask(early, "/readyz").status_code == 503
    assert ask(early, "/healthz").status_code == 200
    apiserver.install_crds()
    wait_for(lambda: ask(early, "/readyz").status_code == 200, "it to be ready", SOON, early.log)
    path = put_range(apiserver, "late-kinds")
    ask_for_pass(apiserver, path, "first")
    handled(apiserver, path, "first")
    assert early.stop() == 0
    assert holder(apiserver) == ""


@pytest.mark.row("K7")
def test_a_kind_that_is_removed_ends_it_in_order_and_started_again_it_waits(
    apiserver: ApiServerPart, make_operator: MakeOperator
) -> None:
    """kopf ends when a watched kind is gone; the kubelet starts the container again."""
    apiserver.install_crds()
    part = make_operator("bereft")
    part.start()
    path = put_range(apiserver, "removed-with-its-kind")
    ask_for_pass(apiserver, path, "before")
    handled(apiserver, path, "before")
    apiserver.call("DELETE", RANGE_CRD)
    assert part.wait() == 1
    assert "the API server no longer serves a kind that is watched" in part.log()
    assert holder(apiserver) == ""
    part.start()
    until_held_by(apiserver, "bereft")
    answer = ask(part, "/readyz")
    assert (answer.status_code, answer.json()["kinds"]) == (503, False)
    apiserver.install_crds()
    wait_for(lambda: ask(part, "/readyz").status_code == 200, "it to be ready", SOON, part.log)
    path = put_range(apiserver, "made-with-its-kind")
    ask_for_pass(apiserver, path, "after")
    handled(apiserver, path, "after")


@pytest.mark.row("O3")
def test_of_two_operators_one_is_active_and_the_other_ready(
    apiserver: ApiServerPart, make_operator: MakeOperator
) -> None:
    apiserver.install_crds()
    first, second = make_operator("one"), make_operator("two")
    first.start()
    until_held_by(apiserver, "one")
    second.start()
    wait_for(lambda: ask(second, "/readyz").status_code == 200, "the second to be ready", SOON)
    assert "cyroid_leader 1.0" in ask(first, "/metrics").text
    assert "cyroid_leader 0.0" in ask(second, "/metrics").text
    path = put_range(apiserver, "handed-over")
    ask_for_pass(apiserver, path, "by-one")
    handled(apiserver, path, "by-one")
    assert first.stop() == 0
    until_held_by(apiserver, "two")
    ask_for_pass(apiserver, path, "by-two")
    handled(apiserver, path, "by-two")
    events = apiserver.call("GET", f"/apis/events.k8s.io/v1/namespaces/{OWN_NAMESPACE}/events")
    told = [each["note"] for each in events["items"] if each["reason"] == "LeaderElected"]
    assert any("two is the active operator" in note for note in told)


@pytest.mark.row("O3")
def test_a_frozen_leader_that_wakes_up_writes_nothing_and_ends(
    apiserver: ApiServerPart, make_operator: MakeOperator
) -> None:
    apiserver.install_crds()
    first, second = make_operator("frozen"), make_operator("awake")
    first.start()
    path = put_range(apiserver, "contested")
    ask_for_pass(apiserver, path, "before")
    handled(apiserver, path, "before")
    second.start()
    first.send(signal.SIGSTOP)
    until_held_by(apiserver, "awake")
    ask_for_pass(apiserver, path, "meanwhile")  # waits in the watch of the frozen one, too
    written = handled(apiserver, path, "meanwhile")
    lease = apiserver.call("GET", LEASE)["spec"]["leaseTransitions"]
    first.send(signal.SIGCONT)
    assert first.wait() == 3
    after = apiserver.call("GET", path)
    assert after["metadata"]["resourceVersion"] == written["metadata"]["resourceVersion"]
    assert holder(apiserver) == "awake"
    assert apiserver.call("GET", LEASE)["spec"]["leaseTransitions"] == lease


@pytest.mark.row("K6")
def test_a_missing_right_is_named_at_the_start(
    make_operator: MakeOperator, all_but_pods: Path
) -> None:
    lacking = make_operator("lacking", all_but_pods)
    lacking.begin()
    assert lacking.wait() not in (0, 3)
    assert "RBACDenied: missing rights: watch pods" in lacking.log()
    last = lacking.log().splitlines()[-1]
    assert last.startswith(
        "cyroid-images: the operator ended: RBACDenied: missing rights: watch pods"
    )


@pytest.mark.row("O7")
def test_b6_a_leader_that_cannot_renew_its_lease_is_not_alive(
    apiserver: ApiServerPart, make_operator: MakeOperator
) -> None:
    """Three durations are long enough for an API server that is only slow."""
    apiserver.install_crds()
    part = make_operator("cut-off")
    part.start()
    until_held_by(apiserver, "cut-off")
    healthy = ask(part, "/healthz")
    assert (healthy.status_code, healthy.json()["lease"]["limit"]) == (200, 9.0)
    apiserver.pause()
    try:
        wait_for(lambda: ask(part, "/healthz").status_code == 503, "it to be dead", SOON)
        shown = ask(part, "/healthz").json()
        assert (shown["lease"]["ok"], shown["loop"]["ok"]) == (False, True)
        assert "cyroid_leader 0.0" in ask(part, "/metrics").text
    finally:
        apiserver.resume()
    wait_for(lambda: ask(part, "/healthz").status_code == 200, "it to live again", SOON)
    assert part.stop() == 0


def _remove_crds(apiserver: ApiServerPart) -> None:
    for path in (RANGE_CRD, CACHE_CRD):
        answer = apiserver.request("DELETE", path)
        assert answer.is_success or answer.status_code == 404, answer.text
    kinds = [f"{objects.API}/{plural}" for plural in ("rangeimages", "imagecaches")]
    wait_for(
        lambda: all(apiserver.request("GET", kind).status_code == 404 for kind in kinds),
        "both kinds to be gone",
        SOON,
    )
