"""A pod as far as it matters to us: is it a target, where does its engine listen, is it new?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COMPONENT_LABEL = "cyroid.io/component"
COMPONENT = "dind"
"""Without this label no pod is a target, whatever a selector says."""
READINESS_GATE = "cyroid.io/images-ready"
"""The pod condition that a pod may list as a readiness gate, and that we then write."""


@dataclass(frozen=True, slots=True)
class Pod:
    """Two equal values mean: nothing changed that we care about."""

    uid: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    address: str
    """The pod IP; empty until the pod has one."""
    host_network: bool
    leaving: bool
    """Deleted, finished or failed: never a target again."""
    running: tuple[str, ...]
    """The IDs of the containers that run: another ID is a restarted engine."""
    waits_for_images: bool = False
    """Does it list our readiness gate?"""
    gate: str | None = field(default=None, compare=False)
    """What our condition says in it: True, False or Unknown; None while it has none. We write
    it ourselves, so a change of it is no news."""
    ready: bool = False
    """Does the pod's condition Ready say True? The node controller takes it away when a node
    is lost, long before an engine would be missed."""
    created: str = ""
    """The moment in RFC 3339, as the API tells it: text that sorts by time."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Pod:
        """Read what the API server tells; absent parts are empty."""
        metadata, spec = body["metadata"], body.get("spec") or {}
        status = body.get("status") or {}
        containers = status.get("containerStatuses") or []
        over = status.get("phase") in ("Succeeded", "Failed")
        return cls(
            created=metadata.get("creationTimestamp") or "",
            uid=metadata["uid"],
            namespace=metadata["namespace"],
            name=metadata["name"],
            labels=dict(metadata.get("labels") or {}),
            address=status.get("podIP") or "",
            host_network=bool(spec.get("hostNetwork")),
            leaving=bool(metadata.get("deletionTimestamp")) or over,
            running=tuple(
                sorted(
                    str(item.get("containerID", item.get("name")))
                    for item in containers
                    if (item.get("state") or {}).get("running") is not None
                )
            ),
            waits_for_images=any(
                gate.get("conditionType") == READINESS_GATE
                for gate in spec.get("readinessGates") or []
            ),
            gate=_condition(status, READINESS_GATE),
            ready=_condition(status, "Ready") == "True",
        )

    @property
    def is_engine(self) -> bool:
        """May an engine of this pod be a target at all? Never one on the node's own network."""
        return (
            self.labels.get(COMPONENT_LABEL) == COMPONENT
            and not self.host_network
            and not self.leaving
        )


def _condition(status: Mapping[str, Any], kind: str) -> str | None:
    """What the condition of this type says; None while there is none."""
    conditions = status.get("conditions") or []
    return next((each["status"] for each in conditions if each["type"] == kind), None)
