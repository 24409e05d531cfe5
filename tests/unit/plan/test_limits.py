"""What a namespace's editor may ask for ends at what the platform allows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.model.kinds.limits import Limits
from cyroid_images.plan.limits import EffectiveTimeouts, RangeLimits, effective_timeouts
from cyroid_images.settings import Settings
from tests.unit.plan.examples import range_item

USUAL = RangeLimits(stall=600, total=14400, interval=1)


def limits_of(**given_so: str) -> Limits:
    return Limits.read(given_so, at="spec.limits")


CASES: dict[str, tuple[dict[str, Any], Limits | None, tuple[float, float, float]]] = {
    "a-range-as-usual": ({}, None, (120, 3600, 300)),
    "s4-a-week-is-cut": (
        {"timeouts": {"stall": "23h", "total": "168h"}}, None, (600, 14400, 300),
    ),
    "a-cache-allows-less": (
        {"timeouts": {"stall": "5m", "total": "2h"}},
        limits_of(stall="30s", total="60s"),
        (30, 60, 300),
    ),
    "a-cache-allows-more": (
        {"timeouts": {"stall": "1h", "total": "24h"}},
        limits_of(stall="2h", total="168h"),
        (3600, 86400, 300),
    ),
    "a-look-each-second": ({"interval": "1s"}, limits_of(interval="30s"), (120, 3600, 30)),
    "a-look-each-second-where-nobody-says": ({"interval": "1s"}, Limits(), (120, 3600, 1)),
    "a-stall-that-outlives-its-total": ({}, limits_of(total="60s"), (60, 60, 300)),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "limits", "expected"), CASES.values(), ids=CASES)
def test_each_timeout_is_within_its_limit(
    spec: dict[str, Any], limits: Limits | None, expected: tuple[float, float, float]
) -> None:
    assert effective_timeouts(range_item(**spec).spec, limits, USUAL) == EffectiveTimeouts(
        *expected
    )


SECONDS = st.integers(2, 604800)


@given(total=SECONDS, interval=SECONDS, most=SECONDS | st.none(), least=SECONDS | st.none())
def test_s4_no_range_goes_beyond_a_limit(
    total: int, interval: int, most: int | None, least: int | None
) -> None:
    timeouts = {"stall": "1s", "total": f"{total}s"}
    asked = range_item(timeouts=timeouts, interval=f"{interval}s").spec
    given_so = {"total": most, "interval": least}
    limits = limits_of(**{name: f"{value}s" for name, value in given_so.items() if value})
    found = effective_timeouts(asked, limits, USUAL)
    assert found.total <= (most or USUAL.total)
    assert found.interval >= (least or USUAL.interval)
    assert 0 < found.stall <= found.total


def test_the_settings_allow_what_a_range_has_by_default() -> None:
    settings, spec = Settings(), range_item().spec
    usual = RangeLimits(
        settings.max_stall_seconds, settings.max_total_seconds, settings.min_interval_seconds
    )
    assert effective_timeouts(spec, None, usual) == EffectiveTimeouts(
        spec.timeouts.stall, spec.timeouts.total, spec.interval
    )
