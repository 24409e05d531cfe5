"""Watches that break, in silence or by losing their place: every change is seen all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kopf
import pytest

from cyroid_images import handlers
from cyroid_images.kube import rights
from tests.component.kube.watching import SILENCE_SECONDS, running_operator
from tests.parts import objects
from tests.parts.api_proxy import before_api_server
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.conformance import assert_status_conforms
from tests.parts.identity import OWN_NAMESPACE, grant
from tests.parts.proxy import FaultProxy, Line

pytestmark = pytest.mark.slow
RANGE = objects.range_images("watched-range")
PATH = objects.path_of(RANGE)
SELECTED = {"cyroid.io/component": "dind", "cyroid.io/range-id": "watched-range"}
MERGE = {"content_type": "application/merge-patch+json"}


@pytest.fixture(scope="module")
def kubeconfig(crds: ApiServerPart) -> Path:
    """Of a service account with the operator's rights."""
    return grant(crds, "watching-operator", rights.needed(OWN_NAMESPACE))


@pytest.fixture
def proxy(
    resumed: ApiServerPart, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultProxy]:
    """Between the API server and an operator that has looked at a range with one pod."""
    resumed.request("DELETE", PATH)
    objects.create(resumed, RANGE)
    resumed.put_pod("watched-pod", labels=SELECTED, ip=None, container_id=None)
    with before_api_server(kubeconfig) as (proxy, proxied):
        monkeypatch.setenv("KUBECONFIG", str(proxied))
        with running_operator(proxied):
            wait_for(lambda: targets(resumed) == 1, "the range to see its pod", 15)
            wait_for(lambda: watches(proxy) >= len(handlers.WATCHED), "all watches", 15)
            yield proxy
            proxy.heal()
    resumed.request("DELETE", PATH)
    resumed.delete_pod("watched-pod")


def read(part: ApiServerPart) -> dict[str, Any]:
    body = part.call("GET", PATH)
    assert_status_conforms(body)
    return body


def targets(part: ApiServerPart) -> int:
    return int(read(part)["status"].get("targets", {}).get("matched", -1))


def ready_of(part: ApiServerPart) -> int:
    """The generation that Ready speaks of."""
    conditions = read(part)["status"].get("conditions", [])
    return next((c["observedGeneration"] for c in conditions if c["type"] == "Ready"), 0)


def watches(proxy: FaultProxy) -> int:
    return len(proxy.seen("GET", ".*[?&]watch=true.*"))


@pytest.mark.row("K5", "P11")
def test_a_watch_that_is_silently_dead_is_dropped_and_the_change_seen(
    resumed: ApiServerPart, proxy: FaultProxy
) -> None:
    """With 3 s of patience instead of 70: see the next test for that number."""
    proxy.freeze()
    edited = resumed.call("PATCH", PATH, {"spec": {"interval": "7m"}}, **MERGE)
    resumed.delete_pod("watched-pod")
    wait_for(
        lambda: (ready_of(resumed), targets(resumed)) == (edited["metadata"]["generation"], 0),
        "the edit and the deletion to be seen",
        3 * SILENCE_SECONDS + 5,
        lambda: str(read(resumed)["status"]),
    )


@pytest.mark.row("K5", "P11")
def test_a_dead_watch_is_given_less_than_ninety_seconds() -> None:
    """Bookmarks come each minute, so silence longer than that is none of a healthy watch."""
    settings = kopf.OperatorSettings()
    handlers.configure(settings)
    silence = settings.watching.inactivity_timeout
    assert silence is not None
    assert 60 < silence < silence + settings.watching.reconnect_backoff + 10 < 90


@pytest.mark.row("K3", "P11")
def test_a_deletion_during_an_outage_is_seen_though_the_watch_has_lost_its_place(
    resumed: ApiServerPart, proxy: FaultProxy
) -> None:
    """A new API server has no history: the old place is 410 Gone, and the list lacks the pod."""
    proxy.line = Line(is_dark=True)
    resumed.stop()
    resumed.start()
    resumed.delete_pod("watched-pod")
    resumed.put_namespace("made-meanwhile")
    seen = watches(proxy)
    proxy.heal()
    proxy.reset()
    wait_for(
        lambda: targets(resumed) == 0,
        "the deletion to be seen",
        30,
        lambda: f"{read(resumed)['status']} {[e.target for e in proxy.exchanges[-20:]]}",
    )
    lists = [each.target for each in proxy.exchanges if each.method == "GET"]
    assert watches(proxy) > seen
    assert any("pods" in target and "watch" not in target for target in lists[-20:])
