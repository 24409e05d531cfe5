"""Objects as the API server gives them, with a status as the operator writes it."""

from __future__ import annotations

from typing import Any

from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from tests.parts import objects

NOW = "2026-05-01T12:00:00Z"
SHA = f"sha256:{'a' * 64}"
KALI = "cyroid/kali:latest"
SAMBA = "cyroid/samba-dc:latest"


def stored(body: dict[str, Any], **status: Any) -> dict[str, Any]:
    """The object after the API server took it and the operator wrote this status."""
    usual = {"uid": "u", "generation": 3, "resourceVersion": "100", "creationTimestamp": NOW}
    return {**body, "metadata": {**usual, **body["metadata"]}, "status": status}


def condition(kind: str, status: str, reason: str, *, generation: int = 3) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": f"{reason} it is",
        "observedGeneration": generation,
        "lastTransitionTime": NOW,
    }


def listing(*images: str) -> list[dict[str, str]]:
    return [{"image": image} for image in images]


def a_cache(*images: str, aliases: tuple[str, ...] = (), **status: Any) -> ImageCache:
    body = objects.image_cache("default", images=listing(*images), aliases=list(aliases))
    return ImageCache.parse(stored(body, **status))


def a_range(
    name: str = "range-01",
    *,
    event: str | None = None,
    images: tuple[str, ...] = (KALI,),
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
) -> RangeImages:
    body = objects.range_images(name, "red", images=listing(*images), **(spec or {}))
    if event:
        body["metadata"]["labels"] = {"cyroid.io/event": event}
    return RangeImages.parse(stored(body, **(status or {})))
