"""Threads on one task end together: all done, the first failed, or cut from above."""

from __future__ import annotations

import threading

import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope
from cyroid_images.transfer.layers.parallel import in_parallel

BUDGET = 10.0
"""Seconds after which a thread that should have been woken gives up, and the test fails."""


def until_cut(cancellation: CancelScope) -> None:
    """Block as a read does."""
    cut = threading.Event()
    cancellation.attach(cut.set)
    assert cut.wait(BUDGET), "nobody cut it"
    cancellation.raise_if_cancelled()


def test_every_item_is_done_once() -> None:
    """More items than threads."""
    done: list[int] = []
    in_parallel(lambda item, _: done.append(item), range(20), NEVER, most=3)
    assert sorted(done) == list(range(20))


def test_no_more_run_at_a_time_than_may() -> None:
    """Each waits for a second one that the bound lets in; a third would break the barrier."""
    barrier = threading.Barrier(2, timeout=BUDGET)
    running, most = [], []

    def work(item: int, _: CancelScope) -> None:
        running.append(item)
        barrier.wait()
        most.append(len(running))
        barrier.wait()
        running.remove(item)

    in_parallel(work, range(6), NEVER, most=2)
    assert max(most) <= 2


def test_the_first_failure_ends_the_others_and_is_raised() -> None:
    """Not that they were cut; what had not begun does not begin."""
    begun: list[int] = []

    def work(item: int, cancellation: CancelScope) -> None:
        begun.append(item)
        if item == 1:
            raise TransferError(Reason.BLOB_MISSING, "gone")
        until_cut(cancellation)

    with pytest.raises(TransferError, match="gone"):
        in_parallel(work, range(50), NEVER, most=2)
    assert len(begun) <= 3


def test_a_cut_from_above_ends_all_and_is_raised() -> None:
    """With the cause that was given."""
    scope = CancelScope()

    def work(item: int, cancellation: CancelScope) -> None:
        if item == 2:
            scope.cancel(TransferError(Reason.TIMEOUT, "too long"))
        until_cut(cancellation)

    with pytest.raises(TransferError, match="too long"):
        in_parallel(work, range(3), scope, most=3)


def test_nothing_begins_for_nobody() -> None:
    """It was cut before."""
    scope = CancelScope()
    scope.cancel()
    with pytest.raises(Cancelled):
        in_parallel(lambda *_: pytest.fail("it began"), [1], scope, most=1)
