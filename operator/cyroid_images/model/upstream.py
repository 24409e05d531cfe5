"""Registries elsewhere as values: how a host in a reference is dialled, and who sees its tokens."""

from __future__ import annotations

from cyroid_images.model.images.reference import DOCKER_HUB
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

    So `lscr.io`, whose tokens come from `ghcr.io`, works once both are named. Docker Hub
    is never spoken to without TLS, whatever `insecure` says of the hosts beside it.
    """
    name = normal_host(host)
    is_hub = name == DOCKER_HUB
    scheme = "http" if insecure and not is_hub else "https"
    registry = RegistryEndpoint(f"{scheme}://{_HUB_REGISTRY if is_hub else name}", credentials, ca)
    others = {normal_host(other) for other in hosts} - {name}
    tokens = others | {_HUB_TOKENS} if is_hub else others
    return UpstreamEndpoint(name, registry, frozenset(tokens))
