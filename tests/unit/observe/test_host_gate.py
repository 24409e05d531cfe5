"""A host is left alone as a whole; a round that fails is one failure, whatever its size (B10)."""

from __future__ import annotations

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.fault import Fault
from cyroid_images.observe.host_gate import CAP_SECONDS, MOST_HOSTS, HostGate
from tests.unit.plan.examples import fault

AWAY = fault(Reason.REGISTRY_UNREACHABLE, "refused")


def rest(gate: HostGate, now: float, host: str = "hub") -> float | None:
    """For how long the host is left alone yet; None: it may be asked."""
    try:
        gate.check(host, now)
    except TransferError as exc:
        return exc.retry_after
    return None


def test_why_it_is_left_alone_is_told() -> None:
    gate = HostGate()
    gate.failed("hub", AWAY, 0.0, 1.0)
    with pytest.raises(TransferError, match="refused") as told:
        gate.check("hub", 1.5)
    assert told.value.reason is AWAY.reason


def test_a_host_that_was_never_asked_may_be() -> None:
    assert rest(HostGate(), 0.0) is None


def test_b10_thirteen_questions_that_fail_together_are_one_failure() -> None:
    gate = HostGate()
    for number in range(13):
        gate.failed("hub", AWAY, 100.0, 101.0 + number / 10)
    assert rest(gate, 101.5) == pytest.approx(0.5)
    assert rest(gate, 102.0) is None


def test_failures_one_after_the_other_make_the_pause_grow_up_to_five_minutes() -> None:
    gate, now, pauses = HostGate(), 100.0, []
    for _ in range(12):
        gate.failed("hub", AWAY, now, now + 1)
        pause = rest(gate, now + 1)
        assert pause is not None
        pauses.append(pause)
        now += 1 + pause
        assert rest(gate, now) is None
    assert pauses[:4] == pytest.approx([1, 2, 4, 8])
    assert pauses[-1] == pytest.approx(CAP_SECONDS)


def test_an_answer_ends_the_pause_and_what_came_before_it() -> None:
    gate = HostGate()
    gate.failed("hub", AWAY, 100.0, 101.0)
    gate.failed("hub", AWAY, 103.0, 104.0)
    gate.succeeded("hub")
    assert rest(gate, 104.0) is None
    gate.failed("hub", AWAY, 110.0, 110.0)
    assert rest(gate, 110.0) == pytest.approx(1.0)


def test_a_host_that_says_how_long_is_taken_at_its_word() -> None:
    gate = HostGate()
    gate.failed("hub", Fault(AWAY.reason, AWAY.message, 3600.0), 0.0, 1.0)
    assert rest(gate, 1.0) == 3600.0
    assert rest(gate, 3601.0) is None


def test_a_host_that_says_at_once_and_fails_again_has_failed_twice() -> None:
    gate = HostGate()
    gate.failed("hub", Fault(AWAY.reason, AWAY.message, 0.0), 0.0, 1.0)
    assert rest(gate, 1.0) is None
    gate.failed("hub", AWAY, 1.0, 2.0)
    assert rest(gate, 2.0) == pytest.approx(2.0)


@pytest.mark.parametrize("reason", [Reason.UNAUTHORIZED, Reason.IMAGE_NOT_FOUND])
def test_what_concerns_one_image_holds_up_no_other(reason: Reason) -> None:
    gate = HostGate()
    gate.failed("hub", fault(reason), 0.0, 1.0)
    assert rest(gate, 1.0) is None


def test_hosts_are_told_apart_and_not_remembered_for_ever() -> None:
    gate = HostGate()
    for number in range(MOST_HOSTS + 1):
        gate.failed(f"host {number}", AWAY, 0.0, 1.0)
    assert rest(gate, 1.0, "host 0") is None
    assert rest(gate, 1.0, "host 1") is not None
    assert rest(gate, 1.0, "another") is None
