"""What an answer of a registry means when it is not the one that was hoped for.

Only data here: a status, headers and the first bytes of a body become one TransferError
whose reason says what to do about it. The registry's own code decides before the status
does, since proxies and registries disagree about statuses but not about codes. Source of
the codes: OCI distribution-spec, "Error Codes"; what distribution 2.8 really answers
(405 in plain text on a read-only listener, 500 with the reason in `detail` on a full
disk) was seen on the real one, and the component tests show it.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum

import httpx

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.text import clean_message

LONGEST_WORDS = 256
"""Characters of a foreign text that go into a message; whoever shows it cuts it again."""

LONGEST_PAUSE = 86_400.0
"""Seconds; a Retry-After of more than a day is taken as a day."""

_ERRNO = re.compile(r'"err": ?([0-9]{1,3})\b', re.ASCII)
"""distribution's file system driver answers `{"Enclosed": {"Op": "write", "Err": 28}}` where
it opens an upload, and words where it writes one (2.8.2)."""
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_WORDS = ("no space left", "disk quota exceeded")

_WRITE_CODES = {
    "DIGEST_INVALID": Reason.DIGEST_MISMATCH,
    "MANIFEST_BLOB_UNKNOWN": Reason.BLOB_MISSING,
    "BLOB_UNKNOWN": Reason.BLOB_MISSING,
}


class Kind(Enum):
    """What was being done; some answers mean different things to each."""

    READ = "read"
    WRITE = "write"
    RESUME = "resume"
    """Going on with an upload that this registry opened a moment ago."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole, bounded answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names are compared without case (httpx.Headers)."""
    body: bytes = field(default=b"", repr=False)


def refusal(act: str, answer: Answer, kind: Kind) -> TransferError:
    """The error that this answer means; `act` is the first half of its message."""
    text = answer.body.decode("utf-8", "replace")
    reason = _reason(answer, text, kind)
    cause = _cause(reason, answer, text)
    return TransferError(reason, f"{act}: {cause}", retry_after=pause_of(answer))


def clean(text: str) -> str:
    """A foreign text on one line, printable and short enough for a message."""
    return clean_message(text, LONGEST_WORDS)


def pause_of(answer: Answer) -> float | None:
    """Seconds to wait as Retry-After says, at most LONGEST_PAUSE; None: it says nothing."""
    return _pause(answer, datetime.now(UTC))


def _reason(answer: Answer, text: str, kind: Kind) -> Reason:
    """The first rung that fits, most certain first."""
    codes = _codes(text)
    lower = text.lower()
    # A redirect is never followed by us where this is asked, whatever its body says.
    if 300 <= answer.status < 400:
        return Reason.UNTRUSTED_REDIRECT
    # Some registries say it with a 403 or a 503.
    if answer.status == 429 or "TOOMANYREQUESTS" in codes:
        return Reason.RATE_LIMITED
    if answer.status in (401, 403):
        return Reason.UNAUTHORIZED
    if answer.status >= 500:
        return _server_reason(answer.status, lower, kind)
    # Go's TLS server says this in plain text to whoever comes without TLS.
    if answer.status == 400 and "http request to an https server" in lower:
        return Reason.TLS_REJECTED
    return _client_reason(answer.status, codes, kind)


def _server_reason(status: int, lower: str, kind: Kind) -> Reason:
    """A full disk and a read-only one hide in a 500, as words or as an errno."""
    errors = {int(digits) for digits in _ERRNO.findall(lower)}
    if status == 507 or errors & _FULL or any(words in lower for words in _FULL_WORDS):
        return Reason.REGISTRY_FULL
    is_read_only = errno.EROFS in errors or "read-only file system" in lower
    if kind is not Kind.READ and is_read_only:
        return Reason.REGISTRY_READ_ONLY
    return Reason.SERVER_ERROR


def _client_reason(status: int, codes: frozenset[str], kind: Kind) -> Reason:
    """What a 4xx means; a 404 comes here only where it is not an answer in itself."""
    if status == 408:
        return Reason.TIMEOUT
    if kind is Kind.READ:
        return Reason.PROTOCOL_ERROR
    # It took the upload and knows it no more: restarted, or another replica.
    if kind is Kind.RESUME and status == 404:
        return Reason.TRANSFER_INTERRUPTED
    # The 404 is how distribution 2.8 refuses the upload URLs of a read-only listener.
    if status == 405 or (status == 404 and "BLOB_UPLOAD_INVALID" in codes):
        return Reason.REGISTRY_READ_ONLY
    meanings = (reason for code, reason in _WRITE_CODES.items() if code in codes)
    return next(meanings, Reason.PUSH_FAILED)


def _codes(text: str) -> frozenset[str]:
    """The registry's own codes in upper case; empty where the body is not its form."""
    return frozenset(str(error.get("code")).upper() for error in _errors(text))


def _errors(text: str) -> list[dict[str, object]]:
    try:
        document = json.loads(text)
        return [error for error in document["errors"] if isinstance(error, dict)]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []


def _cause(reason: Reason, answer: Answer, text: str) -> str:
    """The second half of the message: a number, and the registry's own words."""
    if reason is Reason.UNTRUSTED_REDIRECT:
        return f"{answer.status} redirects to {_redirected_to(answer)}, which is not followed"
    if reason is Reason.TLS_REJECTED:
        return "the operator speaks plain http as its URL says, the registry wants https"
    words = "; ".join(_words(error) for error in _errors(text)) or text
    said = clean(words)
    return f"{answer.status} {said}" if said else f"{answer.status} without a word"


def _words(error: dict[str, object]) -> str:
    parts = [error.get("code"), error.get("message")]
    detail = error.get("detail")
    # The reason of a 500 ("no space left on device") stands in `detail` only.
    parts.append(detail if isinstance(detail, str) else json.dumps(detail) if detail else None)
    return " ".join(str(part) for part in parts if part)


def _redirected_to(answer: Answer) -> str:
    """The host alone: a query string may hold a signature."""
    try:
        return clean(httpx.URL(answer.headers.get("location", "")).netloc.decode("ascii")) or "here"
    except (httpx.InvalidURL, ValueError):
        return "an address that is none"


def _pause(answer: Answer, now: datetime) -> float | None:
    """Seconds to wait as Retry-After says: a number or a date; None where it says nothing."""
    value = answer.headers.get("retry-after", "").strip()
    if not value or answer.status < 400:
        return None
    try:
        if value.isascii() and value.isdigit():
            seconds = float(value)
        else:
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE)
