"""The cancel scope: cuts once, cuts late comers at once, says why, and knows when it is late."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

BUDGET = 10.0
"""Seconds after which a cut that should have come has not, and the test fails."""

LATE = TransferError(Reason.TIMEOUT, "too long")


def is_cut(scope: CancelScope) -> bool:
    """Block as a read does, until somebody cuts it."""
    cut = threading.Event()
    scope.attach(cut.set)
    return cut.wait(BUDGET)


def fail() -> None:
    raise OSError("already closed")


def test_cancelling_cuts_everything_attached_once() -> None:
    scope, cut = CancelScope(), []
    scope.attach(lambda: cut.append("a"))
    scope.attach(lambda: cut.append("b"))
    scope.cancel()
    scope.cancel()
    assert cut == ["a", "b"]


def test_what_is_detached_is_not_cut() -> None:
    scope, cut = CancelScope(), []
    detach = scope.attach(lambda: cut.append("a"))
    detach()
    detach()
    scope.cancel()
    assert cut == []


def test_what_comes_late_is_cut_at_once() -> None:
    scope, cut = CancelScope(), []
    scope.cancel()
    detach = scope.attach(lambda: cut.append("late"))
    detach()
    assert cut == ["late"]


def test_a_cut_that_fails_does_not_spare_the_others(caplog: pytest.LogCaptureFixture) -> None:
    scope, cut = CancelScope(), []
    scope.attach(fail)
    scope.attach(lambda: cut.append("b"))
    scope.cancel()
    assert cut == ["b"]
    assert "cutting off cancelled work failed" in caplog.text


def test_nothing_is_raised_before() -> None:
    scope = CancelScope()
    scope.raise_if_cancelled()
    assert scope.cause is None


def test_without_a_cause_it_is_our_own_wish() -> None:
    scope = CancelScope()
    scope.cancel()
    with pytest.raises(Cancelled):
        scope.raise_if_cancelled()


def test_the_first_cause_stays() -> None:
    scope = CancelScope()
    scope.cancel(LATE)
    scope.cancel()
    with pytest.raises(TransferError, match="too long"):
        scope.raise_if_cancelled()


def test_nothing_begins_for_nobody() -> None:
    scope = CancelScope()
    scope.cancel()
    with pytest.raises(Cancelled), scope:
        pytest.fail("it began")


# -- parents and children


def test_a_child_is_cancelled_with_its_parent_for_the_same_cause() -> None:
    parent = CancelScope()
    child = CancelScope(CancelScope(parent))
    cut: list[str] = []
    child.attach(lambda: cut.append("child"))
    parent.cancel(LATE)
    assert cut == ["child"]
    assert child.cause is LATE


def test_a_parent_outlives_its_children() -> None:
    parent = CancelScope()
    CancelScope(parent).cancel()
    parent.raise_if_cancelled()


def test_the_parents_cause_is_told_before_the_childs_own() -> None:
    """Whoever no longer wants the work is not told of a socket that broke meanwhile."""
    parent = CancelScope()
    child = CancelScope(parent)
    child.cancel(LATE)
    parent.cancel()
    assert isinstance(child.cause, Cancelled)


def test_a_child_of_a_cancelled_parent_is_cancelled() -> None:
    parent = CancelScope()
    parent.cancel(LATE)
    assert CancelScope(parent).cause is LATE


def test_a_closed_child_is_let_go() -> None:
    """A transfer of an hour must not remember each of its requests."""
    parent, cut = CancelScope(), []
    with CancelScope(parent) as child:
        child.attach(lambda: cut.append("child"))
    parent.cancel()
    assert cut == []


# -- deadlines


def test_a_deadline_cuts_by_itself_with_its_own_cause() -> None:
    scope = CancelScope(deadline=time.monotonic() - 1, late=LATE)
    assert is_cut(scope)
    assert scope.cause is LATE


def test_a_deadline_that_comes_later_cuts_what_waits() -> None:
    scope = CancelScope().within(0.05, LATE)
    assert is_cut(scope)
    assert scope.cause is LATE


def test_a_deadline_without_a_cause_is_a_timeout() -> None:
    scope = CancelScope(deadline=time.monotonic())
    assert is_cut(scope)
    with pytest.raises(TransferError) as caught:
        scope.raise_if_cancelled()
    assert caught.value.reason is Reason.TIMEOUT


def test_a_deadline_ends_the_call_and_not_what_is_around_it() -> None:
    parent = CancelScope()
    assert is_cut(parent.within(0.0, LATE))
    assert parent.cause is None


def test_a_nearer_deadline_is_not_kept_waiting_by_a_farther_one() -> None:
    """One thread watches all of them."""
    far = CancelScope(deadline=time.monotonic() + 3600)
    assert is_cut(CancelScope().within(0.05, LATE))
    assert far.cause is None
    far.close()


def test_a_deadline_that_is_brought_forward_counts_from_then_on() -> None:
    scope = CancelScope(deadline=time.monotonic() + 3600)
    scope.postpone(0.0, LATE)
    assert is_cut(scope)
    assert scope.cause is LATE


def test_a_postponed_deadline_does_not_cut() -> None:
    """Another one that is due later proves that its moment has passed."""
    scope = CancelScope().within(0.05, LATE)
    scope.postpone(math.inf)
    assert is_cut(CancelScope().within(0.1, LATE))
    assert scope.cause is None


def test_a_closed_scope_is_late_no_more() -> None:
    with CancelScope().within(0.05, LATE) as scope:
        pass
    assert is_cut(CancelScope().within(0.1, LATE))
    assert scope.cause is None


def test_deadlines_take_one_thread_however_many_they_are() -> None:
    scopes = [CancelScope(deadline=time.monotonic() + 3600) for _ in range(100)]
    assert [thread.name for thread in threading.enumerate()].count("deadlines") == 1
    for scope in scopes:
        scope.close()


def test_a_cut_that_fails_does_not_end_the_thread_that_watches() -> None:
    broken = CancelScope()
    broken.attach(fail)
    broken.postpone(0.0, LATE)
    assert is_cut(CancelScope().within(0.05, LATE))


# -- grace


def test_grace_lets_what_is_below_end_in_good_order_and_cuts_it_then() -> None:
    parent = CancelScope()
    graceful = CancelScope(parent, grace=0.05)
    cut: list[str] = []
    graceful.attach(lambda: cut.append("now"))
    parent.cancel(LATE)
    graceful.raise_if_cancelled()  # not yet
    assert cut == []
    assert is_cut(graceful)
    assert graceful.cause is LATE


def test_grace_that_is_over_before_its_end_cuts_nothing() -> None:
    parent = CancelScope()
    with CancelScope(parent, grace=0.05) as graceful:
        parent.cancel()
    assert is_cut(CancelScope().within(0.1, LATE))
    assert graceful.cause is None


# -- waiting


def test_a_wait_ends_when_it_is_cut() -> None:
    scope, raised = CancelScope(), []

    def run() -> None:
        try:
            scope.wait(60.0)
        except Cancelled as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    scope.cancel()
    thread.join(BUDGET)
    assert not thread.is_alive()
    assert raised


def test_a_wait_ends_by_itself() -> None:
    CancelScope().wait(0.001)


# -- never


@pytest.mark.parametrize("act", [NEVER.cancel, lambda: NEVER.cancel(LATE)])
def test_what_everybody_shares_cannot_be_cancelled(act: Callable[[], None]) -> None:
    with pytest.raises(TypeError):
        act()


def test_never_keeps_nothing_and_has_children_that_are_late() -> None:
    with NEVER.within(0.0, LATE) as scope:
        assert is_cut(scope)
    NEVER.raise_if_cancelled()
