"""Objects as the API server gives them, with the status that a test is about."""

from __future__ import annotations

from typing import Any

from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from tests.parts import objects

STORED = {
    "uid": "u",
    "generation": 1,
    "resourceVersion": "1",
    "creationTimestamp": "2026-05-01T12:00:00Z",
}
DIGEST = "sha256:" + "ab" * 32
ALIAS = "127.0.0.1:5000"
KALI = f"{ALIAS}/cyroid/kali:1"


def a_condition(kind: str, status: str, reason: str, message: str = "") -> dict[str, Any]:
    """Of the first generation."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-05-01T12:00:00Z",
    }


READY = a_condition("Ready", "True", "AllImagesPresent")
NOT_READY = a_condition("Ready", "False", "ImagesMissing", "one is missing")


def a_cache(status: dict[str, Any] | None = None, **spec: Any) -> ImageCache:
    """The cache `default`, whose alias is ALIAS."""
    body = objects.image_cache("default", **{"aliases": [ALIAS], **spec})
    return ImageCache.parse({**body, "metadata": {**body["metadata"], **STORED}, "status": status})


def a_range(name: str, status: dict[str, Any] | None = None, **spec: Any) -> RangeImages:
    """A range of namespace `n` that wants KALI."""
    body = objects.range_images(name, "n", **{"images": [{"image": KALI}], **spec})
    metadata = {**body["metadata"], **STORED}
    return RangeImages.parse({**body, "metadata": metadata, "status": status})


def told(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The status of a range with one target."""
    return {"targets": {"matched": 1}, "conditions": list(conditions), **more}
