"""The pace of our calls, with a clock of numbers."""

from __future__ import annotations

import pytest

from cyroid_images.kube.pace import Pace


def test_a_burst_goes_at_once_and_the_rest_in_its_turn() -> None:
    pace = Pace(per_second=20, burst=40)
    waits = [pace.take(now=100.0) for _ in range(60)]
    assert waits[:40] == [0] * 40
    assert waits[40:] == pytest.approx([0.05 * turn for turn in range(1, 21)])


def test_a_rest_brings_the_burst_back_but_no_more() -> None:
    pace = Pace(per_second=20, burst=40)
    for _ in range(80):
        pace.take(now=0.0)
    waits = [pace.take(now=1000.0) for _ in range(41)]
    assert waits[:40] == [0] * 40
    assert waits[40] == pytest.approx(0.05)


def test_in_the_long_run_the_pace_is_kept() -> None:
    pace = Pace(per_second=20, burst=40)
    now = 0.0
    for _ in range(240):
        now += pace.take(now)
    assert now == pytest.approx((240 - 40) / 20)


def test_a_hold_is_kept_by_all_and_never_shortened() -> None:
    pace = Pace(per_second=20, burst=40)
    pace.hold(now=0.0, seconds=5.0)
    pace.hold(now=0.0, seconds=1.0)
    assert [pace.take(now=1.0), pace.take(now=2.0), pace.take(now=6.0)] == [4.0, 3.05, 0.0]


@pytest.mark.row("K4")
def test_after_a_hold_calls_come_one_by_one_and_not_in_a_burst() -> None:
    pace = Pace(per_second=20, burst=40)
    pace.hold(now=100.0, seconds=2.0)
    waits = [pace.take(now=101.0) for _ in range(10)]
    assert waits == pytest.approx([1 + 0.05 * turn for turn in range(10)])


def test_the_busiest_minute_stays_below_twenty_a_second_with_the_renewals_of_the_lease() -> None:
    renewals, pace, now, calls = 12, Pace(), 0.0, 0
    while (now := now + pace.take(now)) < 60:
        calls += 1
    assert 19 * 60 < calls + renewals <= 20 * 60
