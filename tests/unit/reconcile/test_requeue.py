"""When a range is looked at again without any event."""

from __future__ import annotations

from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Present, Step, Wait
from cyroid_images.model.fault import Route
from cyroid_images.model.observed import FailureKey, TargetSeen
from cyroid_images.reconcile.memory import Memory
from cyroid_images.reconcile.pace import LEAST_SECONDS, WAITING_SECONDS, next_look
from cyroid_images.reconcile.reporter import PROGRESS_SECONDS
from tests.unit.plan.examples import (
    NOW,
    content,
    failure,
    fault,
    range_item,
    range_seen,
    target,
    view,
    wish,
)

HERE: tuple[Step, ...] = (Present(wish(), content()),)
WAITS: tuple[Step, ...] = (Wait(wish(), fault(Reason.PROGRESSING)),)
KEY = FailureKey("uid-1", wish(), Route.REGISTRY)


def pause(
    steps: tuple[Step, ...] = HERE,
    *,
    is_running: bool = False,
    asked: float | None = None,
    unseen: Reason | None = None,
    **seen: Any,
) -> float:
    """Seconds until the next look; `asked` is how long ago an engine was first asked in vain."""
    item = range_item()
    shown = TargetSeen(target(), fault=fault(unseen)) if unseen else TargetSeen(target(), view())
    memory = Memory.of(item, NOW)
    if asked is not None:
        memory.waited["uid-1"] = asked
    given = range_seen(item, (shown,), **seen)
    return next_look(given, {"uid-1": steps}, is_running=is_running, memory=memory)


def test_what_is_complete_is_looked_at_for_drift() -> None:
    assert pause() == 300


def test_progress_is_told_while_something_runs() -> None:
    assert pause(is_running=True) == PROGRESS_SECONDS


def test_a_wait_is_looked_at_in_case_its_event_got_lost() -> None:
    assert pause(WAITS) == WAITING_SECONDS


def test_a_retry_comes_when_it_is_due() -> None:
    assert pause(WAITS, failures={KEY: failure(Reason.PULL_FAILED, due=7)}) == 7


def test_a_retry_that_is_nearly_due_gives_no_burst() -> None:
    assert pause(WAITS, failures={KEY: failure(Reason.PULL_FAILED, due=0.01)}) == LEAST_SECONDS


def test_a_moment_that_is_over_is_not_chased() -> None:
    over = {KEY: failure(Reason.PULL_FAILED, due=-1)}
    assert pause(WAITS, failures=over) == WAITING_SECONDS
    assert pause(is_running=True, failures=over) == PROGRESS_SECONDS


def test_an_engine_that_does_not_answer_is_asked_at_a_slowing_pace() -> None:
    paces = [pause((), unseen=Reason.ENGINE_UNREACHABLE, asked=ago) for ago in (0, 8, 40, 9999)]
    assert paces == [1, 2, 10, WAITING_SECONDS]


def test_a_pod_without_a_container_announces_itself() -> None:
    assert pause((), unseen=Reason.POD_NOT_READY) == WAITING_SECONDS


def test_what_only_a_human_mends_is_not_hammered() -> None:
    assert pause((), unseen=Reason.TLS_REJECTED, asked=0) == WAITING_SECONDS
