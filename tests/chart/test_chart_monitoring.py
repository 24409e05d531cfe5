"""Monitors, alerts and dashboard: made only when asked for, and only of metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart.rendering import CHART, DEFAULT, Manifest, manifests, one, text
from tests.parts.metric_table import TABLE

pytestmark = pytest.mark.slow

ALL = CHART / "ci" / "monitoring-values.yaml"
ALERTS = {
    "CyroidNotReady": "15m",
    "CyroidFallbackActive": "30m",
    "CyroidRegistryDown": "5m",
    "CyroidIntegrityFailure": None,
    "CyroidNoLeader": "2m",
    "CyroidStuckTransfer": "30m",
}
"""How long each is the case before it fires; None: at once."""
FROM_PROMETHEUS = {"pod", "le"}
"""Labels that no metric of ours has."""


@pytest.fixture(scope="module")
def rendered() -> list[Manifest]:
    return manifests(ALL)


@pytest.fixture(scope="module")
def rules(rendered: list[Manifest]) -> list[dict[str, Any]]:
    (group,) = one(rendered, "PrometheusRule", "cyroid-images")["spec"]["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


@pytest.fixture(scope="module")
def dashboard(rendered: list[Manifest]) -> dict[str, Any]:
    data = one(rendered, "ConfigMap", "cyroid-images-dashboard")["data"]
    found: dict[str, Any] = json.loads(data["cyroid-images.json"])
    return found


@pytest.fixture(scope="module")
def expressions(rules: list[dict[str, Any]], dashboard: dict[str, Any]) -> list[str]:
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    return [rule["expr"] for rule in rules] + [target["expr"] for target in targets]


def metrics_of(expression: str) -> Iterator[str]:
    """Names in TABLE of the metrics that an expression reads."""
    for word in re.findall(r"\bcyroid_(\w+)", expression):
        name = re.sub(r"_(bucket|sum|count)$", "", word)
        assert name in TABLE, f"cyroid_{word} is no metric: {expression}"
        is_histogram = TABLE[name][0] == "histogram"
        assert is_histogram == (name != word), f"cyroid_{word} has no such series: {expression}"
        yield name


def labels_of(expression: str) -> set[str]:
    known = [TABLE[name][1].split() for name in metrics_of(expression)]
    return {label for each in known for label in each} | FROM_PROMETHEUS


def test_nothing_of_it_is_made_by_default() -> None:
    kinds = {it["kind"] for it in manifests(DEFAULT)}
    assert not {"PodMonitor", "ServiceMonitor", "PrometheusRule"} & kinds
    assert "dashboard" not in text(DEFAULT)
    assert not [it for it in manifests(DEFAULT) if it["metadata"]["name"] == "cyroid-images"]


@pytest.mark.parametrize(
    ("flag", "kinds"),
    [
        ("podMonitor", {"PodMonitor"}),
        ("serviceMonitor", {"Service", "ServiceMonitor"}),
        ("rules", {"PrometheusRule"}),
        ("dashboard", {"ConfigMap"}),
    ],
)
def test_each_flag_makes_its_own_objects_only(flag: str, kinds: set[str]) -> None:
    def names(*arguments: str) -> set[tuple[str, str]]:
        return {(it["kind"], it["metadata"]["name"]) for it in manifests(DEFAULT, *arguments)}

    made = names(f"--set=monitoring.{flag}.enabled=true") - names()
    assert {kind for kind, _ in made} == kinds


def test_no_template_asks_what_the_cluster_offers() -> None:
    for path in (CHART / "templates").rglob("*.*"):
        assert ".Capabilities.APIVersions" not in path.read_text(), path


def test_monitors_find_the_port_of_the_operator_and_its_path(rendered: list[Manifest]) -> None:
    pod = one(rendered, "Deployment", "cyroid-operator")["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    selected = one(rendered, "PodMonitor", "cyroid-operator")["spec"]
    assert selected["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    service = one(rendered, "Service", "cyroid-operator")
    by_service = one(rendered, "ServiceMonitor", "cyroid-operator")["spec"]
    labels = service["metadata"]["labels"].items()
    assert by_service["selector"]["matchLabels"].items() <= labels
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    (port,) = service["spec"]["ports"]
    assert port["targetPort"] in ports
    (endpoint,) = by_service["endpoints"]
    (pod_endpoint,) = selected["podMetricsEndpoints"]
    assert endpoint["port"] == port["name"]
    assert pod_endpoint["port"] in ports
    for each in (endpoint, pod_endpoint):
        assert each["path"] == "/metrics"
        assert each["honorLabels"] is True, "else `namespace` would be that of the operator"
    assert pod_endpoint["interval"] == "15s"


def test_the_operator_may_be_scraped(rendered: list[Manifest]) -> None:
    (rule,) = one(rendered, "NetworkPolicy", "cyroid-operator")["spec"]["ingress"]
    assert {"port": 8080, "protocol": "TCP"} in rule["ports"]


def test_people_find_what_was_made_by_their_labels(rendered: list[Manifest]) -> None:
    for kind, name in (("PodMonitor", "cyroid-operator"), ("PrometheusRule", "cyroid-images")):
        assert one(rendered, kind, name)["metadata"]["labels"]["release"] == "prometheus"
    shown = one(rendered, "ConfigMap", "cyroid-images-dashboard")["metadata"]["labels"]
    assert shown["grafana_dashboard"] == "1"


def test_each_alert_waits_as_long_as_promised(rules: list[dict[str, Any]]) -> None:
    assert {rule["alert"]: rule.get("for") for rule in rules} == ALERTS


def test_each_alert_says_what_is_wrong_and_where_to_look(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"].endswith(".")
        assert len(rule["annotations"]["description"]) > 60
        said = " ".join(rule["annotations"].values())
        used = set(re.findall(r"\$labels\.(\w+)", said))
        assert used <= labels_of(rule["expr"]), rule["alert"]
        kept = re.search(r"^sum by \(([^)]*)\)", rule["expr"])
        assert kept is None or used <= set(kept[1].split(", ")), rule["alert"]


def test_rules_and_dashboard_read_only_metrics_and_labels_that_exist(
    expressions: list[str],
) -> None:
    for expression in expressions:
        assert list(metrics_of(expression)), expression
        for group in re.findall(r"by \(([^)]*)\)", expression):
            assert set(group.split(", ")) <= labels_of(expression), expression
        for label in re.findall(r"\{(\w+)=", expression):
            assert label in labels_of(expression), expression
        assert expression.count("(") == expression.count(")")
        for counter in re.findall(r"\bcyroid_\w+_(?:total|bucket)\b(?!\[)", expression):
            pytest.fail(f"{counter} is a counter, read without rate or increase: {expression}")


def test_every_metric_is_read_by_an_alert_or_on_the_dashboard(expressions: list[str]) -> None:
    read = {name for expression in expressions for name in metrics_of(expression)}
    assert set(TABLE) - read == {"build_info"}


def test_the_dashboard_is_one_that_grafana_takes(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    (variable,) = dashboard["templating"]["list"]
    for panel in panels:
        assert panel["datasource"]["uid"] == f"${{{variable['name']}}}"
        assert panel["type"] in {"stat", "timeseries", "table"}
        legends = [target["legendFormat"] for target in panel["targets"]]
        for legend, target in zip(legends, panel["targets"], strict=True):
            labels = set(re.findall(r"\{\{(\w+)\}\}", legend))
            assert labels <= labels_of(target["expr"]), panel["title"]
    cells = [
        (panel["gridPos"]["x"] + column, panel["gridPos"]["y"] + row)
        for panel in panels
        for column in range(panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells), "panels overlap"
    assert max(column for column, _ in cells) < 24


def test_the_readme_of_the_chart_lists_every_metric_with_its_labels_and_every_alert() -> None:
    lines = (CHART / "README.md").read_text().splitlines()
    rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("| `")]
    listed = {}
    for names, *rest in rows:
        for name in re.findall(r"`([a-z_]+)`", names):
            listed[name] = set(re.findall(r"`(\w+)`", "".join(rest)))
    told = {name: set(labels.split()) for name, (_, labels) in TABLE.items()}
    assert {name: listed.get(name) for name in told} == told
    alerts = {name for names, *_ in rows for name in re.findall(r"`(Cyroid\w+)`", names)}
    assert alerts == set(ALERTS)
