"""The canceller: cuts once, cuts late comers at once, and says why."""

from __future__ import annotations

import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.execute.cancellation import Canceller


def test_cancelling_cuts_everything_attached_once() -> None:
    canceller, cut = Canceller(), []
    canceller.attach(lambda: cut.append("a"))
    canceller.attach(lambda: cut.append("b"))
    canceller.cancel()
    canceller.cancel()
    assert cut == ["a", "b"]


def test_what_is_detached_is_not_cut() -> None:
    canceller, cut = Canceller(), []
    detach = canceller.attach(lambda: cut.append("a"))
    detach()
    detach()
    canceller.cancel()
    assert cut == []


def test_what_comes_late_is_cut_at_once() -> None:
    canceller, cut = Canceller(), []
    canceller.cancel()
    detach = canceller.attach(lambda: cut.append("late"))
    detach()
    assert cut == ["late"]


def test_nothing_is_raised_before() -> None:
    Canceller().raise_if_cancelled()


def test_without_a_cause_it_is_our_own_wish() -> None:
    canceller = Canceller()
    canceller.cancel()
    with pytest.raises(Cancelled):
        canceller.raise_if_cancelled()


def test_the_first_cause_stays() -> None:
    canceller = Canceller()
    canceller.cancel(TransferError(Reason.TIMEOUT, "too long"))
    canceller.cancel()
    with pytest.raises(TransferError, match="too long"):
        canceller.raise_if_cancelled()
