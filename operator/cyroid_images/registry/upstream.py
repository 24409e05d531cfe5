"""What an upstream may do that our own registry may not."""

from __future__ import annotations

from dataclasses import dataclass, field

from cyroid_images.registry.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class UpstreamRules:
    """It may send readers to other hosts, have tokens given out elsewhere, and be busy.

    Who reads a manifest or a blob is sent on without credentials and a few times at most
    (see `transport.py`); every other redirect stays UntrustedRedirect.
    """

    token_hosts: frozenset[str] = frozenset()
    """Hosts (`auth.docker.io`) that may see the credentials besides the registry's own."""
    retry: RetryPolicy = field(default_factory=RetryPolicy)
