"""The ImageCache `default` and the registry behind it."""

from tests.demo.cluster import OPERATOR, Cluster, until

NAME = "cic/default"
_REGISTRY = "deploy/cyroid-registry"
_PODS = "app.kubernetes.io/component=registry"
_WHERE = f"--namespace={OPERATOR}"


def digests(cluster: Cluster) -> dict[str, str]:
    """The digest of each image that the registry holds."""
    rows = cluster.read(NAME).get("status", {}).get("imageStatuses", [])
    return {row["image"]: row["digest"] for row in rows if "digest" in row}


def look_now(cluster: Cluster, token: str, *, seconds: float = 60) -> None:
    """Asks for a pass by hand, so that nobody waits for the refresh interval.

    Back when the operator has answered this token, which must be a new one.
    """
    cluster.kubectl("annotate", "--overwrite", NAME, f"cyroid.io/reconcile-at={token}")

    def is_handled() -> bool:
        status = cluster.read(NAME).get("status", {})
        return bool(status.get("lastHandledReconcileAt") == token)

    until(f"the operator has looked at {NAME} again", is_handled, seconds=seconds)


def stop_registry(cluster: Cluster) -> None:
    """No registry any more: back when its pod is gone."""
    cluster.kubectl("scale", _REGISTRY, _WHERE, "--replicas=0")
    cluster.kubectl(
        "wait", "--for=delete", "pod", _WHERE, f"-l{_PODS}", "--timeout=90s", timeout=120
    )


def start_registry(cluster: Cluster) -> None:
    """The registry again: back when it answers."""
    cluster.kubectl("scale", _REGISTRY, _WHERE, "--replicas=1")
    cluster.kubectl("rollout", "status", _REGISTRY, _WHERE, "--timeout=90s", timeout=120)
