"""What a request is called in a label: a few fixed words, whatever stood in its path.

Sources: the OCI distribution-spec, the Docker Engine API, and the paths of the Kubernetes
API. Names of images, objects and namespaces never get into a word.
"""

from __future__ import annotations

import re

OTHER = "other"
NO_ANSWER = "none"
"""The code of a request that nobody answered."""

_REGISTRY = (
    (re.compile(r"^/v2/?$"), "ping"),
    (re.compile(r"^/v2/.+/manifests/[^/]+$"), "manifest"),
    (re.compile(r"^/v2/.+/blobs/uploads/"), "upload"),
    (re.compile(r"^/v2/.+/blobs/[^/]+$"), "blob"),
    (re.compile(r"^/v2/.+/tags/list$"), "tags"),
)
_REGISTRY_VERBS = {"GET": "get", "HEAD": "look", "PUT": "put", "DELETE": "delete"}
_ENGINE = (
    (re.compile(r"^/version$|/version$"), "version"),
    (re.compile(r"/info$"), "info"),
    (re.compile(r"/images/json$"), "list"),
    (re.compile(r"/events$"), "events"),
    (re.compile(r"/images/create$"), "pull"),
    (re.compile(r"/images/load$"), "load"),
    (re.compile(r"/distribution/.+/json$"), "preflight"),
    (re.compile(r"/images/.+/json$"), "inspect"),
    (re.compile(r"/images/.+/push$"), "push"),
    (re.compile(r"/images/.+/get$"), "save"),
    (re.compile(r"/images/.+/tag$"), "tag"),
)
_KUBE = re.compile(r"^/api(?:s/[^/]+)?/[^/]+(?:/namespaces/[^/]+(?=/[^/]))?/(?P<rest>.+)$")
_KUBE_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def registry_operation(method: str, path: str) -> str:
    """`ping`, `get-manifest`, `look-blob`, `upload`, ...; a token server is `other`."""
    for pattern, name in _REGISTRY:
        if pattern.search(path):
            plain = name in ("ping", "upload", "tags")
            return name if plain else f"{_REGISTRY_VERBS.get(method, OTHER)}-{name}"
    return OTHER


def engine_operation(method: str, path: str) -> str:
    """`info`, `list`, `pull`, `load`, ...; taking a name away is `untag`."""
    if method == "DELETE":
        return "untag"
    return next((name for pattern, name in _ENGINE if pattern.search(path)), OTHER)


def kube_request(method: str, path: str) -> tuple[str, str]:
    """Verb and resource as RBAC calls them: `("patch", "rangeimages/status")`."""
    found = _KUBE.match(path)
    if found is None:
        return method.lower(), OTHER
    resource, *more = found["rest"].split("/")
    resource = "/".join([resource, *more[1:2]])
    return _KUBE_VERBS.get(method, "get" if more else "list"), resource


def host_of(address: str) -> str:
    """`host[:port]` as an HTTP client spells it: lower case, without a usual port."""
    return address.lower().removesuffix(":443").removesuffix(":80")


def code_of(code: int | None) -> str:
    """The status of an answer as a label."""
    return NO_ANSWER if code is None else str(code)
