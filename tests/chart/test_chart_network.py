"""Network policies: who may talk to whom, as rendered. Whether a cluster enforces it is e2e's."""

from __future__ import annotations

import pytest

from tests.chart.rendering import CHART, DEFAULT, LAB, Manifest, manifests, one

pytestmark = pytest.mark.slow

RANGES = "namespaces of ranges"


def policy(component: str) -> Manifest:
    spec: Manifest = one(manifests(LAB), "NetworkPolicy", f"cyroid-{component}")["spec"]
    return spec


OTHERS = {
    "matchExpressions": [{"key": "cyroid.io/ranges", "operator": "NotIn", "values": ["true"]}]
}
"""Namespaces that hold no ranges."""


def peers(rules: list[Manifest], side: str) -> dict[int, set[str]]:
    """Port to peers; `anybody` where a rule names none."""
    found: dict[int, set[str]] = {}
    for rule in rules:
        names = {name_of(peer) for peer in rule.get(side, ())} or {"anybody"}
        for port in rule["ports"]:
            found.setdefault(port["port"], set()).update(names)
    return found


def name_of(peer: Manifest) -> str:
    labels = peer.get("podSelector", {}).get("matchLabels", {})
    component = labels.get("app.kubernetes.io/component") or labels.get("cyroid.io/component")
    if peer.get("namespaceSelector") == OTHERS:
        return "all but ranges"
    if "namespaceSelector" in peer:
        assert peer["namespaceSelector"] == {"matchLabels": {"cyroid.io/ranges": "true"}}
        return f"{component} in {RANGES}" if component else RANGES
    return str(component)


def test_each_policy_selects_the_pods_of_its_name() -> None:
    for component in ("operator", "api", "registry", "builder"):
        workload = one(manifests(LAB), "Deployment", f"cyroid-{component}")
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert policy(component)["podSelector"]["matchLabels"].items() <= labels.items()


def test_ranges_reach_the_pull_listener_and_never_the_push_listener() -> None:
    assert peers(policy("registry")["ingress"], "from") == {
        5000: {RANGES, "operator", "api"},
        5001: {"operator", "builder"},
        5002: {"operator"},
    }


def test_the_api_only_reads_in_the_registry() -> None:
    assert peers(policy("api")["egress"], "to") == {
        53: {"anybody"},
        443: {"anybody"},
        6443: {"anybody"},
        5000: {"registry"},
    }
    assert peers(policy("api")["ingress"], "from") == {8080: {"all but ranges"}}


def test_who_reaches_the_api_can_be_said() -> None:
    rendered = manifests(CHART / "ci" / "api-values.yaml")
    (rule,) = one(rendered, "NetworkPolicy", "cyroid-api")["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["namespaceSelector"]["matchLabels"]
    assert rule["ports"] == [{"port": 8443, "protocol": "TCP"}]


def test_without_an_api_nobody_else_reaches_the_registry() -> None:
    rendered = manifests(LAB, "--set=api.enabled=false")
    spec = one(rendered, "NetworkPolicy", "cyroid-registry")["spec"]
    assert peers(spec["ingress"], "from")[5000] == {RANGES, "operator"}


def test_without_the_collector_nobody_reaches_its_port() -> None:
    rendered = manifests(LAB, "--set=registry.collector.enabled=false")
    for name, side in (("registry", "ingress"), ("operator", "egress")):
        rules = one(rendered, "NetworkPolicy", f"cyroid-{name}")["spec"][side]
        assert all(port["port"] != 5002 for rule in rules for port in rule["ports"])
    ports = one(rendered, "Service", "cyroid-registry")["spec"]["ports"]
    assert [each["name"] for each in ports] == ["pull", "push"]


def test_the_registry_asks_nobody() -> None:
    assert policy("registry")["egress"] == []
    assert policy("registry")["policyTypes"] == ["Ingress", "Egress"]


def test_only_the_operator_reaches_the_builder_which_reaches_only_the_push_listener() -> None:
    assert peers(policy("builder")["ingress"], "from") == {2375: {"operator"}}
    assert peers(policy("builder")["egress"], "to") == {53: {"anybody"}, 5001: {"registry"}}


def test_the_operator_reaches_what_it_works_with() -> None:
    engines = f"dind in {RANGES}"
    assert peers(policy("operator")["egress"], "to") == {
        53: {"anybody"},
        443: {"anybody"},
        6443: {"anybody"},
        5000: {"registry"},
        5001: {"registry"},
        5002: {"registry"},
        2375: {"builder", engines},
        2376: {engines},
    }


def test_an_outside_registry_is_reached_at_the_port_of_its_url() -> None:
    rendered = manifests(CHART / "ci" / "external-registry-values.yaml")
    egress = one(rendered, "NetworkPolicy", "cyroid-operator")["spec"]["egress"]
    assert {"ports": [{"port": 8443, "protocol": "TCP"}]} in egress


def test_policies_can_be_left_out() -> None:
    rendered = manifests(DEFAULT, "--set=networkPolicy.enabled=false")
    assert [it for it in rendered if it["kind"] == "NetworkPolicy"] == []
