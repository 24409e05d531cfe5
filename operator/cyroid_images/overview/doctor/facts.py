"""What the doctor reads of a cluster, and what was found there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages

OPERATOR = "app.kubernetes.io/name=cyroid-images,app.kubernetes.io/component=operator"
"""Label selector of the operator's Deployment and pods."""
LEASE = "cyroid-operator"
"""Name of the operator's Lease, in its own namespace."""
CLIENT_SECRET = "cyroid-docker-client"  # noqa: S105 - the name of a Secret
"""The operator's client certificate for engines, where the chart puts it."""
MOST = 1000
"""Objects of one look; what lies beyond is not judged."""


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Something that could not be read."""

    why: str
    right: str
    """Which right it needs, such as `list leases in namespace cyroid`."""
    is_denied: bool
    """The API server refused (401, 403); else it could not be asked, or said no sense."""


@dataclass(frozen=True, slots=True)
class WantedLook:
    """One GET of the Kubernetes API that the doctor wants."""

    name: str
    path: str
    query: Mapping[str, str]
    right: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """When one certificate of a Secret expires."""

    secret: str
    key: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found. An answer is the body that the API gave, None where it said 404."""

    now: datetime
    version: str
    """Of the tool that asks, such as `0.1.0`."""
    namespace: str
    """Where the operator lives, or is thought to."""
    caches: Sequence[ImageCache] | NotSeen | None
    ranges: Sequence[RangeImages] | NotSeen | None
    """None: the kind is not installed."""
    certificates: Sequence[Certificate | NotSeen] = ()
    answers: Mapping[str, Mapping[str, Any] | NotSeen | None] = field(default_factory=dict)
    """By the name of the look."""

    def answer(self, name: str) -> Mapping[str, Any] | NotSeen | None:
        """What a look brought; one that was never made is not seen."""
        return self.answers.get(name, NotSeen("it was not looked at", "look", is_denied=False))

    def items(self, name: str) -> Sequence[Mapping[str, Any]] | NotSeen:
        """The objects of a list; none where the API does not know the kind."""
        found = self.answer(name)
        if isinstance(found, NotSeen):
            return found
        return list((found or {}).get("items") or ())


def looks(namespace: str) -> tuple[WantedLook, ...]:
    """What to read beside both kinds, where the operator lives in this namespace."""
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    inside = f"in namespace {namespace}"
    few = {"limit": str(MOST)}
    return (
        WantedLook("kinds", "/apis/cyroid.io/v1alpha1", {}, "discover the API"),
        WantedLook("schemas", "/openapi/v3/apis/cyroid.io/v1alpha1", {}, "read /openapi/v3"),
        WantedLook(
            "lease",
            f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{LEASE}",
            {},
            f"get leases {inside}",
        ),
        WantedLook(
            "deployments",
            f"{apps}/deployments",
            {"labelSelector": OPERATOR},
            f"list deployments {inside}",
        ),
        WantedLook(
            "policies",
            f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies",
            few,
            f"list networkpolicies {inside}",
        ),
        WantedLook("namespaces", "/api/v1/namespaces", few, "list namespaces"),
        WantedLook(
            "pods",
            "/api/v1/pods",
            {"labelSelector": "cyroid.io/component=dind", **few},
            "list pods in all namespaces",
        ),
    )


def secrets_of(caches: Sequence[ImageCache]) -> tuple[str, ...]:
    """Names of the Secrets that may hold certificates, in the operator's namespace."""
    names = [CLIENT_SECRET]
    for cache in caches:
        if cache.spec.registry.ca_secret_ref is not None:
            names.append(cache.spec.registry.ca_secret_ref.name)
        for source in cache.spec.sources:
            if source.engine is not None and source.engine.tls is not None:
                names.append(source.engine.tls.secret_ref.name)
            if source.upstream is not None and source.upstream.ca_secret_ref is not None:
                names.append(source.upstream.ca_secret_ref.name)
    return tuple(dict.fromkeys(names))
