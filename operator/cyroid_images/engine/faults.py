"""Maps a failed connection to an engine to a reason, and says which side refused.

httpx and ssl wrap each other by `__cause__` and by `__context__`; the deepest ssl or
socket error tells the truth. A refused client certificate shows up as a read error under
TLS 1.3 (after our handshake) and as a connect error under TLS 1.2.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import docker.errors
import httpx
import requests

from cyroid_images.engine.classify import clean
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.scheduling.cancel_scope import CancelScope

_FOREIGN = (
    httpx.HTTPError,
    httpx.StreamError,
    httpx.InvalidURL,
    requests.RequestException,
    docker.errors.DockerException,
    OSError,
    UnicodeError,
)
"""Everything that the libraries below us raise when a connection does not do its work."""

_OF_NAME, _OF_TIME = {62, 63, 64}, {9, 10}
"""OpenSSL verify codes: X509_V_ERR_*_MISMATCH; CERT_NOT_YET_VALID and CERT_HAS_EXPIRED."""

_NO_TLS_THERE = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}


@dataclass(slots=True)
class Phase:
    """Whether the engine has begun to do what was asked: from then on a break is a cut stream."""

    begun: bool = False


@contextlib.contextmanager
def told(
    endpoint: EngineEndpoint, cancellation: CancelScope, phase: Phase | None = None
) -> Iterator[None]:
    """Let no foreign exception out, and blame our own cut on whoever made it."""
    try:
        yield
    except TransferError:
        cancellation.raise_if_cancelled()
        raise
    except _FOREIGN as exc:
        cancellation.raise_if_cancelled()
        raise fault(exc, endpoint, begun=bool(phase and phase.begun)) from exc


def fault(exc: BaseException, endpoint: EngineEndpoint, *, begun: bool) -> TransferError:
    """What this exception of a connection to the engine means."""
    chain = tuple(_chain(exc))
    for link in chain:
        if isinstance(link, ssl.SSLError) and (cause := _tls_cause(link, endpoint)):
            return TransferError(Reason.TLS_REJECTED, f"TLS with {endpoint}: {cause}")
    reason, said = _meaning(exc, endpoint, begun=begun)
    return TransferError(reason, f"{said}: {_words(chain)}")


def _meaning(exc: BaseException, endpoint: EngineEndpoint, *, begun: bool) -> tuple[Reason, str]:
    """The reason, and what became of the connection: most certain first."""
    broken = Reason.TRANSFER_INTERRUPTED if begun else Reason.ENGINE_UNREACHABLE
    match exc:
        case httpx.ConnectTimeout() | httpx.ConnectError():
            return Reason.ENGINE_UNREACHABLE, f"cannot connect to {endpoint}"
        case httpx.TimeoutException():
            reason = Reason.TIMEOUT if begun else broken
            return reason, f"no data from {endpoint} in time"
        case httpx.RemoteProtocolError() if not _is_cut(exc):
            return Reason.PROTOCOL_ERROR, f"{endpoint}: response is not HTTP"
        case requests.RequestException():  # an OSError too, but it tells of bad JSON
            return Reason.PROTOCOL_ERROR, f"{endpoint}: response is not JSON"
        case httpx.NetworkError() | httpx.RemoteProtocolError() | OSError():
            return broken, f"connection to {endpoint} lost"
        case _:
            return Reason.PROTOCOL_ERROR, f"{endpoint}: unexpected error"


def _is_cut(exc: httpx.RemoteProtocolError) -> bool:
    """h11 calls an early end and nonsense by one class; only the words differ."""
    return any(words in str(exc) for words in ("disconnected", "peer closed", "incomplete"))


def _tls_cause(error: ssl.SSLError, endpoint: EngineEndpoint) -> str | None:
    """Which side refused, and why, in one of five sentences; None if the connection just broke."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _refused_by_us(error, endpoint)
    alert = error.reason or ""
    if alert in _NO_TLS_THERE:
        return "the engine does not speak TLS on this port; is it the port without TLS?"
    if "ALERT" in alert and ("CERTIFICATE" in alert or "UNKNOWN_CA" in alert):
        return f"the engine rejects the operator's client certificate ({alert})"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return None
    return f"handshake failed ({alert or clean(str(error))})"


def _refused_by_us(error: ssl.SSLCertVerificationError, endpoint: EngineEndpoint) -> str:
    cause = clean(error.verify_message)
    name = endpoint.tls.server_name if endpoint.tls else ""
    if error.verify_code in _OF_NAME:
        return f"engine certificate is not for {name!r} ({cause})"
    if error.verify_code in _OF_TIME:
        return f"engine certificate is expired or not yet valid ({cause})"
    return f"engine certificate is not signed by the given CA ({cause})"


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    """The exception and what it came from, at most 16 links."""
    for _ in range(16):
        if exc is None:
            return
        yield exc
        exc = exc.__cause__ or exc.__context__


def _words(chain: tuple[BaseException, ...]) -> str:
    """The system's own words where there are some, else the library's."""
    for link in reversed(chain):
        if isinstance(link, OSError) and link.strerror:
            return clean(link.strerror[:1].lower() + link.strerror[1:])
    return clean(str(chain[0])) or type(chain[0]).__name__
