"""What a refusal and a broken connection mean: each becomes one TransferError.

The registry's own code decides before the status does, since proxies and registries disagree
about statuses but not about codes. Source of the codes: OCI distribution-spec, "Error
Codes"; what distribution 2.8 really answers (405 in plain text on a read-only listener, 500
with the reason in `detail` on a full disk) was seen on the real one, and the component
tests show it.

Of a connection that broke, whether a response had begun decides: before it, the registry is
unreachable; after it, a stream was interrupted. Our own cut is no outage: the scope is
asked first.
"""

from __future__ import annotations

import contextlib
import errno
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

import httpx

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.text import clean_message
from cyroid_images.scheduling.cancel_scope import CancelScope

LONGEST_WORDS = 256
"""Characters of a foreign text that go into a message; whoever shows it cuts it again."""

LONGEST_PAUSE = 86_400.0
"""Seconds; a Retry-After of more than a day is taken as a day."""

_ERRNO = re.compile(r'"err": ?([0-9]{1,3})\b', re.ASCII)
"""distribution's file system driver answers `{"Enclosed": {"Op": "write", "Err": 28}}` where
it opens an upload, and words where it writes one (2.8.2)."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_WORDS = ("no space left", "disk quota exceeded")

_FOREIGN = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, UnicodeError)
"""Everything that the libraries below us raise when a connection does not do its work."""

_WRITE_CODES = {
    "DIGEST_INVALID": Reason.DIGEST_MISMATCH,
    "MANIFEST_BLOB_UNKNOWN": Reason.BLOB_MISSING,
    "BLOB_UNKNOWN": Reason.BLOB_MISSING,
}


class RequestKind(Enum):
    """What was being done; some answers mean different things to each."""

    READ = "read"
    WRITE = "write"
    RESUME = "resume"
    """Going on with an upload that this registry opened a moment ago."""
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class RegistryResponse:
    """A whole response, its body bounded."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are compared without case (httpx.Headers)."""
    body: bytes = field(default=b"", repr=False)


def refusal(act: str, response: RegistryResponse, kind: RequestKind) -> TransferError:
    """The error that this response means; `act` is the first half of its message."""
    text = response.body.decode("utf-8", "replace")
    reason = _refusal_reason(response, text, kind)
    cause = _refusal_cause(reason, response)
    # "At once", and a date that is over by our clock, are no pause: then ours count, which grow.
    return TransferError(reason, f"{act}: {cause}", retry_after=pause_of(response) or None)


def is_foreign(response: RegistryResponse) -> bool:
    """Is this the word of a proxy or of a web server, which knows nothing of what we ask?

    An empty 404 is a registry's: the specification asks for no body.
    """
    if "docker-distribution-api-version" in response.headers:
        return False
    if "text/html" in response.headers.get("content-type", "").lower():
        return response.status in (200, 404)
    text = response.body.decode("utf-8", "replace")
    return response.status == 404 and bool(text.strip()) and not _errors(text)


def words_of(response: RegistryResponse) -> str:
    """Status and text of a response: the registry's own words, else the start of its body."""
    text = response.body.decode("utf-8", "replace")
    said = clean("; ".join(_words(error) for error in _errors(text)) or text)
    return f"{response.status} {said}" if said else f"{response.status} with an empty body"


def clean(text: str) -> str:
    """A foreign text on one line, printable and short enough for a message."""
    return clean_message(text, LONGEST_WORDS)


def pause_of(response: RegistryResponse) -> float | None:
    """Seconds to wait as Retry-After says, at most LONGEST_PAUSE; None: it says nothing."""
    return _pause(response, datetime.now(UTC))


def _refusal_reason(response: RegistryResponse, text: str, kind: RequestKind) -> Reason:
    """The first rung that fits, most certain first."""
    codes = _codes(text)
    lower = text.lower()
    # A redirect is never followed by us where this is asked, whatever its body says.
    if 300 <= response.status < 400:
        return Reason.UNTRUSTED_REDIRECT
    # Some registries say it with a 403 or a 503.
    if response.status == 429 or "TOOMANYREQUESTS" in codes:
        return Reason.RATE_LIMITED
    if response.status in (401, 403):
        return Reason.UNAUTHORIZED
    if response.status >= 500:
        return _server_reason(response.status, lower, kind)
    # Go's TLS server says this in plain text to whoever comes without TLS.
    if response.status == 400 and "http request to an https server" in lower:
        return Reason.TLS_REJECTED
    return _client_reason(response.status, codes, kind)


def _server_reason(status: int, lower: str, kind: RequestKind) -> Reason:
    """A full disk and a read-only one hide in a 500, as words or as an errno."""
    errors = {int(digits) for digits in _ERRNO.findall(lower)}
    if status == 507 or errors & _FULL or any(words in lower for words in _FULL_WORDS):
        return Reason.REGISTRY_FULL
    is_read_only = errno.EROFS in errors or "read-only file system" in lower
    if kind is not RequestKind.READ and is_read_only:
        return Reason.REGISTRY_READ_ONLY
    return Reason.SERVER_ERROR


def _client_reason(status: int, codes: frozenset[str], kind: RequestKind) -> Reason:
    """What a 4xx means; a 404 comes here only where it does not mean "absent"."""
    if status == 408:
        return Reason.TIMEOUT
    if kind is RequestKind.READ:
        # Where it could mean "absent" it is that before it comes here.
        return Reason.REGISTRY_UNREACHABLE if status == 404 else Reason.PROTOCOL_ERROR
    if kind is RequestKind.DELETE:
        return _deletion_reason(status, codes)
    # It took the upload and knows it no more: restarted, or another replica.
    if kind is RequestKind.RESUME and status == 404:
        return Reason.TRANSFER_INTERRUPTED
    # The 404 is how distribution 2.8 refuses the upload URLs of a read-only listener.
    if status == 405 or (status == 404 and "BLOB_UPLOAD_INVALID" in codes):
        return Reason.REGISTRY_READ_ONLY
    meanings = (reason for code, reason in _WRITE_CODES.items() if code in codes)
    return next(meanings, Reason.PUSH_FAILED)


def _deletion_reason(status: int, codes: frozenset[str]) -> Reason:
    """distribution answers 405 with a code where deletion is off, in plain text where the
    listener only reads, and 400 to a tag that it cannot remove alone (2.8)."""
    if status != 405:
        return Reason.REMOVAL_FAILED
    return Reason.DELETION_REFUSED if "UNSUPPORTED" in codes else Reason.REGISTRY_READ_ONLY


def _codes(text: str) -> frozenset[str]:
    """The registry's own codes in upper case; empty where the body is not its form."""
    return frozenset(str(error.get("code")).upper() for error in _errors(text))


def _errors(text: str) -> list[dict[str, object]]:
    try:
        document = json.loads(text)
        return [error for error in document["errors"] if isinstance(error, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def _refusal_cause(reason: Reason, response: RegistryResponse) -> str:
    """The second half of the message: a number, and the registry's own words."""
    if reason is Reason.UNTRUSTED_REDIRECT:
        return f"{response.status} redirect to {_redirected_to(response)} is not followed"
    if reason is Reason.TLS_REJECTED:
        return "the URL says http, but the registry requires https"
    return words_of(response)


def _words(error: dict[str, object]) -> str:
    parts = [error.get("code"), error.get("message")]
    detail = error.get("detail")
    # The reason of a 500 ("no space left on device") stands in `detail` only.
    parts.append(detail if isinstance(detail, str) else json.dumps(detail) if detail else None)
    return " ".join(str(part) for part in parts if part)


def _redirected_to(response: RegistryResponse) -> str:
    """The host alone: a query string may hold a signature."""
    try:
        return (
            clean(httpx.URL(response.headers.get("location", "")).netloc.decode("ascii")) or "here"
        )
    except (httpx.InvalidURL, ValueError):
        return "an invalid address"


def _pause(response: RegistryResponse, now: datetime) -> float | None:
    """Seconds to wait as Retry-After says: a number or a date; None where it says nothing."""
    value = response.headers.get("retry-after", "").strip()
    if not value or response.status < 400:
        return None
    try:
        if value.isascii() and value.isdigit():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)


@contextlib.contextmanager
def translated(act: str, scope: CancelScope, *, answered: bool) -> Iterator[None]:
    """Raises TransferError, or what the scope was cancelled with, for whatever breaks inside."""
    try:
        yield
    except _FOREIGN as exc:
        scope.raise_if_cancelled()
        raise failure(act, exc, answered=answered) from exc


def failure(act: str, exc: Exception, *, answered: bool) -> TransferError:
    """The error that a broken connection means; `act` is the first half of its message."""
    if tls := _tls_error(exc):
        return TransferError(Reason.TLS_REJECTED, f"{act}: {_tls_cause(tls)}")
    reason = _failure_reason(exc, answered=answered)
    return TransferError(reason, f"{act}: {_failure_cause(exc, reason)}")


def _failure_reason(exc: Exception, *, answered: bool) -> Reason:
    if isinstance(exc, httpx.WriteError):  # somebody was there and took the first bytes
        return Reason.TRANSFER_INTERRUPTED
    if isinstance(exc, (httpx.ProtocolError, httpx.UnsupportedProtocol)) and not _was_cut(exc):
        return Reason.PROTOCOL_ERROR
    return Reason.TRANSFER_INTERRUPTED if answered else Reason.REGISTRY_UNREACHABLE


def _was_cut(exc: Exception) -> bool:
    """Did the peer go away (httpcore, h11), or did it talk nonsense? Both are ProtocolError."""
    return "disconnected" in str(exc) or "peer closed connection" in str(exc)


def _failure_cause(exc: Exception, reason: Reason) -> str:
    if isinstance(exc, (httpx.ConnectTimeout, httpx.ConnectError)):
        return f"cannot connect to {_origin(exc)}: {_system_words(exc)}"
    if isinstance(exc, httpx.LocalProtocolError):
        return "request could not be sent"  # the text of h11 repeats header values
    said = clean(str(exc)) or type(exc).__name__
    if isinstance(exc, httpx.RemoteProtocolError) and reason is Reason.PROTOCOL_ERROR:
        return f"response is not HTTP: {said}"
    return f"connection lost: {_system_words(exc)}" if reason is not Reason.PROTOCOL_ERROR else said


def _origin(exc: httpx.RequestError) -> str:
    """Whom we tried to reach: not always the registry, it may be its token or storage host."""
    try:
        url = exc.request.url
    except RuntimeError:  # raised outside of a client
        return "the registry"
    return clean(f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}")


def _system_words(exc: Exception) -> str:
    """The system's own words where there are some ("connection refused")."""
    if isinstance(exc, httpx.TimeoutException):
        return f"no reply within {sockets.CONNECT_SECONDS:g} s"
    for link in _chain(exc):
        if isinstance(link, OSError) and link.strerror:
            words = clean(link.strerror)
            return words[:1].lower() + words[1:]
    return clean(str(exc)) or type(exc).__name__


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """The exception and what it came from: httpx names its cause, httpcore leaves a context."""
    seen: BaseException | None = exc
    for _ in range(8):
        if seen is None:
            return
        yield seen
        seen = seen.__cause__ or seen.__context__


def _tls_error(exc: BaseException) -> ssl.SSLError | None:
    for link in _chain(exc):
        # A connection that ends without a TLS goodbye was cut; nobody refused anything.
        if isinstance(link, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return None
        if isinstance(link, ssl.SSLError):
            return link
    return None


def _tls_cause(exc: ssl.SSLError) -> str:
    """Which side rejected TLS, and why."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"registry certificate is not trusted: {clean(exc.verify_message)}"
    if exc.reason == "WRONG_VERSION_NUMBER":
        return "the URL says https, but the registry does not speak TLS"
    if "ALERT" in (exc.reason or ""):
        return f"registry rejects the TLS handshake: {clean(exc.reason)}"
    return f"TLS handshake failed: {clean(str(exc.reason or exc))}"
