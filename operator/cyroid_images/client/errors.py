"""What a call of the client can end in, by what the caller does about it.

ClientError
├── Unauthorized       401: there is no token, or it is not taken (any more)
├── Forbidden          403: the caller's role does not allow it
├── NotFound           404: there is no such image, operation, range or event
├── Conflict           409: a range wants what is to be deleted, or somebody was faster
├── Invalid            400, 413, 422: what was sent is not taken as it is
├── Unavailable        429, 5xx, or no answer at all: asked later it may work
├── UnexpectedAnswer   an answer that this client does not understand
└── NotOver            what was followed goes on longer than the caller wanted to wait
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from cyroid_images.errors import CyroidError
from cyroid_images.model.text import clean_message

LONGEST_DETAIL = 1000
"""Characters of `detail` that are kept."""
LONGEST_PAUSE = 30.0
"""Most seconds that a server may ask us to wait before the next attempt."""


class ClientError(CyroidError):
    """A call that did not do what was asked.

    `detail` is what the API said, for people; `status` its HTTP status, None without an answer.
    No error holds a token or what was sent.
    """

    def __init__(self, call: str, detail: str, *, status: int | None = None) -> None:
        super().__init__(f"{call}: {detail}")
        self.detail = detail
        self.status = status


class Unauthorized(ClientError):
    """401: sign in again; the token is missing, expired or not known."""


class Forbidden(ClientError):
    """403: this caller may not; `detail` says which right is missing."""


class NotFound(ClientError):
    """404: there is no such thing."""


class Conflict(ClientError):
    """409: refused as things are now, such as deleting what ranges want; `detail` says why."""


class Invalid(ClientError):
    """400, 413 or 422: what was sent is not taken; only another request can help."""


class Unavailable(ClientError):
    """No answer, or one that says: not now. What was asked is unknown, never absent.

    `retry_after` is the pause in seconds that the server asked for, if it did.
    """

    def __init__(
        self,
        call: str,
        detail: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(call, detail, status=status)
        self.retry_after = retry_after


class UnexpectedAnswer(ClientError):
    """The answer is not what this API gives: another service, or another version of it."""


class NotOver(ClientError):
    """It goes on in the cluster, whoever looks: ask again by its operation."""


_BY_STATUS: Mapping[int, type[ClientError]] = {
    HTTPStatus.BAD_REQUEST: Invalid,
    HTTPStatus.UNAUTHORIZED: Unauthorized,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: Invalid,
    HTTPStatus.UNPROCESSABLE_ENTITY: Invalid,
}

_NOT_NOW = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


def refusal(call: str, status: int, body: bytes, *, retry_after: str | None) -> ClientError:
    """The error that an answer stands for; `body` is problem+json, or whatever came instead."""
    detail = _detail(body) or _phrase(status)
    if status in _NOT_NOW or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Unavailable(call, detail, status=status, retry_after=_seconds(retry_after))
    return _BY_STATUS.get(status, UnexpectedAnswer)(call, detail, status=status)


def _detail(body: bytes) -> str | None:
    """`detail` of a problem, or of FastAPI's list of faults; None for anything else."""
    try:
        told = json.loads(body).get("detail")
    except (ValueError, AttributeError):
        return None
    if told is None:
        return None
    text = told if isinstance(told, str) else json.dumps(told)
    return clean_message(text, LONGEST_DETAIL)


def _phrase(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}, without a reason"
    except ValueError:
        return f"HTTP {status}, without a reason"


def _seconds(header: str | None) -> float | None:
    """Of Retry-After; a date is as good as nothing, since clocks differ."""
    if header is None or not header.isdecimal():
        return None
    return min(float(header), LONGEST_PAUSE)
