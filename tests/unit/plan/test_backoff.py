"""Pauses between attempts, and when a tar takes over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cyroid_images.errors import Reason
from cyroid_images.plan.backoff import REGISTRY_AGAIN, failed, gives_way_to_tar
from tests.unit.plan.examples import NOW, failure, fault


def pause(reason: Reason, attempts: int, *, retry_after: float | None = None) -> float:
    """Seconds after this attempt in vain, without any spread."""
    before = failure(reason, attempts - 1) if attempts > 1 else None
    after = failed(before, fault(reason, retry_after=retry_after), NOW, spread=0)
    assert after.attempts == attempts
    return (after.next_attempt - NOW).total_seconds()


PAUSES = {
    "the-first-retry-is-soon": (Reason.PULL_FAILED, 1, 1),
    "doubled": (Reason.PULL_FAILED, 2, 2),
    "doubled-again": (Reason.PULL_FAILED, 3, 4),
    "capped": (Reason.PULL_FAILED, 10, 300),
    "capped-whatever-the-count": (Reason.PULL_FAILED, 100_000, 300),
    "a-full-engine": (Reason.INSUFFICIENT_STORAGE, 1, 300),
    "a-full-registry": (Reason.REGISTRY_FULL, 1, 300),
    "only-a-human-helps": (Reason.UNAUTHORIZED, 1, 600),
    "integrity-is-repaired-at-once": (Reason.BLOB_MISSING, 1, 1),
    "integrity-a-second-time": (Reason.BLOB_MISSING, 2, 600),
}


@pytest.mark.parametrize(("reason", "attempts", "seconds"), PAUSES.values(), ids=PAUSES)
def test_how_long_a_pause_is(reason: Reason, attempts: int, seconds: float) -> None:
    assert pause(reason, attempts) == seconds


def test_what_the_other_side_asks_for_is_obeyed() -> None:
    assert pause(Reason.RATE_LIMITED, 1, retry_after=1234) == 1234


@pytest.mark.parametrize(("spread", "seconds"), [(-1, 0.8), (1, 1.2)])
def test_the_spread_is_a_fifth_to_either_side(spread: float, seconds: float) -> None:
    after = failed(None, fault(Reason.PULL_FAILED), NOW, spread=spread)
    assert after.next_attempt == NOW + timedelta(seconds=seconds)


AFTER = {
    "pull-failed": (Reason.PULL_FAILED, 3),
    "push-failed": (Reason.PUSH_FAILED, 3),
    "registry-down": (Reason.REGISTRY_UNREACHABLE, 3),
    "registry-broken": (Reason.SERVER_ERROR, 3),
    "not-reachable-from-the-engine": (Reason.REGISTRY_UNREACHABLE_FROM_TARGET, 2),
    "collected": (Reason.IMAGE_NOT_FOUND, 2),
    "blob-missing": (Reason.BLOB_MISSING, 2),
    "damaged": (Reason.DIGEST_MISMATCH, 2),
    "damaged-manifest": (Reason.MANIFEST_DIGEST_MISMATCH, 2),
    "not-durable": (Reason.PUSH_NOT_DURABLE, 2),
    "not-trusted": (Reason.REGISTRY_NOT_TRUSTED, 1),
    "tls": (Reason.TLS_REJECTED, 1),
    "unauthorized": (Reason.UNAUTHORIZED, 1),
    "read-only": (Reason.REGISTRY_READ_ONLY, 1),
    "registry-full": (Reason.REGISTRY_FULL, 1),
}


@pytest.mark.parametrize(("reason", "attempts"), AFTER.values(), ids=AFTER)
def test_a_tar_comes_after_so_many_attempts_and_not_before(reason: Reason, attempts: int) -> None:
    assert gives_way_to_tar(failure(reason, attempts))
    assert attempts == 1 or not gives_way_to_tar(failure(reason, attempts - 1))


@pytest.mark.parametrize(
    "reason",
    [
        Reason.INSUFFICIENT_STORAGE,
        Reason.PLATFORM_MISMATCH,
        Reason.ENGINE_UNREACHABLE,
        Reason.TARGET_IDENTITY_MISMATCH,
        Reason.ENGINE_TOO_OLD,
    ],
)
def test_where_a_tar_cannot_help_it_is_never_tried(reason: Reason) -> None:
    assert not gives_way_to_tar(failure(reason, 99))


def test_a_registry_route_that_failed_is_left_alone_for_ten_minutes() -> None:
    assert timedelta(minutes=10) == REGISTRY_AGAIN
