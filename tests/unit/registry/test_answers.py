"""A refusal becomes the reason that says what to do: the whole table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from cyroid_images.errors import Reason
from cyroid_images.registry.answers import LONGEST_PAUSE, Answer, Kind, refusal

READ, WRITE, RESUME = Kind.READ, Kind.WRITE, Kind.RESUME


def coded(code: str, detail: object = None) -> bytes:
    """A body in the registry's own form."""
    return json.dumps({"errors": [{"code": code, "message": "m", "detail": detail}]}).encode()


FULL = coded("UNKNOWN", {"DriverName": "filesystem", "Enclosed": {"Op": "write", "Err": 28}})
EROFS = coded("UNKNOWN", {"DriverName": "filesystem", "Enclosed": {"Op": "mkdir", "Err": 30}})


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        pytest.param(401, b"", READ, Reason.UNAUTHORIZED, id="401"),
        pytest.param(403, coded("DENIED"), WRITE, Reason.UNAUTHORIZED, id="403"),
        pytest.param(429, b"", READ, Reason.RATE_LIMITED, id="429"),
        pytest.param(403, coded("TOOMANYREQUESTS"), READ, Reason.RATE_LIMITED, id="429-as-403"),
        pytest.param(405, b"Method not allowed\n", WRITE, Reason.REGISTRY_READ_ONLY, id="405"),
        pytest.param(405, b"", READ, Reason.PROTOCOL_ERROR, id="405-read"),
        pytest.param(
            404, coded("BLOB_UPLOAD_INVALID"), WRITE, Reason.REGISTRY_READ_ONLY, id="404-read-only"
        ),
        pytest.param(
            404, coded("BLOB_UPLOAD_INVALID"), RESUME, Reason.TRANSFER_INTERRUPTED, id="restarted"
        ),
        pytest.param(
            404, coded("BLOB_UPLOAD_UNKNOWN"), RESUME, Reason.TRANSFER_INTERRUPTED, id="forgotten"
        ),
        pytest.param(400, coded("DIGEST_INVALID"), RESUME, Reason.DIGEST_MISMATCH, id="digest"),
        pytest.param(400, coded("MANIFEST_BLOB_UNKNOWN"), WRITE, Reason.BLOB_MISSING, id="blob"),
        pytest.param(413, b"", RESUME, Reason.PUSH_FAILED, id="413"),
        pytest.param(408, b"", READ, Reason.TIMEOUT, id="408"),
        pytest.param(418, b"", READ, Reason.PROTOCOL_ERROR, id="418"),
        pytest.param(500, b"", READ, Reason.SERVER_ERROR, id="500"),
        pytest.param(503, b"<html>down</html>", WRITE, Reason.SERVER_ERROR, id="503-of-a-proxy"),
        pytest.param(500, FULL, WRITE, Reason.REGISTRY_FULL, id="full-by-errno"),
        pytest.param(
            500,
            coded("UNKNOWN", "write data: no space left on device"),
            RESUME,
            Reason.REGISTRY_FULL,
            id="full-by-words",
        ),
        pytest.param(507, b"", WRITE, Reason.REGISTRY_FULL, id="507"),
        pytest.param(500, EROFS, WRITE, Reason.REGISTRY_READ_ONLY, id="read-only-disk"),
        pytest.param(500, EROFS, READ, Reason.SERVER_ERROR, id="read-only-disk-read"),
        pytest.param(
            400,
            b"Client sent an HTTP request to an HTTPS server.\n",
            READ,
            Reason.TLS_REJECTED,
            id="plain-to-tls",
        ),
        pytest.param(302, b"", READ, Reason.UNTRUSTED_REDIRECT, id="302"),
        pytest.param(307, b"", WRITE, Reason.UNTRUSTED_REDIRECT, id="307"),
    ],
)
def test_p_e1_each_refusal_has_its_reason(
    status: int, body: bytes, kind: Kind, reason: Reason
) -> None:
    """P-E1: the predecessor said False to all of these."""
    assert refusal("act", Answer(status, httpx.Headers(), body), kind).reason is reason


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'{"errors": 1}',
        b'{"errors": [1]}',
        b"\xff\xfe",
        b"[" * 60000,
        b'{"errors": [{"code": {}, "detail": [1]}]}',
    ],
)
def test_p_e2_a_garbage_body_never_breaks_the_mapping(body: bytes) -> None:
    """P-E2: the predecessor let the parser's errors escape."""
    assert refusal("act", Answer(500, httpx.Headers(), body), READ).reason is Reason.SERVER_ERROR


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("999999999", LONGEST_PAUSE),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_and_bounded(value: str, seconds: float | None) -> None:
    """Seconds; what is no number and no date says nothing."""
    answer = Answer(429, httpx.Headers([(b"Retry-After", value.encode())]))
    assert refusal("act", answer, READ).retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    """RFC 9110 allows both forms."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    pause = refusal("act", Answer(503, httpx.Headers({"Retry-After": date})), READ).retry_after
    assert pause is not None
    assert 50 < pause <= 60


def test_a_message_holds_the_registrys_words_on_one_bounded_line() -> None:
    """The words are the registry's, so they are cleaned and cut."""
    body = coded("DENIED", "\x1b[31m" + "no\n" * 1000)
    message = refusal("pull a/b at host", Answer(403, httpx.Headers(), body), READ).message
    assert message.startswith("pull a/b at host: 403 DENIED m no no")
    assert len(message) < 300
    assert message.isprintable()


def test_a_redirect_is_told_without_its_query() -> None:
    """A query string of a storage backend is a signature, so a secret."""
    answer = Answer(307, httpx.Headers({"Location": "https://bucket.example/x?Signature=secret"}))
    message = refusal("act", answer, READ).message
    assert "bucket.example" in message
    assert "secret" not in message
