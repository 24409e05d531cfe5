"""What both HTTP leaves share: httpx clients whose sockets a CancelScope can cut, and trust.

httpx tells of each new connection through its `trace` extension, before any request
bytes are sent on it. That is the moment to put the socket under the scope: a slow
first byte or an upload has no response yet that could be closed. To cut is to *shut the
socket down*; closing a response from another thread leaves the read blocked until its
time-out (tried with httpx 0.28).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx

from cyroid_images.model.telemetry.request_observer import RequestDone, RequestObserver, unobserved
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.scheduling.computing import aside, step_aside, step_back

_CONNECTED = (
    "connection.connect_tcp.complete",
    "connection.connect_unix_socket.complete",
    "connection.start_tls.complete",
)
_WAITS = frozenset(
    [
        "connection.connect_tcp",
        "connection.connect_unix_socket",
        "connection.start_tls",
        "http11.receive_response_headers",
        "http11.receive_response_body",
    ]
)
"""Stages of a request (httpcore) in which we wait for the other side. Short requests go into
the socket's buffer at once."""

CONNECT_SECONDS = 5.0
"""A connect inside a cluster takes milliseconds; after 5 s nobody will answer."""

_PROBES = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
]
"""For who may rightly be silent for minutes: one that is gone is noticed within one."""


def client(  # noqa: PLR0913 - no two of them belong together
    base_url: str,
    *,
    read_seconds: float | None = None,
    tls: ssl.SSLContext | None = None,
    unix_socket: str | None = None,
    on_request: RequestObserver = unobserved,
    is_probed: bool = False,
) -> httpx.Client:
    """A client that follows no redirect and trusts no environment variable.

    `trust_env=False` also matters for TLS: with it, SSL_CERT_FILE would replace the CA.
    Without `read_seconds` only the scope of a request ends it. `is_probed`: the kernel asks a
    silent TCP peer whether it is there.
    """
    transport = httpx.HTTPTransport(
        verify=tls or trusting(None),
        trust_env=False,
        uds=unix_socket,
        socket_options=_PROBES if is_probed and unix_socket is None else None,
    )
    timeout = httpx.Timeout(read_seconds, connect=CONNECT_SECONDS)
    return httpx.Client(
        base_url=base_url,
        transport=_Observed(transport, on_request),
        timeout=timeout,
        trust_env=False,
        follow_redirects=False,
    )


def trusting(ca: str | None) -> ssl.SSLContext:
    """Trust in this CA alone (PEM), or in those of the system; raises ValueError or OSError.

    For registries and engines alike, and the same on every Python.
    """
    return lenient(ssl.create_default_context(cadata=ca))


def lenient(context: ssl.SSLContext) -> ssl.SSLContext:
    """The same context, as strict as docker and no stricter.

    Python 3.13 turns on RFC 5280's strictness, which refuses what plain `openssl req -x509`
    makes (no key usage, no key identifier), and takes a CA that is not self-signed.
    """
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    return context


class _Observed(httpx.BaseTransport):
    """Tells of each request, also of one that came to nothing."""

    def __init__(self, inner: httpx.BaseTransport, on_request: RequestObserver) -> None:
        self._inner = inner
        self._on_request = on_request

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        began, code = time.monotonic(), None
        try:
            response = self._inner.handle_request(request)
            code = response.status_code
            return response
        finally:
            url, spent = request.url, time.monotonic() - began
            host = url.netloc.decode("ascii", "replace")
            self._on_request(RequestDone(host, request.method, url.path, code, spent))

    def close(self) -> None:
        self._inner.close()


def under(scope: CancelScope, **extensions: Any) -> dict[str, Any]:
    """The httpx `extensions` of a request whose sockets the scope may cut.

    A thread that waits for the other side lets another compute meanwhile.
    """

    def trace(event: str, info: dict[str, Any]) -> None:
        if event in _CONNECTED:
            connection = info["return_value"].get_extra_info("socket")
            scope.attach(cut_of(connection))
        stage, _, step = event.rpartition(".")
        if stage in _WAITS:  # last: what is new can be cut already while its turn is waited for
            (step_aside if step == "started" else step_back)()

    return {"trace": trace, **extensions}


def addresses_of(host: str, port: int) -> list[str]:
    """Where a name leads now; nowhere where it does not resolve: the connect will say so."""
    try:
        with aside():
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(address[0]) for *_, address in found]


def cut_of(connection: socket.socket) -> Callable[[], None]:
    """Shuts this socket down; harmless on one that is closed."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            # Not `connection.shutdown`: for TLS that drops the session under a reading thread.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)

    return cut
