"""Maps the error message of an engine to a reason: one table, most specific row first.

Engines answer in prose of many authors (moby, containerd, Go's net and tls, the registry);
this is the only place that reads it. Words are matched in lower case. The engine's own
words stay in the message, cleaned and bounded, since they say what no table knows.
"""

from __future__ import annotations

import contextlib
import json
import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from cyroid_images.errors import Reason, TransferError

LONGEST_WORDS = 256
"""Characters kept of what an engine says: a row of status has no more."""

LONGEST_READ = 4096
"""Characters that are looked at: a hostile engine may send a mebibyte."""

_NAMES = re.compile(r"https?://[^\s\"]+|sha(?:256|512):[0-9a-f]+|[0-9a-f]{12,}")
"""What holds words and numbers that mean nothing: URLs, digests, IDs."""

_DIGEST = re.compile(
    r"\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b|\b(sha512:[0-9a-f]{12})[0-9a-f]{116}\b"
)
"""Shown by their first twelve digits, as engines do: Go puts the cause last, behind two URLs."""

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_USER_IN_URL = re.compile(r"://[^/\s@\"]*@")


class Operation(StrEnum):
    """The operations whose error messages the row applies to."""

    PREFLIGHT = "preflight"
    PULL = "pull"
    PUSH = "push"
    LOAD = "load"
    SAVE = "save"
    CONTROL = "control"


_ANY = frozenset(Operation)
_REGISTRY = frozenset({Operation.PREFLIGHT, Operation.PULL, Operation.PUSH})
_FETCH = frozenset({Operation.PREFLIGHT, Operation.PULL})
_PUSH = frozenset({Operation.PUSH})
_LOAD = frozenset({Operation.LOAD})
_STREAMS = frozenset({Operation.PULL, Operation.PUSH, Operation.LOAD})
_LOCAL = frozenset({Operation.SAVE, Operation.CONTROL, Operation.PUSH})


@dataclass(frozen=True, slots=True)
class _Row:
    words: re.Pattern[str]
    operations: frozenset[Operation]
    reason: Reason


def _row(words: str, operations: frozenset[Operation], reason: Reason) -> _Row:
    return _Row(re.compile(words), operations, reason)


_TABLE: tuple[_Row, ...] = (
    # The port speaks TLS and we do not: an answer, not an exception.
    _row("client sent an http request to an https server", _ANY, Reason.TLS_REJECTED),
    _row("client version .* is too new", _ANY, Reason.ENGINE_TOO_OLD),
    _row("client version .* is too old", _ANY, Reason.ENGINE_TOO_NEW),
    _row("page not found", _ANY, Reason.PROTOCOL_ERROR),
    # Trust: both rows hold words ("get", "failed to verify") that later rows would take.
    _row("server gave http response to https client", _REGISTRY, Reason.REGISTRY_NOT_TRUSTED),
    _row("x509: |certificate|remote error: tls: ", _REGISTRY, Reason.TLS_REJECTED),
    # An ID that is gone: a classic store looks for its file.
    _row("failed to get digest", frozenset({Operation.SAVE}), Reason.IMAGE_NOT_FOUND),
    # Disk: what names the engine's own paths is its disk, other words in a push the registry's,
    # whose answer may name a path of its own that looks like an engine's.
    _row("from registry: .*(?:no space left|quota exceeded)", _PUSH, Reason.REGISTRY_FULL),
    _row(r"/docker/.*no space|ingest.*no space|docker-export", _PUSH, Reason.INSUFFICIENT_STORAGE),
    _row("no space left|quota exceeded", _PUSH, Reason.REGISTRY_FULL),
    _row("no space left|quota exceeded", _ANY, Reason.INSUFFICIENT_STORAGE),
    _row(r"toomanyrequests|too many requests|rate limit|\b429\b", _ANY, Reason.RATE_LIMITED),
    _row(
        "unauthorized|denied|no basic auth credentials|authentication required"
        "|insufficient_scope|403 forbidden",
        _REGISTRY,
        Reason.UNAUTHORIZED,
    ),
    _row("method not allowed", _PUSH, Reason.REGISTRY_READ_ONLY),
    # Content: a wrong digest says more than a missing blob, a blob more than a manifest.
    _row(
        "verification failed|failed to verify|digest mismatch|unexpected commit digest"
        "|digest did not match|digests do not match|failed size validation|invalid checksum",
        _STREAMS,
        Reason.DIGEST_MISMATCH,
    ),
    _row(
        "blob unknown|unknown blob|blob upload unknown"
        "|manifest blob unknown|blobs? .*not found"
        # The containerd store; it names the media type, so this goes before `+zstd`.
        "|fetch content descriptor .*not found",
        _REGISTRY,
        Reason.BLOB_MISSING,
    ),
    # A 500 of the registry, for a full disk or else (the containerd store from 28 on).
    _row("blob upload invalid|from registry: unknown error", _PUSH, Reason.SERVER_ERROR),
    # The containerd store tells the status alone; it is the upload that is not known.
    _row(r"unexpected status from (?:put|patch) request.*\b404\b", _PUSH, Reason.BLOB_MISSING),
    _row(
        "no matching manifest for|no match for platform|does not match the specified platform"
        "|cannot load .* image on|cannot be used on this platform"
        "|image operating system .* cannot be used",
        _STREAMS,
        Reason.PLATFORM_MISMATCH,
    ),
    _row(r"\+zstd|zstd: ", _STREAMS, Reason.COMPRESSION_UNSUPPORTED),
    # ExposedPorts of the config, which no other try changes (a classic store of Docker 29).
    _row("invalid port '", frozenset({Operation.PULL, Operation.LOAD}), Reason.IMAGE_REFUSED),
    _row(
        "unsupported media type|schema ?1|unsupported manifest format"
        "|mismatched image rootfs and manifest layers",
        _FETCH,
        Reason.PROTOCOL_ERROR,
    ),
    # Network between engine and registry. A cut stream is not an unreachable registry.
    _row(
        "no such host|server misbehaving|i/o timeout|connection refused|no route to host"
        "|network is unreachable|tls handshake timeout|context deadline exceeded|client.timeout"
        "|temporary failure in name resolution|connection timed out",
        _REGISTRY,
        Reason.REGISTRY_UNREACHABLE,
    ),
    _row(
        # `Get "URL": EOF` is a registry that hung up without a word.
        r'"\s*: eof\b|unexpected eof|connection reset|broken pipe|http2: |context canceled',
        _STREAMS | {Operation.PREFLIGHT},
        Reason.TRANSFER_INTERRUPTED,
    ),
    _row(
        r"internal server error|bad gateway|service unavailable|gateway timeout|\b50[0-4]\b",
        _REGISTRY,
        Reason.SERVER_ERROR,
    ),
    # Absence, last: "not found" stands in many sentences above.
    _row("missing content", _PUSH, Reason.PUSH_FAILED),
    _row(
        r"manifest unknown|name unknown|not found|\b404\b|repository does not exist",
        _FETCH,
        Reason.IMAGE_NOT_FOUND,
    ),
    _row(
        "no such image|tag does not exist|does not exist locally|reference does not exist"
        "|no such id",
        _LOCAL,
        Reason.IMAGE_NOT_FOUND,
    ),
)

_OTHERWISE = {
    Operation.PREFLIGHT: Reason.PULL_FAILED,
    Operation.PULL: Reason.PULL_FAILED,
    Operation.PUSH: Reason.PUSH_FAILED,
    Operation.LOAD: Reason.LOAD_FAILED,
    Operation.SAVE: Reason.TRANSFER_INTERRUPTED,  # the engine failed in mid-save
    Operation.CONTROL: Reason.ENGINE_UNREACHABLE,  # it answers, but refuses
}


def reason_of(text: str, operation: Operation, name: str = "") -> Reason:
    """The reason of the first row that matches the message, else the operation's own.

    `name` is the image's: an image may be called `certificate` or `denied`.
    """
    words = _NAMES.sub(" ", text[:LONGEST_READ].lower())
    if name:
        words = words.replace(name.lower(), " ")
    for row in _TABLE:
        if operation in row.operations and row.words.search(words):
            return row.reason
    return _OTHERWISE[operation]


def failure(
    text: str, operation: Operation, *, what: str, registry: str = "", name: str = ""
) -> TransferError:
    """The error for a message of an engine; `what` names the transfer, `registry` its host."""
    reason = reason_of(text, operation, name)
    advice = _advice(reason, operation, registry) or _hint(text)
    return TransferError(reason, f"{what}: {advice}{clean(text)}")


def _hint(text: str) -> str:
    """A handshake is the first large packet on a path; an engine behind a tunnel loses those."""
    if "tls handshake timeout" not in text[:LONGEST_READ].lower():
        return ""
    return (
        "if small requests pass, the engine's `mtu` is too large for the path: lower it;"
        " the engine says: "
    )


def message_in(text: str) -> str:
    """The `message` of an error answer; an answer that has none speaks for itself."""
    with contextlib.suppress(ValueError, RecursionError, AttributeError):
        text = str(json.loads(text).get("message") or text)
    return text.strip()


def clean(text: str) -> str:
    """One line without control, bidi or escape characters, and without credentials in URLs."""
    plain = _ANSI.sub("", text[:LONGEST_READ])
    visible = "".join(
        " " if char.isspace() else char
        for char in plain
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    words = _USER_IN_URL.sub("://***@", " ".join(visible.split()))
    words = _DIGEST.sub(r"\1\2", words)
    return words if len(words) <= LONGEST_WORDS else f"{words[: LONGEST_WORDS - 1]}…"


def _advice(reason: Reason, operation: Operation, registry: str) -> str:
    """What to do about it, before the engine's words, so that no bound cuts it off."""
    if reason is Reason.REGISTRY_NOT_TRUSTED:
        line = f'{{"insecure-registries": ["{registry}"]}}'
        return f"the engine does not trust {registry}: add {line} to its daemon.json; it says: "
    if reason is Reason.TLS_REJECTED and operation in _REGISTRY:
        return f"the engine rejects the certificate of {registry} (wrong CA, name or date?): "
    if reason is Reason.TLS_REJECTED:
        return "the engine expects TLS on this port: remove insecure from the spec; it says: "
    if reason is Reason.IMAGE_REFUSED:
        return "the engine rejects this image: rebuild it; the engine says: "
    return ""
