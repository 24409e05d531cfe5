"""Our side of TLS with an engine: its CA and our client certificate, from PEM texts."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import ClientTLS


def context_of(tls: ClientTLS) -> ssl.SSLContext:
    """A context that trusts only the given CA and shows the given client certificate.

    Raises TransferError(TLSRejected) when the texts are no PEM or do not belong together.
    """
    try:
        context = sockets.trusting(tls.ca)
        _show(context, tls)
    except (ssl.SSLError, ValueError, OSError) as exc:
        raise TransferError(
            Reason.TLS_REJECTED,
            "cannot load the client TLS files: ca, certificate or key is not PEM,"
            f" or the key does not match the certificate ({_cause(exc)})",
        ) from exc
    return context


def _show(context: ssl.SSLContext, tls: ClientTLS) -> None:
    """Load the client certificate; `ssl` takes it only from files, so one lives for a moment."""
    with tempfile.TemporaryDirectory(prefix="cyroid-tls-") as folder:
        pem = Path(folder, "client.pem")
        pem.touch(mode=0o600)
        pem.write_text(f"{tls.certificate}\n{tls.key}\n", encoding="ascii")
        context.load_cert_chain(pem)


def _cause(exc: Exception) -> str:
    return str(getattr(exc, "reason", None) or type(exc).__name__)
