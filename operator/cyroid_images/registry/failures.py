"""The one place where exceptions of httpx and of sockets become ours.

Whether an answer had begun decides: before it, the registry is unreachable; after it, a
stream was interrupted. Our own cut is no outage: the cancellation is asked first.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator

import httpx

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.cancellation import Cancellation
from cyroid_images.registry.answers import clean

_FOREIGN = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, UnicodeError)


@contextlib.contextmanager
def translated(act: str, cancellation: Cancellation, *, answered: bool) -> Iterator[None]:
    """Raises TransferError, or what the cancellation says, for whatever breaks inside."""
    try:
        yield
    except _FOREIGN as exc:
        cancellation.raise_if_cancelled()
        raise failure(act, exc, answered=answered) from exc


def failure(act: str, exc: Exception, *, answered: bool) -> TransferError:
    """The error that a broken connection means; `act` is the first half of its message."""
    if tls := _tls_error(exc):
        return TransferError(Reason.TLS_REJECTED, f"{act}: {_tls_cause(tls)}")
    reason = _reason(exc, answered=answered)
    return TransferError(reason, f"{act}: {_cause(exc)}")


def _reason(exc: Exception, *, answered: bool) -> Reason:
    # We were sending, or the answer had begun: somebody is there, but too slow.
    if isinstance(exc, httpx.WriteTimeout) or (answered and isinstance(exc, httpx.ReadTimeout)):
        return Reason.TIMEOUT
    if isinstance(exc, httpx.WriteError):
        return Reason.TRANSFER_INTERRUPTED
    if isinstance(exc, (httpx.ProtocolError, httpx.UnsupportedProtocol)) and not _was_cut(exc):
        return Reason.PROTOCOL_ERROR
    return Reason.TRANSFER_INTERRUPTED if answered else Reason.REGISTRY_UNREACHABLE


def _was_cut(exc: Exception) -> bool:
    """Did the peer go away (httpcore, h11), or did it talk nonsense? Both are ProtocolError."""
    return "disconnected" in str(exc) or "peer closed connection" in str(exc)


def _cause(exc: Exception) -> str:
    if isinstance(exc, httpx.ConnectTimeout):
        return "no connection in time"
    if isinstance(exc, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(exc, httpx.LocalProtocolError):
        return "the request could not be written"  # the text of h11 repeats header values
    return clean(str(exc)) or type(exc).__name__


def _tls_error(exc: BaseException) -> ssl.SSLError | None:
    """httpx names its cause, httpcore only leaves the ssl error as context: follow both."""
    seen: BaseException | None = exc
    for _ in range(8):
        # A connection that ends without a TLS goodbye was cut; nobody refused anything.
        if seen is None or isinstance(seen, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return None
        if isinstance(seen, ssl.SSLError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None


def _tls_cause(exc: ssl.SSLError) -> str:
    """Who refuses whom, and why."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"the operator refuses the registry's certificate: {clean(exc.verify_message)}"
    if exc.reason == "WRONG_VERSION_NUMBER":
        return "the operator speaks TLS as its URL says, the registry does not"
    if "ALERT" in (exc.reason or ""):
        return f"the registry refuses the operator: {clean(exc.reason)}"
    return f"the operator cannot speak TLS with the registry: {clean(str(exc.reason or exc))}"
