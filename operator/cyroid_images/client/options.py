"""How a client connects: patience, retries, and where its token comes from."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cyroid_images.client.errors import Unauthorized

Token = str | Callable[[], str] | None
"""A token, or what gives the one of the moment, asked before each call; None: open calls only."""

SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""Where a pod finds the token of its ServiceAccount, which the kubelet renews."""


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What a caller may choose; all in seconds where nothing else is said."""

    connect: float = 5.0
    """Until a connection is there."""
    total: float = 30.0
    """Until a whole answer is there; without an answer longer than this: Unavailable."""
    silence: float = 60.0
    """How long an event stream or an upload may move nothing at all."""
    patience: float = 300.0
    """How long the API may be away while something is followed; it may be restarted just now."""
    retries: int = 2
    """Further attempts of a call that only reads; one that changes something is never repeated."""
    ca: Path | ssl.SSLContext | None = None
    """Who vouches for https: a file of certificates, or a context; None: the public CAs."""


def token_file(path: Path = SERVICE_ACCOUNT_TOKEN) -> Callable[[], str]:
    """The token in this file as it is at each call; raises OSError where there is none."""
    return lambda: path.read_text(encoding="ascii").strip()


def token_now(token: Token) -> str | None:
    """The token of this moment; raises Unauthorized where there is none, and never repeats it."""
    try:
        text = token() if callable(token) else token
    except OSError as exc:
        raise Unauthorized(
            "the token", f"cannot be read: {exc.strerror or type(exc).__name__}"
        ) from exc
    if text is not None and not re.fullmatch(r"[\x21-\x7e]+", text):
        raise Unauthorized("the token", "is none: it is empty, or holds spaces or line ends")
    return text
