"""Conditions change through one door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.conditions import (
    Condition,
    ConditionStatus,
    ConditionType,
    Verdict,
    set_conditions,
)

THEN = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
NOW = THEN + timedelta(minutes=5)


def verdict(
    kind: ConditionType = ConditionType.READY,
    status: ConditionStatus = ConditionStatus.FALSE,
    reason: Reason = Reason.PROGRESSING,
    message: str = "0 of 1 images present",
) -> Verdict:
    return Verdict(kind, status, reason, message)


def ready(status: ConditionStatus = ConditionStatus.FALSE) -> tuple[Condition, ...]:
    return set_conditions((), [verdict(status=status)], generation=1, now=THEN)


def test_a_new_condition_changed_now() -> None:
    (condition,) = ready()
    assert condition.last_transition_time == THEN
    assert condition.observed_generation == 1


def test_the_time_stays_while_only_reason_message_and_generation_change() -> None:
    changed = verdict(reason=Reason.PULL_FAILED, message="pull failed")
    (condition,) = set_conditions(ready(), [changed], generation=2, now=NOW)
    assert condition.last_transition_time == THEN
    assert (condition.reason, condition.message) == (Reason.PULL_FAILED, "pull failed")
    assert condition.observed_generation == 2


@pytest.mark.parametrize("status", [ConditionStatus.TRUE, ConditionStatus.UNKNOWN])
def test_the_time_moves_with_the_status(status: ConditionStatus) -> None:
    (condition,) = set_conditions(ready(), [verdict(status=status)], generation=1, now=NOW)
    assert condition.last_transition_time == NOW


def test_what_has_no_verdict_is_gone() -> None:
    assert set_conditions(ready(), [], generation=1, now=NOW) == ()


@pytest.mark.parametrize("kind", [ConditionType.RECONCILING, ConditionType.STALLED])
def test_an_abnormal_condition_exists_only_while_true(kind: ConditionType) -> None:
    held = set_conditions((), [verdict(kind, ConditionStatus.TRUE)], generation=1, now=THEN)
    assert [condition.type for condition in held] == [kind]
    for status in (ConditionStatus.FALSE, ConditionStatus.UNKNOWN):
        assert set_conditions(held, [verdict(kind, status)], generation=1, now=NOW) == ()


def test_an_abnormal_condition_that_is_left_out_takes_no_other_one_with_it() -> None:
    verdicts = [verdict(ConditionType.STALLED, ConditionStatus.FALSE), verdict()]
    (condition,) = set_conditions((), verdicts, generation=1, now=NOW)
    assert condition.type is ConditionType.READY


def test_an_abnormal_condition_that_comes_back_changed_now() -> None:
    stalled = verdict(ConditionType.STALLED, ConditionStatus.TRUE)
    (again,) = set_conditions((), [stalled], generation=1, now=NOW)
    assert again.last_transition_time == NOW


def test_the_order_is_the_same_whatever_the_verdicts_order() -> None:
    verdicts = [
        verdict(kind, ConditionStatus.TRUE)
        for kind in (ConditionType.STALLED, ConditionType.TAR_FALLBACK, ConditionType.READY)
    ]
    types = [item.type for item in set_conditions((), verdicts, generation=1, now=NOW)]
    assert types == [ConditionType.READY, ConditionType.TAR_FALLBACK, ConditionType.STALLED]


def test_two_verdicts_on_one_type_are_a_defect() -> None:
    with pytest.raises(ValueError, match="Ready"):
        set_conditions((), [verdict(), verdict()], generation=1, now=NOW)


def test_the_same_pass_twice_gives_the_same_conditions() -> None:
    once = ready()
    assert set_conditions(once, [verdict()], generation=1, now=NOW) == once


def test_a_message_is_one_clean_line_of_at_most_a_kibibyte() -> None:
    (condition,) = set_conditions(
        (), [verdict(message="\x1b[31mno\nspace " + "x" * 3000)], generation=1, now=NOW
    )
    assert condition.message.startswith("no space xxx")
    assert len(condition.message) == 1024
    assert condition.message.endswith("…")


def test_a_moment_is_written_in_utc_and_whole_seconds() -> None:
    here = NOW.astimezone(timezone(timedelta(hours=2))).replace(microsecond=999_999)
    (condition,) = set_conditions((), [verdict()], generation=1, now=here)
    assert condition.last_transition_time == NOW
    assert condition.model_dump(mode="json")["last_transition_time"] == "2026-05-01T12:05:00Z"
