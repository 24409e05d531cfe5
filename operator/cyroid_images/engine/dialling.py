"""How a connection to an engine is made: by its address, checked by its name, cuttable.

Every call opens its own connection, so that a CancelScope cuts exactly what it means to
cut and nothing stays open between two looks.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx

from cyroid_images import sockets
from cyroid_images.engine.tls import context_of
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.model.telemetry.request_observer import RequestObserver, unobserved
from cyroid_images.scheduling.cancel_scope import CancelScope

_UNUSED = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Of connections without TLS: httpx asks for one, and to load the system's CAs takes 20 ms."""


class Dialler:
    """Opens connections to one engine; no I/O before the first one."""

    def __init__(self, endpoint: EngineEndpoint, on_request: RequestObserver = unobserved) -> None:
        self.endpoint = endpoint
        self.on_request = on_request
        self._context: ssl.SSLContext | None = None

    def client(self, read_seconds: float, *, is_probed: bool = False) -> httpx.Client:
        """An HTTP client for this engine, to be closed by `with` (see `sockets.client`).

        Raises TransferError(TLSRejected) when our own TLS files are unusable.
        """
        parts = urlsplit(self.endpoint.url)
        if parts.scheme == "unix":
            return sockets.client(
                "http://engine",
                read_seconds=read_seconds,
                tls=self._tls(),
                unix_socket=parts.path,
                on_request=self.on_request,
            )
        scheme = "https" if self.endpoint.tls else "http"
        return sockets.client(
            f"{scheme}://{parts.netloc}",
            read_seconds=read_seconds,
            tls=self._tls(),
            on_request=self.on_request,
            is_probed=is_probed,
        )

    def extensions(self, cancellation: CancelScope) -> dict[str, Any]:
        """What a request must carry: the cut, and the name that the certificate must have."""
        if self.endpoint.tls is None:
            return sockets.under(cancellation)
        return sockets.under(cancellation, sni_hostname=self.endpoint.tls.server_name)

    def forget(self) -> None:
        """Drop the client key from memory."""
        self._context = None

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            tls = self.endpoint.tls
            self._context = context_of(tls) if tls else _UNUSED
        return self._context
