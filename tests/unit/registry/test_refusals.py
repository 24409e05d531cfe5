"""A refusal becomes the reason that says what to do: the whole table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from cyroid_images.errors import Reason
from cyroid_images.registry.errors import (
    LONGEST_PAUSE,
    RegistryResponse,
    RequestKind,
    is_foreign,
    refusal,
)

READ, WRITE, RESUME = RequestKind.READ, RequestKind.WRITE, RequestKind.RESUME


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
        pytest.param(404, b"<p>", READ, Reason.REGISTRY_UNREACHABLE, id="404-of-a-proxy"),
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
    status: int, body: bytes, kind: RequestKind, reason: Reason
) -> None:
    """P-E1: the predecessor said False to all of these."""
    assert refusal("act", RegistryResponse(status, httpx.Headers(), body), kind).reason is reason


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
    assert (
        refusal("act", RegistryResponse(500, httpx.Headers(), body), READ).reason
        is Reason.SERVER_ERROR
    )


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0", None),
        ("Thu, 01 Jan 2026 00:00:00 GMT", None),
        ("999999999", LONGEST_PAUSE),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_retry_after_is_read_and_bounded(value: str, seconds: float | None) -> None:
    """Seconds; what is no number and no date says nothing, and so do zero and what is over."""
    answer = RegistryResponse(429, httpx.Headers([(b"Retry-After", value.encode())]))
    assert refusal("act", answer, READ).retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    """RFC 9110 allows both forms."""
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    pause = refusal(
        "act", RegistryResponse(503, httpx.Headers({"Retry-After": date})), READ
    ).retry_after
    assert pause is not None
    assert 50 < pause <= 60


def test_a_message_holds_the_registrys_words_on_one_bounded_line() -> None:
    """The words are the registry's, so they are cleaned and cut."""
    body = coded("DENIED", "\x1b[31m" + "no\n" * 1000)
    message = refusal(
        "pull a/b at host", RegistryResponse(403, httpx.Headers(), body), READ
    ).message
    assert message.startswith("pull a/b at host: 403 DENIED m no no")
    assert len(message) < 300
    assert message.isprintable()


def test_a_redirect_is_told_without_its_query() -> None:
    """A query string of a storage backend is a signature, so a secret."""
    answer = RegistryResponse(
        307, httpx.Headers({"Location": "https://bucket.example/x?Signature=secret"})
    )
    message = refusal("act", answer, READ).message
    assert "bucket.example" in message
    assert "secret" not in message


@pytest.mark.parametrize(
    ("status", "kind", "body", "foreign"),
    [
        pytest.param(404, "application/json", coded("MANIFEST_UNKNOWN"), False, id="registry"),
        pytest.param(404, "", b"", False, id="no-body"),
        pytest.param(404, "text/html", b"", True, id="web-page-by-head"),
        pytest.param(404, "text/html; charset=utf-8", b"<h1>nginx</h1>", True, id="web-page"),
        pytest.param(404, "text/plain", b"404 page not found\n", True, id="text"),
        pytest.param(404, "application/xml", b"<Code>NoSuchKey</Code>", True, id="storage"),
        pytest.param(404, "application/json", b'{"error": "no route"}', True, id="json-of-others"),
        pytest.param(200, "text/html", b"<h1>log in</h1>", True, id="log-in-page"),
        pytest.param(200, "application/json", b"{}", False, id="manifest"),
        pytest.param(503, "text/html", b"<h1>down</h1>", False, id="has-its-own-reason"),
    ],
)
def test_b2_what_a_proxy_answers_is_not_the_word_of_a_registry(
    status: int, kind: str, body: bytes, foreign: bool
) -> None:
    """B2: only a registry's own 404 means that something is absent."""
    response = RegistryResponse(status, httpx.Headers({"Content-Type": kind}), body)
    assert is_foreign(response) is foreign


def test_b2_a_registry_that_says_what_it_is_is_believed() -> None:
    """Distribution sets the header in each response, whatever its body."""
    headers = httpx.Headers({"Docker-Distribution-Api-Version": "registry/2.0"})
    assert not is_foreign(RegistryResponse(404, headers, b"404 page not found"))


def test_a_refusal_without_a_body_says_so() -> None:
    found = refusal("read manifest a/b:1 at r:5000", RegistryResponse(500), READ)
    assert found.message == "read manifest a/b:1 at r:5000: 500 with an empty body"
