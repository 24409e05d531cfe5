"""A registry as a value: where it listens and with which credentials; never printed whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password for exactly one host."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RegistryEndpoint:
    """The listener that the operator uses: `http(s)://host[:port]`, credentials, CA (PEM)."""

    url: str
    credentials: Credentials | None = None
    ca: str | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """host[:port], as it stands before a repository in an image name."""
        return urlsplit(self.url).netloc

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class UpstreamEndpoint:
    """A registry elsewhere: whose names it serves, where it listens, who else sees its tokens."""

    host: str
    """As it stands in references: `docker.io`, `ghcr.io`, `10.0.0.1:5000`."""
    registry: RegistryEndpoint
    token_hosts: frozenset[str] = frozenset()
    """Hosts that may be sent the credentials in exchange for a token."""
