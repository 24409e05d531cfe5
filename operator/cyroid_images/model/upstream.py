"""Registries elsewhere as values: how a host in a reference is dialled, and who sees its tokens."""

from __future__ import annotations

from cyroid_images.model.reference import DOCKER_HUB
from cyroid_images.model.registry import Credentials, RegistryEndpoint, UpstreamEndpoint

_HUB_HOSTS = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_HUB_REGISTRY = "registry-1.docker.io"
"""`docker.io` is a name in references only; its API is served here (moby, registry/config.go)."""
_HUB_TOKENS = "auth.docker.io"


def normal_host(host: str) -> str:
    """The host as references carry it: lower case, and one spelling of Docker Hub."""
    lower = host.lower()
    return DOCKER_HUB if lower in _HUB_HOSTS else lower


def upstream_endpoint(
    host: str,
    hosts: frozenset[str],
    *,
    credentials: Credentials | None = None,
    ca: str | None = None,
    insecure: bool = False,
) -> UpstreamEndpoint:
    """Where a host listens; the other `hosts` of its source may give its tokens.

    So `lscr.io`, whose tokens come from `ghcr.io`, works once both are named.
    """
    dialled = _HUB_REGISTRY if host == DOCKER_HUB else host
    registry = RegistryEndpoint(f"{'http' if insecure else 'https'}://{dialled}", credentials, ca)
    others = hosts - {host}
    tokens = others | {_HUB_TOKENS} if host == DOCKER_HUB else others
    return UpstreamEndpoint(host, registry, frozenset(tokens))
