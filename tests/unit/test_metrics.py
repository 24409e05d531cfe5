"""What Prometheus is told: names, types and labels as documented, and nothing that grows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from cyroid_images.errors import Reason
from cyroid_images.metrics import Metrics, naming
from cyroid_images.model.telemetry.measured import GaugeValues, Moving, PassResult, Transferred, Way
from cyroid_images.model.telemetry.request_observer import RequestDone
from tests.parts.metric_table import TABLE

DIGEST = "sha256:" + "ab" * 32
PULLED = Transferred("1", Way.PULL, 1.5, 1000)


def families(metrics: Metrics) -> dict[str, Metric]:
    """By name as a sample of it is called (a counter's with `_total`), without the prefix."""
    body, kind = metrics.exposition()
    assert kind.startswith("text/plain")
    found = text_string_to_metric_families(body.decode())
    return {_full_name(each): each for each in found}


def _full_name(family: Metric) -> str:
    assert family.name.startswith("cyroid_"), family.name
    return family.name.removeprefix("cyroid_") + ("_total" if family.type == "counter" else "")


def value(metrics: Metrics, name: str, /, **labels: str) -> float | None:
    """One sample by its full name without the prefix; None where there is no such series."""
    for family in text_string_to_metric_families(metrics.exposition()[0].decode()):
        for sample in family.samples:
            if sample.name == f"cyroid_{name}" and sample.labels == labels:
                return sample.value
    return None


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3", clock=lambda: 100.0)


@pytest.fixture
def busy(metrics: Metrics) -> Metrics:
    """Metrics that were told of everything once."""
    metrics.show(
        lambda: GaugeValues(
            due=2,
            working=1,
            ready={("RangeImages", "range-7", "lab"): True},
            targets={"ready": 1, "not_ready": 0},
            insecure=3,
            registries={"default": True},
            moving=(Moving("2", Way.TAR, 10),),
        )
    )
    metrics.passed("RangeImages", PassResult.DONE, 0.01)
    metrics.transferred(PULLED)
    metrics.transferred(replace(PULLED, reason=Reason.DIGEST_MISMATCH))
    metrics.fell_back(Reason.REGISTRY_UNREACHABLE)
    metrics.drifted()
    metrics.serves("default", "10.0.0.1:5001")
    metrics.registry_asked(
        RequestDone("10.0.0.1:5001", "GET", f"/v2/a/b/manifests/{DIGEST}", 200, 0.1)
    )
    metrics.engine_asked(
        RequestDone("10.0.0.2:2376", "GET", "/v1.44/images/nginx:1/json", None, 0.1)
    )
    metrics.kube_asked(RequestDone("", "GET", "/api/v1/namespaces/cyroid/secrets/push", 200, 0.1))
    metrics.leads(lambda: True)
    return metrics


def test_every_metric_has_the_type_and_the_labels_of_the_table(busy: Metrics) -> None:
    seen = {
        name: (
            family.type,
            {label for sample in family.samples for label in sample.labels if label != "le"},
        )
        for name, family in families(busy).items()
    }
    assert seen == {name: (kind, set(labels.split())) for name, (kind, labels) in TABLE.items()}


def test_names_keep_to_the_rules_of_prometheus(busy: Metrics) -> None:
    for name, family in families(busy).items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", name)
        assert (family.type == "counter") == name.endswith("_total")
        assert family.documentation.endswith("."), f"{name} says nothing for people"
        if family.type == "histogram" or "duration" in name or "age" in name:
            assert name.endswith("_seconds"), f"{name} lacks its base unit"
        assert not re.search(r"_(ms|milliseconds|kb|mb|minutes)(_|$)", name)


def test_no_label_holds_a_digest_an_address_or_a_name_of_an_image(busy: Metrics) -> None:
    texts = {
        text
        for family in families(busy).values()
        for sample in family.samples
        for label, text in sample.labels.items()
        if label != "le"
    }
    for text in texts:
        assert not re.search(r"sha256|\d+\.\d+\.\d+\.\d+|[0-9a-f]{12}|nginx|/v2", text), text
        assert len(text) <= 64


def test_the_series_of_what_is_deleted_disappear(busy: Metrics) -> None:
    assert value(busy, "resource_ready", kind="RangeImages", namespace="range-7", name="lab") == 1
    assert value(busy, "registry_up", cache="default") == 1
    busy.show(GaugeValues)
    busy.serves("default", None)
    text = busy.exposition()[0].decode()
    assert "range-7" not in text
    assert "default" not in text


def test_bytes_are_counted_on_the_way_and_never_twice(metrics: Metrics) -> None:
    def counted() -> float | None:
        return value(metrics, "transfer_bytes_total", route="pull")

    metrics.show(lambda: GaugeValues(moving=(Moving("7", Way.PULL, 100),)))
    assert (counted(), counted()) == (100, 100)
    metrics.show(lambda: GaugeValues(moving=(Moving("7", Way.PULL, 250),)))
    assert counted() == 250
    metrics.show(GaugeValues)
    metrics.transferred(Transferred("7", Way.PULL, 2.0, 400))
    assert counted() == 400


def test_a_push_that_went_another_way_never_takes_bytes_back(metrics: Metrics) -> None:
    metrics.show(lambda: GaugeValues(moving=(Moving("7", Way.PUSH, 100),)))
    assert value(metrics, "transfer_bytes_total", route="push") == 100
    metrics.show(GaugeValues)
    metrics.transferred(Transferred("7", Way.STREAM, 2.0, 300))
    assert value(metrics, "transfer_bytes_total", route="push") == 100
    assert value(metrics, "transfer_bytes_total", route="stream") == 200


@pytest.mark.parametrize(
    ("ended", "result", "reason"),
    [
        pytest.param(PULLED, "done", "", id="done"),
        pytest.param(replace(PULLED, is_cut=True), "cut", "", id="cut"),
        pytest.param(replace(PULLED, reason=Reason.TIMEOUT), "failed", "Timeout", id="failed"),
    ],
)
def test_a_transfer_is_counted_by_how_it_ended(
    metrics: Metrics, ended: Transferred, result: str, reason: str
) -> None:
    metrics.transferred(ended)
    assert value(metrics, "transfer_total", route="pull", result=result, reason=reason) == 1
    timed = value(metrics, "transfer_duration_seconds_count", route="pull")
    assert timed == (1 if result == "done" else None)


def test_damage_counts_from_nought_so_that_an_alert_sees_the_first(metrics: Metrics) -> None:
    assert value(metrics, "integrity_failures_total", where="pull") == 0
    metrics.transferred(replace(PULLED, reason=Reason.DIGEST_MISMATCH))
    assert value(metrics, "integrity_failures_total", where="pull") == 1
    assert value(metrics, "integrity_failures_total", where="look") == 0


def test_a_registry_that_no_cache_calls_its_own_has_no_name(metrics: Metrics) -> None:
    metrics.serves("default", "Registry.cyroid:443")
    for host in ("registry.cyroid", "ghcr.io"):
        metrics.registry_asked(RequestDone(host, "HEAD", "/v2/a/blobs/x", None, 0.1))
    name = "registry_request_duration_seconds_count"
    assert value(metrics, name, cache="default", op="look-blob", code="none") == 1
    assert value(metrics, name, cache="", op="look-blob", code="none") == 1


def test_the_age_of_the_last_event_grows_until_one_comes() -> None:
    now = 100.0
    metrics = Metrics("1", clock=lambda: now)
    now = 160.0
    assert value(metrics, "last_event_age_seconds") == 60
    metrics.heard()
    assert value(metrics, "last_event_age_seconds") == 0


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/v2/", "ping"),
        ("HEAD", "/v2/a/manifests/1", "look-manifest"),
        ("PUT", "/v2/a/b/manifests/1", "put-manifest"),
        ("GET", "/v2/manifests/blobs/sha256:1", "get-blob"),
        ("POST", "/v2/a/blobs/uploads/", "upload"),
        ("PATCH", "/v2/a/blobs/uploads/0e", "upload"),
        ("GET", "/token", "other"),
    ],
)
def test_a_request_to_a_registry_has_one_of_a_few_names(method: str, path: str, name: str) -> None:
    assert naming.registry_operation(method, path) == name


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/version", "version"),
        ("GET", "/v1.44/info", "info"),
        ("GET", "/v1.44/images/json", "list"),
        ("GET", "/v1.44/images/a/json/json", "inspect"),
        ("GET", "/v1.44/distribution/r:5000/a@sha256:1/json", "preflight"),
        ("POST", "/v1.44/images/create", "pull"),
        ("POST", "/v1.44/images/r:5000/a/push", "push"),
        ("POST", "/v1.44/images/load", "load"),
        ("GET", "/v1.44/images/sha256:1/get", "save"),
        ("DELETE", "/v1.44/images/a", "untag"),
        ("GET", "/v1.44/containers/json", "other"),
    ],
)
def test_a_request_to_an_engine_has_one_of_a_few_names(method: str, path: str, name: str) -> None:
    assert naming.engine_operation(method, path) == name


@pytest.mark.parametrize(
    ("method", "path", "named"),
    [
        ("GET", "/api/v1/pods", ("list", "pods")),
        ("GET", "/api/v1/namespaces", ("list", "namespaces")),
        ("GET", "/api/v1/namespaces/cyroid/secrets/push", ("get", "secrets")),
        ("PATCH", "/api/v1/namespaces/a/pods/b/status", ("patch", "pods/status")),
        (
            "PATCH",
            "/apis/cyroid.io/v1alpha1/imagecaches/default/status",
            ("patch", "imagecaches/status"),
        ),
        ("POST", "/apis/events.k8s.io/v1/namespaces/a/events", ("create", "events")),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", ("update", "leases")),
        ("GET", "/readyz", ("get", "other")),
    ],
)
def test_a_call_to_kubernetes_is_called_as_rbac_does(
    method: str, path: str, named: tuple[str, str]
) -> None:
    assert naming.kube_request(method, path) == named


def test_b6_who_leads_is_asked_at_each_scrape() -> None:
    metrics, may_act = Metrics("1"), [True]
    assert "cyroid_leader 0.0" in metrics.exposition()[0].decode()
    metrics.leads(lambda: may_act[0])
    assert "cyroid_leader 1.0" in metrics.exposition()[0].decode()
    may_act[0] = False
    assert "cyroid_leader 0.0" in metrics.exposition()[0].decode()
