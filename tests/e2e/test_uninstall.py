"""Uninstalling never hangs. Runs last: the other tests need the installation."""

from __future__ import annotations

from tests.demo import ranges
from tests.demo.cluster import OPERATOR, Cluster


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
