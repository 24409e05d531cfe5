"""The smallest valid objects of our two kinds and where the API serves them; how a pod looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.parts.namespace import OUTER_ADDRESS

API = "/apis/cyroid.io/v1alpha1"


def range_images(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """A RangeImages that wants one image in one range."""
    usual: Mapping[str, Any] = {
        "targets": {"selector": {"matchLabels": {"cyroid.io/range-id": name}}},
        "imageCacheRef": {"name": "default"},
        "images": [{"image": "nginx:1.25"}],
    }
    return {
        "apiVersion": "cyroid.io/v1alpha1",
        "kind": "RangeImages",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {**usual, **spec},
    }


def image_cache(name: str, **spec: Any) -> dict[str, Any]:
    """An ImageCache without sources."""
    registry = {"pushURL": "http://127.0.0.1:5001", "pullHost": "127.0.0.1:5000"}
    return {
        "apiVersion": "cyroid.io/v1alpha1",
        "kind": "ImageCache",
        "metadata": {"name": name},
        "spec": {"registry": registry, **spec},
    }


def pod_status(ip: str | None, container_id: str | None, restarts: int) -> dict[str, Any]:
    """Of a pod whose only container runs, or is being made (no `container_id`)."""
    running = container_id is not None
    state: dict[str, Any] = (
        {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        if running
        else {"waiting": {"reason": "ContainerCreating"}}
    )
    container = {
        "name": "dind",
        "image": "docker:dind",
        "imageID": "",
        "containerID": container_id or "",
        "ready": running,
        "started": running,
        "restartCount": restarts,
        "state": state,
    }
    return {
        "phase": "Running" if running else "Pending",
        "hostIP": OUTER_ADDRESS if ip else None,
        "podIP": ip,
        "podIPs": [{"ip": ip}] if ip else None,
        "containerStatuses": [container],
    }


def path_of(body: Mapping[str, Any]) -> str:
    """The path of an object made here."""
    metadata = body["metadata"]
    return f"{_collection(body)}/{metadata['name']}"


def create(part: Any, body: Mapping[str, Any]) -> dict[str, Any]:
    """Create it on an ApiServerPart; the object as it was stored."""
    stored: dict[str, Any] = part.call("POST", _collection(body), body)
    return stored


def _collection(body: Mapping[str, Any]) -> str:
    if body["kind"] == "ImageCache":
        return f"{API}/imagecaches"
    return f"{API}/namespaces/{body['metadata']['namespace']}/rangeimages"
