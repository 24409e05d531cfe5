"""A Lease as the API has it: its body, read and written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cyroid_images.errors import ApiUnavailable
from cyroid_images.kube.resources import RESOURCES
from cyroid_images.model.lease import Lease

NAME = "cyroid-operator"
"""Of the one Lease, in the operator's own namespace."""


def read_lease(body: Mapping[str, Any]) -> Lease:
    """What a Lease says; absent parts are empty. Raises ApiUnavailable for what is none."""
    try:
        metadata, spec = body["metadata"], body.get("spec") or {}
        return Lease(
            holder=spec.get("holderIdentity") or "",
            seconds=int(spec.get("leaseDurationSeconds") or 0),
            renewed=spec.get("renewTime") or "",
            transitions=int(spec.get("leaseTransitions") or 0),
            version=metadata["resourceVersion"],
            uid=metadata["uid"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise ApiUnavailable("get Lease: the response is not a Lease") from exc


def lease_body(lease: Lease, namespace: str, now: datetime) -> dict[str, Any]:
    """The body of a write; with a version it replaces exactly that one."""
    moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    version = {"resourceVersion": lease.version} if lease.version else {}
    return {
        "apiVersion": RESOURCES["Lease"].api_version,
        "kind": "Lease",
        "metadata": {"name": NAME, "namespace": namespace, **version},
        "spec": {
            "holderIdentity": lease.holder,
            "leaseDurationSeconds": max(1, lease.seconds),
            "leaseTransitions": lease.transitions,
            "acquireTime": moment,
            "renewTime": moment,
        },
    }
