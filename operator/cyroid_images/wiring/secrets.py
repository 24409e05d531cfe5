"""The port Secrets: by name, from the operator's own namespace, read at use."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from cyroid_images.errors import AccessDenied, ApiUnavailable, Reason, TransferError
from cyroid_images.kube import Cluster
from cyroid_images.model.docker_config import credentials_for
from cyroid_images.model.engine import ClientTLS
from cyroid_images.model.registry import Credentials

DOCKER_CONFIG = ".dockerconfigjson"
"""The key of a Secret of type `kubernetes.io/dockerconfigjson`."""
SECRET_SECONDS = 30.0
"""Secrets are read by name, without a watch: a changed one is seen within this time."""


class ClusterSecrets:
    """The port Secrets: by name, from the operator's own namespace, read at use.

    `hide` is told every value that nobody may ever read again.
    """

    def __init__(self, cluster: Cluster, hide: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._hide = hide
        self._read: dict[str, tuple[float, Mapping[str, bytes] | None]] = {}

    def forget(self, name: str) -> None:
        self._read.pop(name, None)

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
        read, data = self._read.get(name, (0.0, None))
        if read and time.monotonic() - read < SECRET_SECONDS:
            return data
        try:
            data = await self._cluster.secret(name)
        except AccessDenied as exc:
            raise TransferError(Reason.RBAC_DENIED, f"Secret {name}: {exc}") from exc
        except ApiUnavailable as exc:
            raise TransferError(Reason.TIMEOUT, f"Secret {name} cannot be read: {exc}") from exc
        self._read[name] = (time.monotonic(), data)
        return data
