"""Uninstalling never hangs. Runs last: the other tests need the installation."""

from __future__ import annotations

import pytest

from tests.demo import ranges
from tests.demo.cluster import OPERATOR, Cluster


@pytest.mark.row("P9")
def test_no_deletion_waits_for_an_operator_that_is_scaled_to_zero(
    cluster: Cluster, images: list[str], fresh_namespace: str
) -> None:
    """Ranges and their namespace: no finalizer of ours holds any of them."""
    ranges.make_range(cluster, "orphan", images)
    _scale_operator(cluster, 0)
    try:
        everything = ("rangeimages.cyroid.io", "--all", f"--namespace={fresh_namespace}")
        cluster.kubectl("delete", *everything, "--timeout=20s", timeout=60)
        cluster.kubectl("delete", "namespace", fresh_namespace, "--timeout=60s", timeout=90)
    finally:
        _scale_operator(cluster, 1)


@pytest.mark.row("P9")
def test_uninstalling_under_running_transfers_does_not_hang(
    cluster: Cluster, images: list[str], fresh_namespace: str
) -> None:
    ranges.make_range(cluster, "last", images)
    cluster.helm(
        "uninstall", "cyroid-images", f"--namespace={OPERATOR}", "--wait", "--timeout=60s",
        timeout=90,
    )  # fmt: skip
    left = cluster.kubectl("get", "deployments", f"--namespace={OPERATOR}", "--output=name")
    assert left.strip() == ""
    cluster.kubectl("delete", "namespace", fresh_namespace, "--timeout=60s", timeout=90)


def _scale_operator(cluster: Cluster, replicas: int) -> None:
    deployment = ("deployment/cyroid-operator", f"--namespace={OPERATOR}")
    cluster.kubectl("scale", *deployment, f"--replicas={replicas}")
    cluster.kubectl("rollout", "status", *deployment, "--timeout=60s", timeout=90)
