"""Which reason the words of engines lead to, and how they are shown."""

from __future__ import annotations

import pytest

from cyroid_images.engine.classify import LONGEST_WORDS, Operation, clean, failure, reason_of
from cyroid_images.errors import Reason

PREFLIGHT, PULL, PUSH = Operation.PREFLIGHT, Operation.PULL, Operation.PUSH
LOAD, SAVE, CONTROL = Operation.LOAD, Operation.SAVE, Operation.CONTROL

TABLE = [
    (PULL, 'Get "https://r:5000/v2/": http: server gave HTTP response to HTTPS client',
     Reason.REGISTRY_NOT_TRUSTED),
    (PULL, "tls: failed to verify certificate: x509: certificate signed by unknown authority",
     Reason.TLS_REJECTED),
    (PULL, "x509: certificate has expired or is not yet valid", Reason.TLS_REJECTED),
    (PUSH, "remote error: tls: bad certificate", Reason.TLS_REJECTED),
    (PULL, "dial tcp: lookup r on 10.96.0.10:53: no such host", Reason.REGISTRY_UNREACHABLE),
    (PULL, "lookup r: server misbehaving", Reason.REGISTRY_UNREACHABLE),
    (PULL, "dial tcp 10.0.0.1:5000: i/o timeout", Reason.REGISTRY_UNREACHABLE),
    (PUSH, "dial tcp 10.0.0.1:5000: connect: connection refused", Reason.REGISTRY_UNREACHABLE),
    (PREFLIGHT, "connect: no route to host", Reason.REGISTRY_UNREACHABLE),
    (PULL, "net/http: TLS handshake timeout", Reason.REGISTRY_UNREACHABLE),
    (PULL, "context deadline exceeded", Reason.REGISTRY_UNREACHABLE),
    (PULL, "read tcp 10.0.0.1:5000: read: connection reset by peer", Reason.TRANSFER_INTERRUPTED),
    (PULL, 'Get "https://r:5000/v2/": EOF', Reason.TRANSFER_INTERRUPTED),
    (PUSH, "invalid X-Registry-Auth header: EOF", Reason.PUSH_FAILED),
    (PULL, "unexpected EOF", Reason.TRANSFER_INTERRUPTED),
    (PUSH, "http2: client connection lost", Reason.TRANSFER_INTERRUPTED),
    (PULL, "received unexpected HTTP status: 503 Service Unavailable", Reason.SERVER_ERROR),
    (PUSH, "received unexpected HTTP status: 500 Internal Server Error", Reason.SERVER_ERROR),
    (PULL, "manifest unknown: manifest unknown", Reason.IMAGE_NOT_FOUND),
    (PULL, "manifest for r/x@sha256:00 not found", Reason.IMAGE_NOT_FOUND),
    (PREFLIGHT, "errors: name unknown: repository name not known", Reason.IMAGE_NOT_FOUND),
    (PUSH, "blob unknown: blob unknown to registry", Reason.BLOB_MISSING),
    (
        PULL,
        (
            "failed to copy: httpReadSeeker: failed open: could not fetch content descriptor "
            f"sha256:{'c' * 64} (application/vnd.oci.image.layer.v1.tar+zstd)"
            " from remote: not found"
        ),
        Reason.BLOB_MISSING,
    ),
    (PUSH, "blob upload unknown: blob upload unknown to registry", Reason.BLOB_MISSING),
    (PUSH, "unexpected status from PUT request to http://r:5000/v2/x/blobs/uploads/1: 404",
     Reason.BLOB_MISSING),
    (PUSH, "error from registry: blob upload invalid", Reason.SERVER_ERROR),
    (PUSH, "error from registry: unknown error", Reason.SERVER_ERROR),
    (PULL, "unknown blob", Reason.BLOB_MISSING),
    (PULL, "filesystem layer verification failed for digest sha256:00", Reason.DIGEST_MISMATCH),
    (PULL, "failed commit on ref: unexpected commit digest sha256:1, expected sha256:2",
     Reason.DIGEST_MISMATCH),
    (PULL, "manifest verification failed for digest sha256:0", Reason.DIGEST_MISMATCH),
    (LOAD, "digest mismatch", Reason.DIGEST_MISMATCH),
    (PULL, "toomanyrequests: You have reached your pull rate limit", Reason.RATE_LIMITED),
    (PULL, "unexpected status from HEAD request to https://r:5000/v2/x: 429",
     Reason.RATE_LIMITED),
    (PULL, "unauthorized: authentication required", Reason.UNAUTHORIZED),
    (PULL, "pull access denied for x, repository does not exist or may require 'docker login'",
     Reason.UNAUTHORIZED),
    (PUSH, "denied: requested access to the resource is denied", Reason.UNAUTHORIZED),
    (PREFLIGHT, "no basic auth credentials", Reason.UNAUTHORIZED),
    (PULL, "write /var/lib/docker/tmp/GetImageBlob1: no space left on device",
     Reason.INSUFFICIENT_STORAGE),
    (LOAD, "write /l1/layer.tar: no space left on device", Reason.INSUFFICIENT_STORAGE),
    (SAVE, "write /var/lib/docker/tmp/docker-export-1/x: no space left on device",
     Reason.INSUFFICIENT_STORAGE),
    (PUSH, "write /var/lib/docker/tmp/x: no space left on device", Reason.INSUFFICIENT_STORAGE),
    (PUSH, "unknown: mkdir /registry: no space left on device", Reason.REGISTRY_FULL),
    (PUSH, "error from registry: unknown error - write /docker/registry: no space left on device",
     Reason.REGISTRY_FULL),
    (PUSH, "unknown: Method not allowed", Reason.REGISTRY_READ_ONLY),
    (PUSH, "missing content: content digest sha256:1: not found", Reason.PUSH_FAILED),
    (PUSH, "tag does not exist: r/x:1", Reason.IMAGE_NOT_FOUND),
    (PUSH, "An image does not exist locally with the tag: x", Reason.IMAGE_NOT_FOUND),
    (LOAD, "content digest sha256:1: not found", Reason.LOAD_FAILED),
    (LOAD, "failed to unpack loaded image: invalid diffID for layer 0", Reason.LOAD_FAILED),
    (LOAD, "Error unpacking image x (overlayfs)", Reason.LOAD_FAILED),
    (LOAD, "cannot load windows image on linux", Reason.PLATFORM_MISMATCH),
    (PULL, "no matching manifest for linux/amd64 in the manifest list entries",
     Reason.PLATFORM_MISMATCH),
    (PULL, "was found but does not match the specified platform: wanted linux/amd64",
     Reason.PLATFORM_MISMATCH),
    (PULL, "unsupported media type application/vnd.oci.image.layer.v1.tar+zstd",
     Reason.COMPRESSION_UNSUPPORTED),
    (PULL, "unsupported media type application/x-chart", Reason.PROTOCOL_ERROR),
    (PULL, "failed to unpack image: mismatched image rootfs and manifest layers",
     Reason.PROTOCOL_ERROR),
    (PULL, "failed to register layer: rename a b: directory not empty", Reason.PULL_FAILED),
    (PULL, "layer does not exist", Reason.PULL_FAILED),
    (CONTROL, "client version 1.48 is too new. Maximum supported API version is 1.41",
     Reason.ENGINE_TOO_OLD),
    (CONTROL, "client version 1.41 is too old. Minimum supported API version is 1.44",
     Reason.ENGINE_TOO_NEW),
    (LOAD, "invalid port '80-90': invalid syntax", Reason.IMAGE_REFUSED),
    (PULL, "invalid port 'nonsense': invalid syntax", Reason.IMAGE_REFUSED),
    (PULL, 'Get "https://x:99999/v2/": dial tcp: address 99999: invalid port', Reason.PULL_FAILED),
    (CONTROL, "Client sent an HTTP request to an HTTPS server.", Reason.TLS_REJECTED),
    (PULL, "Client sent an HTTP request to an HTTPS server.", Reason.TLS_REJECTED),
    (CONTROL, "page not found", Reason.PROTOCOL_ERROR),
    (CONTROL, "No such image: x:1", Reason.IMAGE_NOT_FOUND),
    (CONTROL, "a prune operation is already running", Reason.ENGINE_UNREACHABLE),
    (SAVE, "No such image: x:1", Reason.IMAGE_NOT_FOUND),
    (SAVE, "something else", Reason.TRANSFER_INTERRUPTED),
    (PULL, "something else", Reason.PULL_FAILED),
    (PREFLIGHT, "something else", Reason.PULL_FAILED),
    (PUSH, "something else", Reason.PUSH_FAILED),
    (LOAD, "something else", Reason.LOAD_FAILED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "words", "reason"), TABLE, ids=[f"{o}-{w[:40]}" for o, w, _ in TABLE]
)
def test_the_words_lead_to(operation: Operation, words: str, reason: Reason) -> None:
    assert reason_of(words, operation) is reason
    assert reason_of(words.upper(), operation) is reason


@pytest.mark.parametrize(
    "name", ["r/denied", "r/certificate", "r/x509-no-space-left", "zstd.example/404", "r/500-503"]
)
def test_the_name_of_an_image_leads_to_nothing(name: str) -> None:
    """Engines repeat the name; people give images any name."""
    words = f'failed to pull "{name}@sha256:404500503": https://h/v2/{name}/denied: odd'
    assert reason_of(words, PULL, name) is Reason.PULL_FAILED


def test_a_registry_that_is_not_trusted_names_the_line_that_is_missing() -> None:
    words = "http: server gave HTTP response to HTTPS client"
    error = failure(words, PULL, what="pull r:5000/x", registry="r:5000")
    assert '{"insecure-registries": ["r:5000"]}' in error.message
    assert "daemon.json" in error.message
    assert words in error.message


def test_a_refused_certificate_names_both_parties() -> None:
    error = failure("x509: odd", PULL, what="pull r:5000/x", registry="r:5000")
    assert "the engine rejects the certificate of r:5000" in error.message


def test_a_silent_handshake_hints_at_the_mtu_of_the_engine() -> None:
    error = failure("net/http: TLS handshake timeout", PULL, what="pull r:5000/x")
    assert "the engine's `mtu` is too large for the path" in error.message


def test_the_cause_behind_two_long_names_is_not_cut_off() -> None:
    name = f"h.example:5000/cyroid/redteam-lab-workstation@sha256:{'0' * 64}"
    words = f'failed to resolve "{name}": Head "https://{name}": 429 Too Many Requests'
    assert clean(words).endswith('@sha256:000000000000": 429 Too Many Requests')


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mred\x1b[0m b", "ared b"),
        ("\x1b]0;title\x07a", "a"),
        ("a\x00\x08\u202eb\u2066\ud800c", "abc"),
        ("a\r\n\t b\u2028c", "a b c"),
        ("Get http://me:secret@r/v2/", "Get http://***@r/v2/"),
        ("é✓", "é✓"),
    ],
    ids=["colour", "title", "control-and-bidi", "white-space", "credentials", "letters"],
)
def test_words_are_shown_without_tricks(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_words_are_bounded() -> None:
    assert len(clean("x" * 2_000_000)) == LONGEST_WORDS
    assert clean("x" * 2_000_000).endswith("…")
