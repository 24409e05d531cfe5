"""Turns and pauses of a rate limiter, with a clock of numbers."""

from __future__ import annotations

import pytest

from cyroid_images.kube.api import BURST, PER_SECOND
from cyroid_images.scheduling.rate_limiter import RateLimiter


def test_a_burst_goes_at_once_and_the_rest_in_its_turn() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    waits = [limiter.take(now=100.0) for _ in range(60)]
    assert waits[:40] == [0] * 40
    assert waits[40:] == pytest.approx([0.05 * turn for turn in range(1, 21)])


def test_a_rest_brings_the_burst_back_but_no_more() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    for _ in range(80):
        limiter.take(now=0.0)
    waits = [limiter.take(now=1000.0) for _ in range(41)]
    assert waits[:40] == [0] * 40
    assert waits[40] == pytest.approx(0.05)


def test_in_the_long_run_the_rate_is_kept() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    now = 0.0
    for _ in range(240):
        now += limiter.take(now)
    assert now == pytest.approx((240 - 40) / 20)


def test_a_hold_is_kept_by_all_and_never_shortened() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    limiter.hold(now=0.0, seconds=5.0)
    limiter.hold(now=0.0, seconds=1.0)
    assert [limiter.take(now=1.0), limiter.take(now=2.0), limiter.take(now=6.0)] == [4.0, 3.05, 0.0]


@pytest.mark.row("K4")
def test_after_a_hold_calls_come_one_by_one_and_not_in_a_burst() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    limiter.hold(now=100.0, seconds=2.0)
    waits = [limiter.take(now=101.0) for _ in range(10)]
    assert waits == pytest.approx([1 + 0.05 * turn for turn in range(10)])


def test_the_busiest_minute_stays_below_twenty_a_second_with_the_renewals_of_the_lease() -> None:
    renewals, now, calls = 12, 0.0, 0
    limiter = RateLimiter(PER_SECOND, BURST)
    while (now := now + limiter.take(now)) < 60:
        calls += 1
    assert 19 * 60 < calls + renewals <= 20 * 60


def test_a_spare_turn_leaves_so_many_to_others() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    spare = [limiter.take_spare(now=0.0, left=30) for _ in range(12)]
    assert spare[:10] == [0] * 10
    assert spare[10:] == pytest.approx([0.05, 0.05])  # asked in vain, which costs nothing
    assert [limiter.take(now=0.0) for _ in range(30)] == pytest.approx([0] * 30)
    assert limiter.take(now=0.0) == pytest.approx(0.05)


def test_who_waits_for_a_turn_goes_before_every_spare_one() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    for _ in range(60):
        limiter.take(now=0.0)
    wait = limiter.take_spare(now=0.0, left=5)
    assert wait == pytest.approx((20 + 1 + 5) * 0.05)
    assert limiter.take_spare(now=wait + 0.001, left=5) == 0.0


def test_nothing_is_spare_while_all_are_held() -> None:
    limiter = RateLimiter(per_second=20, burst=40)
    limiter.hold(now=0.0, seconds=3.0)
    assert limiter.take_spare(now=1.0, left=0) == pytest.approx(2.0)
