"""Applies the ImageCache that the chart's values describe, and leaves people's edits alone.

Server-side apply without force is exactly that: fields that nobody else touched follow the
values from one upgrade to the next, and where a person changed one of them the API server
answers 409 and the whole object stays as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client import ApiException, CustomObjectsApi

from cyroid_images.bootstrap.kubernetes_api import CALL_SECONDS, blamed_on, status_of
from cyroid_images.errors import CyroidError

FIELD_MANAGER = "cyroid-images-chart"
SERVED_WITHIN_SECONDS = 60.0
"""An API server serves a new kind at once, behind several replicas after 5 s."""
_PAUSE_SECONDS = 0.5


class Applied(StrEnum):
    """What came of it."""

    AS_ASKED = "applied"
    LEFT_ALONE = "left as people edited it"


def read(path: Path) -> Mapping[str, Any]:
    """The one object of a YAML file; CyroidError if it is no ImageCache."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(document, dict) or document.get("kind") != "ImageCache":
        raise CyroidError(f"{path}: not an ImageCache")
    return document


def apply(
    api: CustomObjectsApi,
    cache: Mapping[str, Any],
    *,
    within: float = SERVED_WITHIN_SECONDS,
    pause: Callable[[], None] = lambda: time.sleep(_PAUSE_SECONDS),
) -> Applied:
    """Apply the object, waiting up to `within` seconds until its kind is served.

    `pause` is what happens between two tries. Raises CyroidError when the API server
    refuses for another reason than people's edits.
    """
    deadline = time.monotonic() + within
    with blamed_on(f"apply ImageCache {cache['metadata']['name']}", holds_secrets=False):
        while True:
            try:
                return _apply(api, cache)
            except ApiException as refused:
                # 404 of an apply can only mean the kind: the object itself is made.
                if status_of(refused) != 404 or time.monotonic() > deadline:
                    raise
            pause()


def _apply(api: CustomObjectsApi, cache: Mapping[str, Any]) -> Applied:
    group, version = cache["apiVersion"].split("/")
    try:
        api.patch_cluster_custom_object(
            *(group, version, "imagecaches", cache["metadata"]["name"], dict(cache)),
            field_manager=FIELD_MANAGER,
            field_validation="Strict",
            _content_type="application/apply-patch+yaml",
            _request_timeout=CALL_SECONDS,
        )
    except ApiException as refused:
        if status_of(refused) == 409:
            return Applied.LEFT_ALONE
        raise
    return Applied.AS_ASKED
