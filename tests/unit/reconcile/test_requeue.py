"""When an object gets a pass without any event."""

from __future__ import annotations

from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Route
from cyroid_images.model.observed import FailureKey, TargetSeen
from cyroid_images.reconcile.requeue import (
    HEAL_SECONDS,
    LEAST_SECONDS,
    WAITING_SECONDS,
    requeue_after,
    requeue_cache_after,
)
from cyroid_images.report.status_writer import PROGRESS_SECONDS
from tests.unit.plan.examples import cache_seen, failure, fault, range_seen, target, view, wish

KEY = FailureKey("uid-1", wish(), Route.REGISTRY)


def pause(*, is_running: bool = False, unseen: Reason | None = None, **seen: Any) -> float:
    """Seconds until the next pass of a range with one target."""
    shown = TargetSeen(target(), fault=fault(unseen)) if unseen else TargetSeen(target(), view())
    return requeue_after(range_seen(None, (shown,), **seen), is_running=is_running)


def test_what_is_complete_gets_a_pass_in_case_a_wake_was_lost() -> None:
    assert pause() == HEAL_SECONDS
    assert requeue_cache_after(cache_seen(), is_running=False) == HEAL_SECONDS


def test_progress_is_told_while_something_runs() -> None:
    assert pause(is_running=True) == PROGRESS_SECONDS
    assert requeue_cache_after(cache_seen(), is_running=True) == PROGRESS_SECONDS


def test_how_long_an_engine_does_not_answer_is_told() -> None:
    assert pause(unseen=Reason.ENGINE_UNREACHABLE) == WAITING_SECONDS


def test_a_retry_comes_when_it_is_due() -> None:
    assert pause(failures={KEY: failure(Reason.PULL_FAILED, due=7)}) == 7
    seen = cache_seen(failures={wish(): failure(Reason.PUSH_FAILED, due=9)})
    assert requeue_cache_after(seen, is_running=False) == 9
    limited = cache_seen(hosts={"hub": failure(Reason.RATE_LIMITED, due=8)})
    assert requeue_cache_after(limited, is_running=False) == 8


def test_a_retry_that_is_nearly_due_gives_no_burst() -> None:
    assert pause(failures={KEY: failure(Reason.PULL_FAILED, due=0.01)}) == LEAST_SECONDS


def test_a_moment_that_is_over_is_not_chased() -> None:
    over = {KEY: failure(Reason.PULL_FAILED, due=-1)}
    assert pause(failures=over) == HEAL_SECONDS
    assert pause(is_running=True, failures=over) == PROGRESS_SECONDS
