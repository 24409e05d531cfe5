"""What looks need of the Kubernetes API: Secrets by name; wiring fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from cyroid_images.model.engine import ClientTLS
from cyroid_images.model.registry import Credentials


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
