"""When to try again, and when the registry route gives way to a tar."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.fault import Failure, Fault

FIRST_SECONDS = 1.0
"""A restarted registry or engine is back within seconds; the first retry finds it."""
CAP_SECONDS = 300.0
"""Five minutes: nobody waits much longer for what healed by itself."""
TERMINAL_SECONDS = 600.0
"""What only a human can mend is looked at every ten minutes all the same."""
FULL_DISK_SECONDS = 300.0
"""A full disk does not empty in seconds, and each try writes to it."""
REGISTRY_AGAIN = timedelta(minutes=10)
"""How long a failed registry route of a target is left alone before it is tried again."""

_SPREAD = 0.2
_FULL = frozenset({Reason.INSUFFICIENT_STORAGE, Reason.REGISTRY_FULL})


def failed(
    previous: Failure | None, fault: Fault, now: datetime, *, spread: float, attempts: int = 0
) -> Failure:
    """The failure after one more attempt; `spread` in -1 to 1 keeps retries apart.

    `attempts`: how many there were with it, where that is not one more than before.
    """
    attempts = attempts or (previous.attempts if previous else 0) + 1
    pause = _pause(fault, attempts, now) * (1 + _SPREAD * spread)
    return Failure(fault, attempts, now + timedelta(seconds=pause))


def gone_for_now(fault: Fault, otherwise: Reason) -> Fault:
    """What a look saw and its transfer did not find there is tried again soon, as `otherwise`.

    That nobody has it, which only a human can mend, is for the next looks to say.
    """
    match fault.reason:
        case Reason.IMAGE_NOT_FOUND:
            return replace(fault, reason=otherwise)
        case Reason.ARCHIVE_MISSING:
            return replace(fault, reason=Reason.SOURCE_CHANGED)
        case _:
            return fault


def is_given_up(failure: Failure) -> bool:
    """Can only somebody outside help: a human, or for integrity whoever mends the content?"""
    mark = failure.reason.mark
    return mark is Mark.TERMINAL or (mark is Mark.INTEGRITY and failure.attempts > 1)


def _pause(fault: Fault, attempts: int, now: datetime) -> float:
    """Seconds until the next attempt."""
    if fault.retry_after is not None:
        return fault.retry_after
    if fault.reason in _FULL:
        return FULL_DISK_SECONDS
    if is_given_up(Failure(fault, attempts, now)):
        return TERMINAL_SECONDS
    return min(FIRST_SECONDS * 2.0 ** min(attempts - 1, 16), CAP_SECONDS)


_NO_TAR = frozenset(
    {
        Reason.INSUFFICIENT_STORAGE,  # a tar needs more space than a pull
        Reason.PLATFORM_MISMATCH,  # the tar would be of the same platform
        Reason.ENGINE_UNREACHABLE,  # the same engine would have to take it
        Reason.WAITING_FOR_ENGINE,
        Reason.TARGET_IDENTITY_MISMATCH,
        Reason.ENGINE_TOO_OLD,
        Reason.ENGINE_TOO_NEW,
        Reason.IMAGE_REFUSED,  # the engine takes such an image by no route
        Reason.SOURCE_CHANGED,
    }
)
_TAR_AT_ONCE = frozenset(
    {
        Reason.REGISTRY_NOT_TRUSTED,
        Reason.TLS_REJECTED,
        Reason.UNAUTHORIZED,
        Reason.REGISTRY_READ_ONLY,
        Reason.REGISTRY_FULL,
        Reason.COMPRESSION_UNSUPPORTED,
        Reason.UNTRUSTED_REDIRECT,
        Reason.UNTRUSTED_TOKEN_REALM,
        Reason.SECRET_MISSING,
        # Pulled, and not listed: a containerd store (26.1.5) that has a layer as another blob,
        # say from a tar, never fetches ours. A tar carries every blob.
        Reason.LOAD_FAILED,
    }
)
_TAR_AFTER_TWO = frozenset(
    {
        Reason.REGISTRY_UNREACHABLE_FROM_TARGET,
        Reason.IMAGE_NOT_FOUND,  # collected from the registry: the cache pushes again first
        Reason.BLOB_MISSING,
        Reason.DIGEST_MISMATCH,
        Reason.MANIFEST_DIGEST_MISMATCH,
        Reason.PUSH_NOT_DURABLE,
    }
)


def gives_way_to_tar(failure: Failure) -> bool:
    """Has the registry route failed in a way, and often enough, that a tar may help?"""
    reason = failure.reason
    if reason in _NO_TAR:
        return False
    if reason in _TAR_AT_ONCE:
        return True
    return failure.attempts >= (2 if reason in _TAR_AFTER_TWO else 3)
