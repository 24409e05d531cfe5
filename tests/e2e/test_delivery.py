"""Images reach the engines of ranges, whatever is killed or deleted meanwhile."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.demo import engines, events, ranges
from tests.demo.cache import start_registry, stop_registry
from tests.demo.cluster import OPERATOR, Cluster, until
from tests.parts.conformance import assert_status_conforms

CONTAINERD = {"features": {"containerd-snapshotter": True}}
WITHIN = 120  # seconds; a range of five images takes about 10


def _make(
    cluster: Cluster, name: str, images: Sequence[str], *, containerd: bool = False
) -> ranges.Range:
    """A range, with an engine of either image store."""
    settings, pod, wanted = ranges.documents(cluster, name, images)
    if containerd:
        settings["metadata"]["name"] += "-containerd"
        text = json.loads(settings["data"]["daemon.json"]) | CONTAINERD
        settings["data"]["daemon.json"] = json.dumps(text)
        for volume in pod["spec"]["volumes"]:
            if "configMap" in volume:
                volume["configMap"]["name"] = settings["metadata"]["name"]
    cluster.apply(settings, pod, wanted)
    return ranges.Range(name)


def _read(cluster: Cluster, asked: ranges.Range) -> dict[str, object]:
    found: dict[str, object] = cluster.read(asked.rimg, f"--namespace={ranges.NAMESPACE}")
    return found


def _condition(cluster: Cluster, asked: ranges.Range, kind: str) -> tuple[str, str]:
    status = _read(cluster, asked).get("status") or {}
    assert isinstance(status, dict)
    for each in status.get("conditions", ()):
        if each["type"] == kind:
            return each["status"], each["reason"]
    return "absent", ""


def _wait_ready(cluster: Cluster, asked: ranges.Range) -> None:
    ranges.wait_ready(cluster, asked, print, seconds=WITHIN)
    assert_status_conforms(_read(cluster, asked))


def _wait_for_transfer(cluster: Cluster, asked: ranges.Range) -> None:
    """Until bytes of an image move into the range."""

    def moves() -> bool:
        row = cluster.kubectl("get", asked.rimg, f"--namespace={ranges.NAMESPACE}", "-o", "wide")
        return "pulling" in row or "loading" in row or "transfers are about" in row

    until("a transfer has begun", moves, seconds=WITHIN)


def _restart_operator(cluster: Cluster) -> None:
    """Kill the operator's pod without a word and wait for its successor."""
    where = (f"--namespace={OPERATOR}", "--selector=app.kubernetes.io/component=operator")
    cluster.kubectl("delete", "pod", *where, "--force", "--grace-period=0")
    cluster.kubectl(
        "rollout", "status", "deployment/cyroid-operator", f"--namespace={OPERATOR}",
        "--timeout=60s", timeout=90,
    )  # fmt: skip


@pytest.mark.usefixtures("fresh_namespace")
def test_both_image_stores_hold_exactly_the_wanted_names(
    cluster: Cluster, images: list[str]
) -> None:
    both = [_make(cluster, "classic", images), _make(cluster, "snap", images, containerd=True)]
    for each in both:
        _wait_ready(cluster, each)
        assert sorted(engines.names(cluster, each)) == sorted(images)
        assert _condition(cluster, each, "TarFallback") == ("False", "NotNeeded")
    for image in images:
        source = engines.built(cluster, image)
        assert {engines.held(cluster, each, image).layers for each in both} == {source.layers}


@pytest.mark.usefixtures("fresh_namespace")
def test_a_range_that_comes_later_needs_no_further_push(
    cluster: Cluster, images: list[str]
) -> None:
    _wait_ready(cluster, _make(cluster, "early", images))
    pushes = events.pushes(cluster)
    _wait_ready(cluster, _make(cluster, "late", images))
    assert events.pushes(cluster) == pushes


@pytest.mark.usefixtures("fresh_namespace")
def test_an_operator_that_is_killed_in_mid_transfer_comes_to_the_same_end(
    cluster: Cluster, images: list[str]
) -> None:
    killed = _make(cluster, "killed", images)
    _wait_for_transfer(cluster, killed)
    _restart_operator(cluster)
    _wait_ready(cluster, killed)
    until(
        "no transport name is left",
        lambda: sorted(engines.names(cluster, killed)) == sorted(images),
        seconds=30,
    )


@pytest.mark.row("P9")
def test_a_namespace_with_running_transfers_is_deleted_without_waiting_for_them(
    cluster: Cluster, images: list[str], fresh_namespace: str
) -> None:
    doomed = _make(cluster, "doomed", images)
    _wait_for_transfer(cluster, doomed)
    cluster.kubectl("delete", "namespace", fresh_namespace, "--timeout=60s", timeout=90)


@pytest.mark.usefixtures("fresh_namespace")
def test_without_the_registry_images_come_by_tar_and_the_record_survives_the_operator(
    cluster: Cluster, images: list[str]
) -> None:
    stop_registry(cluster)
    try:
        alone = _make(cluster, "alone", images)
        _wait_ready(cluster, alone)
        assert _condition(cluster, alone, "TarFallback") == ("True", "RegistryUnreachable")
        _restart_operator(cluster)
    finally:
        start_registry(cluster)
    until(
        "the registry is seen again",
        lambda: _condition(cluster, alone, "RegistryAvailable")[0] == "True",
        seconds=60,
    )
    assert _condition(cluster, alone, "Ready")[0] == "True"
    assert _condition(cluster, alone, "TarFallback") == ("True", "RegistryUnreachable")
    assert_status_conforms(_read(cluster, alone))
