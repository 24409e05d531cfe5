"""What the loop asks of the outside, as narrow as its need; wiring.py fills these in.

`Engines`, `Registries` and `Movers` are blocking and run in the pools; `Cluster` is
async. Everything they raise is a TransferError (or Cancelled); `Cluster` raises the
errors of its own that are named there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from cyroid_images.model.actions import Copy, Load, Pull, Push, Untag
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.engine import ClientTLS, EngineEndpoint, EngineView
from cyroid_images.model.event import EventNote
from cyroid_images.model.knowledge import Held, HeldByUpstream, Place, Stored, UpstreamAsk, Wanted
from cyroid_images.model.progress import Observer
from cyroid_images.model.pushed import Pushed
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.reconcile.keys import Key, Kind
from cyroid_images.scheduling.cancel_scope import CancelScope as Cancellation


class Clock(Protocol):
    """The time of day (UTC), for status; durations are measured by the event loop."""

    def now(self) -> datetime: ...

    def spread(self) -> float:
        """A number from -1 to 1 that keeps retries of many objects apart."""
        ...


class Engines(Protocol):
    """Looks at Docker engines."""

    def look(self, endpoint: EngineEndpoint) -> EngineView:
        """One image list, and inspect of what is new: who is there and what it holds."""
        ...


class Archives(Protocol):
    """Looks into the operator's archive volume."""

    def look(self, path: str) -> ArchiveView:
        """Every image of the archives at this path; raises why there is no such path."""
        ...


class Upstreams(Protocol):
    """Looks at registries elsewhere."""

    def find(self, ask: UpstreamAsk) -> HeldByUpstream | None:
        """The image, or None when it is not there; raises why that cannot be told."""
        ...


class Registries(Protocol):
    """Looks at our registry."""

    def ping(self, endpoint: RegistryEndpoint) -> None:
        """Raises why it does not answer or does not let us in."""
        ...

    def find(self, endpoint: RegistryEndpoint, place: Place, wanted: Wanted) -> Stored | None:
        """The wanted content at this place of the registry; None when it is not there."""
        ...

    def holds(self, endpoint: RegistryEndpoint, stored: Stored, tag: str) -> Held:
        """Is what was stored still there, under its tag? One HEAD where both are so."""
        ...


class Movers(Protocol):
    """Moves images; each ends in a proof or raises."""

    def push(self, action: Push, cancellation: Cancellation, observer: Observer) -> Pushed: ...

    def copy(self, action: Copy, cancellation: Cancellation, observer: Observer) -> Stored: ...

    def pull(
        self, action: Pull, stall_seconds: float, cancellation: Cancellation, observer: Observer
    ) -> None: ...

    def load(
        self, action: Load, stall_seconds: float, cancellation: Cancellation, observer: Observer
    ) -> None: ...

    def untag(self, action: Untag) -> None: ...


class Secrets(Protocol):
    """Reads Secrets of the operator's own namespace; raises TransferError(SecretMissing)."""

    def forget(self, name: str) -> None:
        """Read it anew the next time, however fresh what was read is."""
        ...

    async def credentials(self, name: str) -> Credentials: ...

    async def upstream_credentials(
        self, name: str, hosts: frozenset[str]
    ) -> Mapping[str, Credentials]:
        """By host; raises SecretHostMismatch where one password would be for several hosts."""
        ...

    async def authority(self, name: str) -> str: ...

    async def client_tls(self, name: str, server_name: str) -> ClientTLS: ...


class Cluster(Protocol):
    """Reads and reports to the Kubernetes API."""

    async def list(self, kind: Kind) -> list[Mapping[str, Any]]: ...

    async def apply_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> str | None:
        """The new resourceVersion; None when the object is gone. Raises StatusConflict."""
        ...

    async def set_pod_condition(
        self, namespace: str, name: str, uid: str, condition: Mapping[str, Any]
    ) -> None:
        """Set one condition of exactly this pod; one that is gone is fine."""
        ...

    async def emit(self, note: EventNote) -> None: ...
