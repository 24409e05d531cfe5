"""Both kinds as the API server has them: read, chosen, patched. Not here: what they mean
(`parsing.py`), which takes longer to import than the API server to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from cyroid_images.console.cluster.api_server import ApiObject, ApiServer, NotThere
from cyroid_images.console.options import ChosenRanges
from cyroid_images.errors import CyroidError, StatusConflict

API = "/apis/cyroid.io/v1alpha1"
CACHES = f"{API}/imagecaches"
EVENT_LABEL = "cyroid.io/event"
TRIES = 5
"""Of a patch that others are faster than."""
NOT_INSTALLED = (
    "the custom resources of cyroid-images are not installed in this cluster: helm install, or"
    " kubectl apply --server-side -f crds/"
)

Change = Callable[[ApiObject], Mapping[str, Any] | None]
"""The patch for an object as it was read; None: nothing is to be changed."""


def ranges_path(namespace: str | None) -> str:
    """Of one namespace, or of all."""
    place = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{API}{place}/rangeimages"


def range_path(namespace: str, name: str) -> str:
    return f"{ranges_path(namespace)}/{quote(name, safe='')}"


def cache_path(name: str) -> str:
    return f"{CACHES}/{quote(name, safe='')}"


def selector(scope: ChosenRanges) -> dict[str, str]:
    """The query that chooses the ranges of an event."""
    return {"labelSelector": f"{EVENT_LABEL}={scope.event}"} if scope.event else {}


def read_ranges(api: ApiServer, scope: ChosenRanges) -> list[ApiObject]:
    """The ranges of the scope as the API has them; one that was named and is not there raises
    NotThere."""
    if scope.names:
        return [_one(api, *wanted) for wanted in scope.wanted]
    return listed(api, ranges_path(scope.namespace), selector(scope))[0]


def _one(api: ApiServer, namespace: str, name: str) -> ApiObject:
    try:
        return api.get(range_path(namespace, name))
    except NotThere as exc:
        ensure_installed(api)
        raise NotThere(
            f"there is no RangeImages {name} in namespace {namespace}:"
            " kubectl cyroid status -A shows all"
        ) from exc


def listed(
    api: ApiServer, path: str, query: Mapping[str, str] | None = None
) -> tuple[list[ApiObject], str]:
    """A list of one of our kinds; where the API has none, it says what to do."""
    try:
        return api.list(path, query)
    except NotThere as exc:
        raise NotThere(NOT_INSTALLED) from exc


def ensure_installed(api: ApiServer) -> None:
    """Tell an object that is missing from a kind that is."""
    try:
        api.get(API)
    except NotThere as exc:
        raise NotThere(NOT_INSTALLED) from exc


def read_cache(api: ApiServer, name: str) -> ApiObject:
    """One ImageCache as the API has it."""
    try:
        return api.get(cache_path(name))
    except NotThere as exc:
        ensure_installed(api)
        raise NotThere(
            f"there is no ImageCache {name}: kubectl get imagecaches shows all, --cache chooses one"
        ) from exc


def read_caches(api: ApiServer, name: str | None = None) -> list[ApiObject]:
    """All of them, or the one of this name."""
    return [read_cache(api, name)] if name else listed(api, CACHES)[0]


def change(api: ApiServer, path: str, make: Change) -> ApiObject | None:
    """Read the object, patch it, and begin again where somebody was faster; the object as it is
    then, None where nothing was to be changed."""
    for _ in range(TRIES):
        patch = make(api.get(path))
        if patch is None:
            return None
        try:
            return api.patch(path, patch)
        except StatusConflict:
            continue
    raise CyroidError(f"{path} is changed by others all the time: try again")
