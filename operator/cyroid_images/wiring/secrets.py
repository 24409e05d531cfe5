"""The port Secrets: by name, from the operator's own namespace, read at use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from cyroid_images.errors import AccessDenied, ApiUnavailable, Reason, TransferError
from cyroid_images.model.docker_config import credentials_for
from cyroid_images.model.engine import ClientTLS
from cyroid_images.model.registry import Credentials
from cyroid_images.wiring.secret_reader import SecretReader

DOCKER_CONFIG = ".dockerconfigjson"
"""The key of a Secret of type `kubernetes.io/dockerconfigjson`."""


class SecretSource(Protocol):
    """Where Secrets are: the Kubernetes API."""

    async def secret(self, name: str) -> Mapping[str, bytes] | None:
        """Of the operator's own namespace; None only if absent. Raises ApiUnavailable."""
        ...


class ClusterSecrets:
    """The port Secrets: by name, from the operator's own namespace, read at use.

    `hide` is told every value that nobody may ever read again.
    """

    def __init__(self, cluster: SecretSource, hide: Callable[[str], None]) -> None:
        self._reader = SecretReader(cluster.secret)
        self._hide = hide

    def forget(self, name: str) -> None:
        self._reader.refused(name)

    async def credentials(self, name: str) -> Credentials:
        username, password = await self._keys(name, "username", "password")
        return self._hidden(Credentials(username, password))

    async def upstream_credentials(
        self, name: str, hosts: frozenset[str]
    ) -> Mapping[str, Credentials]:
        """By host; a docker config says of each host whether it has any.

        A name and a password are for one host: of several it is not told for which.
        """
        data = await self._secret(name)
        if data is not None and DOCKER_CONFIG in data:
            found = {host: credentials_for(host, data[DOCKER_CONFIG]) for host in hosts}
            return {host: self._hidden(each) for host, each in found.items() if each}
        if data is not None and len(hosts) > 1:  # one that is not there is told as missing
            raise TransferError(
                Reason.SECRET_HOST_MISMATCH,
                f"Secret {name} holds one password, and the source names {len(hosts)} hosts:"
                " give each host a source of its own, or use a dockerconfigjson Secret",
            )
        return {host: await self.credentials(name) for host in hosts}

    async def authority(self, name: str) -> str:
        (ca,) = await self._keys(name, "ca.crt")
        return ca

    async def client_tls(self, name: str, server_name: str) -> ClientTLS:
        ca, certificate, key = await self._keys(name, "ca.crt", "tls.crt", "tls.key")
        self._hide(key)
        return ClientTLS(ca, certificate, key, server_name)

    def _hidden(self, credentials: Credentials) -> Credentials:
        self._hide(credentials.password)
        self._hide(f"{credentials.username}:{credentials.password}")  # the form of a header
        return credentials

    async def _keys(self, name: str, *keys: str) -> list[str]:
        data = await self._secret(name)
        if data is None:
            raise TransferError(
                Reason.SECRET_MISSING, f"there is no Secret {name} in the operator's namespace"
            )
        missing = [key for key in keys if key not in data]
        if missing:
            raise TransferError(
                Reason.SECRET_MISSING, f"Secret {name} lacks the key {', '.join(missing)}"
            )
        return [data[key].decode("utf-8", "replace") for key in keys]

    async def _secret(self, name: str) -> Mapping[str, bytes] | None:
        try:
            return await self._reader.read(name)
        except AccessDenied as exc:
            raise TransferError(Reason.RBAC_DENIED, f"cannot read Secret {name}: {exc}") from exc
        except ApiUnavailable as exc:
            raise TransferError(
                Reason.SECRET_UNREADABLE, f"cannot read Secret {name}: {exc}; will retry"
            ) from exc
