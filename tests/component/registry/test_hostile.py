"""A hostile or broken registry: bounded, refused, never believed, told nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_MANIFEST, Descriptor
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from tests.parts.images import tiny_image
from tests.parts.scripted import (
    ScriptedServer,
    Step,
    chunked,
    cut_after,
    cut_before_answer,
    drip,
    endless,
    hang,
    raw,
    reply,
    reply_json,
)
from tests.parts.waiting import A_WHILE

IMAGE = tiny_image()
BLOB = b"0123456789" * 1000
LAYER = Descriptor("x", Digest.of(BLOB), len(BLOB))
MANIFESTS, BLOBS, UPLOADS = (
    "/v2/a/b/manifests/.*",
    "/v2/a/b/blobs/sha256:.*",
    "/v2/a/b/blobs/uploads/",
)
KIND = {"Content-Type": OCI_MANIFEST}


def client_of(server: ScriptedServer, *, patience: float = 5.0) -> RegistryClient:
    """With credentials, so that a leak would be seen."""
    endpoint = RegistryEndpoint(server.url, Credentials("me", "s3cret"))
    return RegistryClient(endpoint, answer_seconds=patience, stall_seconds=patience)


def failure_of(call: Callable[[], object]) -> TransferError:
    with pytest.raises(TransferError) as caught:
        call()
    return caught.value


def read_blob(server: ScriptedServer, *, patience: float = 5.0) -> bytes:
    with client_of(server, patience=patience).open_blob("a/b", LAYER) as chunks:
        return b"".join(chunks)


# -- R4: overloaded


@pytest.mark.row("R4")
def test_r4_a_429_carries_its_pause(scripted: ScriptedServer) -> None:
    """Whoever retries obeys it."""
    scripted.script("GET", MANIFESTS, reply(429, "slow down", {"Retry-After": "17"}))
    failed = failure_of(lambda: client_of(scripted).manifest("a/b", "1"))
    assert (failed.reason, failed.retry_after) == (Reason.RATE_LIMITED, 17.0)


@pytest.mark.slow
@pytest.mark.row("R4")
@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_r4_two_busy_answers_are_borne_and_the_third_is_told(
    scripted: ScriptedServer, status: int
) -> None:
    """Not more: attempts are counted above."""
    busy, found = reply(status, "", {"Retry-After": "0"}), reply(200, IMAGE.manifest, KIND)
    scripted.script("GET", MANIFESTS, busy, busy, found, busy)
    client = client_of(scripted)
    assert client.manifest("a/b", "1") is not None
    reason = failure_of(lambda: client.manifest("a/b", "1")).reason
    assert reason is (Reason.RATE_LIMITED if status == 429 else Reason.SERVER_ERROR)
    assert len(scripted.requests) == 6


def test_r4_a_500_is_asked_once(scripted: ScriptedServer) -> None:
    """A full disk is full a second later, too; nor is a limit without a time borne."""
    scripted.script("GET", MANIFESTS, reply(500), reply(429))
    client = client_of(scripted)
    assert failure_of(lambda: client.manifest("a/b", "1")).reason is Reason.SERVER_ERROR
    assert failure_of(lambda: client.manifest("a/b", "1")).reason is Reason.RATE_LIMITED
    assert len(scripted.requests) == 2


@pytest.mark.slow
@pytest.mark.row("R4")
def test_r4_an_upload_that_a_busy_registry_does_not_open_at_once_is_opened(
    scripted: ScriptedServer,
) -> None:
    """What was not begun can be begun again; a body in mid-stream cannot."""
    scripted.script("POST", UPLOADS, reply(503), reply(202, "", {"Location": "/u"}))
    scripted.script("PATCH", "/u", reply(503))
    scripted.script("DELETE", "/u", reply(204))
    failed = failure_of(lambda: client_of(scripted).upload_stream("a/b", [BLOB], "x/y"))
    assert failed.reason is Reason.SERVER_ERROR
    assert len(scripted.seen("POST", UPLOADS)) == 2
    assert len(scripted.seen("PATCH", "/u")) == 1


# -- R15: garbage and floods


@pytest.mark.row("R15")
@pytest.mark.parametrize(
    "step",
    [
        pytest.param(reply(200, b"\x00\xff garbage", KIND), id="not-json"),
        pytest.param(reply(200, b"[]", KIND), id="no-object"),
        pytest.param(reply(200, b"{}", KIND), id="no-manifest"),
        pytest.param(reply(200, b"", KIND), id="empty"),
        pytest.param(endless(b"x" * 65536, headers=KIND), id="endless"),
        pytest.param(raw(b"220 mail.example ESMTP\r\n\r\n"), id="another-protocol"),
        pytest.param(raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000), id="endless-headers"),
        pytest.param(
            reply(200, IMAGE.manifest, {**KIND, "Docker-Content-Digest": "sha256:x"}), id="header"
        ),
    ],
)
def test_r15_p_e2_garbage_is_a_protocol_error(scripted: ScriptedServer, step: Step) -> None:
    """P-E2: the predecessor let the parser's errors escape."""
    scripted.script("GET", MANIFESTS, step)
    failed = failure_of(lambda: client_of(scripted).manifest("a/b", "1"))
    assert failed.reason is Reason.PROTOCOL_ERROR
    assert scripted.host in failed.message


def test_r15_a_wrong_digest_header_is_refused(scripted: ScriptedServer) -> None:
    """By tag, too, where nobody asked for a digest."""
    claim = {"Docker-Content-Digest": str(Digest.of(b"another"))}
    scripted.script("GET", MANIFESTS, reply(200, IMAGE.manifest, {**KIND, **claim}))
    failed = failure_of(lambda: client_of(scripted).manifest("a/b", "1"))
    assert failed.reason is Reason.MANIFEST_DIGEST_MISMATCH


def test_r15_the_reason_of_an_endless_refusal_is_its_status(scripted: ScriptedServer) -> None:
    """The text is cut, the status counts."""
    scripted.script("GET", MANIFESTS, endless(b"no " * 20_000, status=503))
    failed = failure_of(lambda: client_of(scripted).manifest("a/b", "1"))
    assert failed.reason is Reason.SERVER_ERROR
    assert len(failed.message) < 400


@pytest.mark.row("R15")
def test_r15_an_endless_challenge_is_bounded(scripted: ScriptedServer) -> None:
    """httpx alone would read it to its end, that is until memory ends."""
    challenge = {"WWW-Authenticate": 'Basic realm="x"'}
    scripted.script("GET", MANIFESTS, endless(b"x" * 65536, status=401, headers=challenge))
    failed = failure_of(lambda: client_of(scripted).manifest("a/b", "1"))
    assert failed.reason is Reason.UNAUTHORIZED


@pytest.mark.slow
def test_a_body_that_stalls_is_a_timeout(scripted: ScriptedServer) -> None:
    """It answered, so it is reachable; `stall_seconds` decides."""
    scripted.script("GET", BLOBS, drip(b"0123456789", 3600))
    assert failure_of(lambda: read_blob(scripted, patience=0.3)).reason is Reason.TIMEOUT


@pytest.mark.slow
def test_r3_a_slow_body_that_moves_is_read_to_its_end(scripted: ScriptedServer) -> None:
    """Longer in all than the time for any one byte."""
    step = drip(BLOB[:1000], 0.05, count=10)
    scripted.script("GET", BLOBS, step)
    assert read_blob(scripted, patience=0.3) == BLOB


@pytest.mark.slow
def test_r3_the_next_byte_may_take_longer_than_the_first(scripted: ScriptedServer) -> None:
    """`answer_seconds` ends with the headers."""
    scripted.script("GET", BLOBS, drip(BLOB[:5000], 0.6, count=2))
    endpoint = RegistryEndpoint(scripted.url)
    reader = RegistryClient(endpoint, answer_seconds=0.3, stall_seconds=5.0)
    with reader.open_blob("a/b", LAYER) as chunks:
        assert b"".join(chunks) == BLOB


@pytest.mark.slow
def test_r2_a_peer_that_never_answers_is_unreachable(scripted: ScriptedServer) -> None:
    """The first byte never comes."""
    scripted.script("GET", BLOBS, hang)
    began = time.monotonic()
    failed = failure_of(lambda: read_blob(scripted, patience=0.3))
    assert failed.reason is Reason.REGISTRY_UNREACHABLE
    assert time.monotonic() - began < A_WHILE


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(cut_after(5000, BLOB), id="short"),
        pytest.param(cut_after(5000, BLOB, reset=True), id="reset"),
        pytest.param(chunked(BLOB[:5000], ends=False), id="chunks-without-end"),
    ],
)
def test_a_blob_that_is_cut_was_interrupted(scripted: ScriptedServer, step: Step) -> None:
    """Transient: the next try may do."""
    scripted.script("GET", BLOBS, step)
    assert failure_of(lambda: read_blob(scripted)).reason is Reason.TRANSFER_INTERRUPTED


def test_a_peer_that_closes_without_a_word_is_unreachable(scripted: ScriptedServer) -> None:
    """No answer is no answer."""
    scripted.script("GET", BLOBS, cut_before_answer)
    assert failure_of(lambda: read_blob(scripted)).reason is Reason.REGISTRY_UNREACHABLE


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        pytest.param(chunked(BLOB, b"more"), Reason.DIGEST_MISMATCH, id="longer"),
        pytest.param(chunked(BLOB[:-1]), Reason.BLOB_MISSING, id="shorter"),
        pytest.param(chunked(BLOB[:-1] + b"x"), Reason.DIGEST_MISMATCH, id="other"),
        pytest.param(endless(BLOB), Reason.DIGEST_MISMATCH, id="endless"),
        pytest.param(reply(200, BLOB + b"x"), Reason.BLOB_MISSING, id="length-header"),
    ],
)
def test_a_blob_of_other_bytes_is_refused(
    scripted: ScriptedServer, step: Step, reason: Reason
) -> None:
    """Whatever the headers say or leave out."""
    scripted.script("GET", BLOBS, step)
    assert failure_of(lambda: read_blob(scripted)).reason is reason


def test_an_encoded_blob_is_not_decoded(scripted: ScriptedServer) -> None:
    """A header must not change what is hashed, nor blow up in memory."""
    scripted.script("GET", BLOBS, reply(200, BLOB, {"Content-Encoding": "gzip"}))
    assert read_blob(scripted) == BLOB
    assert scripted.requests[0].headers["accept-encoding"] == "identity"


def test_a_size_that_is_no_number_is_a_protocol_error(scripted: ScriptedServer) -> None:
    """A HEAD without Content-Length tells nothing."""
    scripted.script("HEAD", BLOBS, raw(b"HTTP/1.1 200 OK\r\n\r\n"))
    failed = failure_of(lambda: client_of(scripted).blob_size("a/b", LAYER.digest))
    assert failed.reason is Reason.PROTOCOL_ERROR


# -- R16: redirects and realms


@pytest.mark.row("R16", "P10")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_r16_a_redirect_is_not_followed(scripted: ScriptedServer, status: int) -> None:
    """The capture server gets no request at all."""
    with ScriptedServer() as capture:
        away = reply(status, "", {"Location": f"{capture.url}/x?Signature=s3cret"})
        scripted.script("GET", ".*", away)
        client = client_of(scripted)
        for call in (client.ping, lambda: client.manifest("a/b", "1"), lambda: read_blob(scripted)):
            failed = failure_of(call)
            assert failed.reason is Reason.UNTRUSTED_REDIRECT
            assert capture.host in failed.message
            assert "s3cret" not in failed.message
        assert capture.requests == []


@pytest.mark.row("R16", "P10")
def test_r16_an_upload_is_not_sent_elsewhere(scripted: ScriptedServer) -> None:
    """Neither its bytes nor the credentials that would go with them."""
    with ScriptedServer() as capture:
        scripted.script("POST", UPLOADS, reply(202, "", {"Location": f"{capture.url}/up"}))
        failed = failure_of(lambda: client_of(scripted).upload_stream("a/b", [BLOB], "x/y"))
        assert failed.reason is Reason.UNTRUSTED_REDIRECT
        assert capture.requests == []


@pytest.mark.row("R16", "P10")
def test_r16_a_realm_on_another_host_gets_nothing(scripted: ScriptedServer) -> None:
    """Neither credentials nor a question."""
    with ScriptedServer() as capture:
        challenge = {"WWW-Authenticate": f'Bearer realm="{capture.url}/token",service="s"'}
        scripted.script("GET", ".*", reply(401, "", challenge))
        failed = failure_of(client_of(scripted).ping)
        assert failed.reason is Reason.UNTRUSTED_TOKEN_REALM
        assert capture.requests == []


def test_a_token_is_fetched_from_the_own_host_and_used_for_an_upload(
    scripted: ScriptedServer,
) -> None:
    """Once, before the body: a body cannot be sent again."""
    challenge = {"WWW-Authenticate": f'Bearer realm="{scripted.url}/token",service="s"'}
    scripted.script("GET", "/token", reply_json(200, {"token": "t0ken", "expires_in": 300}))
    scripted.script("POST", UPLOADS, reply(401, "", challenge), reply(202, "", {"Location": "/u"}))
    scripted.script("PATCH", "/u", reply(202, "", {"Location": "/u2?_state=x%2By"}))
    scripted.script("PUT", "/u2", reply(201))
    client_of(scripted).upload_stream("a/b", [BLOB], "x/y")
    sent = [seen.headers.get("authorization", "")[:6] for seen in scripted.requests]
    assert sent == ["Basic ", "Basic ", "Bearer", "Bearer", "Bearer"]
    assert scripted.seen("PATCH", "/u")[0].body == BLOB
    closing = scripted.seen("PUT", "/u2")[0].target
    assert closing == f"/u2?_state=x%2By&digest=sha256%3A{LAYER.digest.hex}"


def test_a_challenge_without_end_is_not_answered_for_ever(scripted: ScriptedServer) -> None:
    """One token, one more try."""
    challenge = {"WWW-Authenticate": f'Bearer realm="{scripted.url}/token",service="s"'}
    scripted.script("GET", "/token", reply_json(200, {"token": "t0ken"}))
    scripted.script("GET", "/v2/", reply(401, "", challenge))
    assert failure_of(client_of(scripted).ping).reason is Reason.UNAUTHORIZED
    assert len(scripted.requests) == 3


def test_an_upload_that_is_refused_in_the_middle_is_taken_back(scripted: ScriptedServer) -> None:
    """With the registry's own words in the message."""
    document = {"errors": [{"code": "UNKNOWN", "detail": "write: no space left on device"}]}
    scripted.script("POST", UPLOADS, reply(202, "", {"Location": "/u?_state=1"}))
    scripted.script("PATCH", "/u", reply_json(500, document))
    scripted.script("DELETE", "/u", reply(204))
    failed = failure_of(lambda: client_of(scripted).upload_stream("a/b", [BLOB], "x/y"))
    assert failed.reason is Reason.REGISTRY_FULL
    assert len(scripted.seen("DELETE", "/u")) == 1
    assert scripted.seen("PUT", ".*") == []
