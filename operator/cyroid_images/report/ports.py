"""What reports ask of the Kubernetes API; wiring fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Route
from cyroid_images.store.keys import Key


class StatusAPI(Protocol):
    """Writes what we own of other objects."""

    async def apply_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> str | None:
        """The new resourceVersion; None when the object is gone. Raises StatusConflict,
        StatusRejected, ApiUnavailable."""
        ...

    async def set_pod_condition(
        self, namespace: str, name: str, uid: str, condition: Mapping[str, Any]
    ) -> None:
        """Set one condition of exactly this pod; one that is gone is fine."""
        ...


class Recorder(Protocol):
    """Takes events on objects; returns at once and never raises."""

    def record(self, key: Key, uid: str, reason: Reason, message: str, *, about: str) -> None:
        """`about` tells events of one reason apart: a digest, a pod, a host."""
        ...

    def delivered(  # noqa: PLR0913 - the words of one delivery
        self, key: Key, uid: str, *, image: str, pod: str, route: Route, why: str = ""
    ) -> None:
        """An image is in a target; several become one event."""
        ...

    def forget(self, key: Key) -> None:
        """The object is gone."""
        ...
