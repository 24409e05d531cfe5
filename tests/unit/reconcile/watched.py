"""Objects as a watch tells them, for tests of stores and passes."""

from __future__ import annotations

from typing import Any

from tests.unit.plan.examples import metadata


def pod(name: str = "dind", *, range_id: str = "r", **parts: Any) -> dict[str, Any]:
    labels = {"cyroid.io/component": "dind", "cyroid.io/range-id": range_id}
    about = metadata(name, namespace="default", labels=labels)
    running = {"containerID": "c1", "state": {"running": {}}}
    status = {"podIP": "10.0.0.1", "phase": "Running", "containerStatuses": [running]}
    return {"metadata": about, "spec": {}, "status": status, **parts}


def namespace(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "default", "uid": "n", "labels": labels}}


def with_metadata(body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], **fields}}
