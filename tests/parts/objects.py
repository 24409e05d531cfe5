"""The smallest valid objects of our two kinds, and where the API serves them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
