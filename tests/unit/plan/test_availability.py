"""B12: whether a party answers is told as it was asked, and nothing else contradicts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Cached, CacheStep, Wait
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import Condition, ConditionType
from cyroid_images.model.observed import (
    CacheSeen,
    RangeDone,
    RangeSeen,
    SourceSeen,
    TargetSeen,
    UpstreamShown,
)
from cyroid_images.plan.status import cache_report, range_report
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    NOW,
    cache_body,
    cache_item,
    cache_seen,
    cache_view,
    content,
    fault,
    range_body,
    range_item,
    range_seen,
    source_seen,
    stored,
    target,
    view,
    wish,
)

HELD = view({"nginx:1.25": content()})
ROW = {"pod": "dind-1", "uid": "uid-1", "present": 13}


def of_cache(seen: CacheSeen, steps: Sequence[CacheStep], kind: ConditionType) -> Condition:
    status = cache_report.report(seen, steps, ())
    assert_status_conforms({**cache_body(), "status": status.to_document()})
    found = status.condition(kind)
    assert found is not None
    return found


def source_condition(seen: CacheSeen, *steps: CacheStep) -> tuple[str, str, str]:
    found = of_cache(seen, steps, ConditionType.SOURCE_AVAILABLE)
    return str(found.status), str(found.reason), found.message


def upstream(answer: Any, name: str = "hub") -> SourceSeen:
    answers = {} if answer == "not asked" else {wish(): answer}
    return SourceSeen(name, UpstreamShown(frozenset({"docker.io"}), answers))


def lost(reason: Reason = Reason.IMAGE_NOT_FOUND, message: str = "why") -> Wait:
    return Wait(wish(), Fault(reason, message))


CACHED = Cached(wish(), stored())
HERE, THERE = source_seen(HELD), source_seen(HELD, "second")
AWAY = source_seen(fault(Reason.ENGINE_UNREACHABLE, "refused"))
SLOW = source_seen(fault(Reason.PROGRESSING, "being asked"), "slow")
SOURCES: dict[str, tuple[tuple[SourceSeen, ...], CacheStep, tuple[str, str, str]]] = {
    "none-is-named": ((), CACHED, ("True", "Available", "the cache names no sources")),
    "one-answers": ((HERE,), CACHED, ("True", "Available", "1 source answers")),
    "two-answer": ((HERE, THERE), CACHED, ("True", "Available", "2 sources answer")),
    "nobody-asked-the-upstream": (
        (HERE, upstream("not asked")),
        CACHED,
        ("True", "Available", "1 source answers; 1 not needed"),
    ),
    "that-it-has-no-such-image-is-an-answer": (
        (upstream(None),), lost(), ("True", "Available", "1 source answers"),
    ),
    "so-is-a-refusal": (
        (upstream(fault(Reason.UNAUTHORIZED)),),
        lost(Reason.UNAUTHORIZED),
        ("True", "Available", "1 source answers"),
    ),
    "b12-an-upstream-fails-for-one-image": (
        (HERE, upstream(fault(Reason.SERVER_ERROR, "source hub: docker.io: 503"))),
        lost(Reason.SERVER_ERROR, "source hub: docker.io: 503"),
        ("False", "ServerError", "source hub: docker.io: 503"),
    ),
    "a-password-that-may-not-be-told-to-it": (
        (upstream(fault(Reason.SECRET_HOST_MISMATCH, "source hub: two hosts")),),
        lost(Reason.SECRET_HOST_MISMATCH, "source hub: two hosts"),
        ("False", "SecretHostMismatch", "source hub: two hosts"),
    ),
    "b12-an-image-waits-for-a-source": (
        (HERE,),
        lost(Reason.SOURCE_UNREACHABLE, "source builder: refused"),
        ("False", "SourceUnreachable", "source builder: refused"),
    ),
    "an-engine-is-away-and-an-image-waits-for-it": (
        (AWAY,),
        lost(Reason.SOURCE_UNREACHABLE, "source builder: refused"),
        ("False", "SourceUnreachable", "source builder: refused"),
    ),
    "an-upstream-is-away-and-an-image-waits-for-it": (
        (upstream(fault(Reason.SOURCE_UNREACHABLE, "source hub: refused")),),
        lost(Reason.SOURCE_UNREACHABLE, "source hub: refused"),
        ("False", "SourceUnreachable", "source hub: refused"),
    ),
    "an-engine-is-away": (
        (AWAY,), CACHED, ("False", "SourceUnreachable", "source builder: refused"),
    ),
    "the-one-that-failed-before-the-one-that-is-asked": (
        (SLOW, AWAY),
        CACHED,
        ("False", "SourceUnreachable", "source builder: refused (and 1 more)"),
    ),
    "one-is-being-asked": ((SLOW,), CACHED, ("Unknown", "Progressing", "source slow: being asked")),
}  # fmt: skip


@pytest.mark.parametrize(("sources", "step", "expected"), SOURCES.values(), ids=SOURCES)
def test_a_source_is_available_when_no_image_waits_for_it(
    sources: tuple[SourceSeen, ...], step: CacheStep, expected: tuple[str, str, str]
) -> None:
    assert source_condition(cache_seen(sources=sources), step) == expected


def test_one_outage_is_told_once_however_many_images_wait_for_it() -> None:
    seen = cache_seen(
        cache_item("nginx:1.25", "redis:7"),
        sources=(HERE,),
        wishes={wish(): True, wish("redis:7"): True},
    )
    away = Fault(Reason.SOURCE_UNREACHABLE, "source builder: refused")
    steps = [Wait(each, away) for each in seen.wishes]
    assert source_condition(seen, *steps) == (
        "False",
        "SourceUnreachable",
        "source builder: refused",
    )


def test_b12_nobody_is_said_to_answer_who_was_not_needed() -> None:
    seen = cache_seen(cache_item(), sources=(AWAY,), wishes={})
    assert source_condition(seen) == ("True", "Available", "no source is needed")


def test_b12_a_push_that_failed_while_the_registry_was_away_is_no_outage_of_now() -> None:
    old = fault(Reason.REGISTRY_UNREACHABLE, "connection refused")
    ready = of_cache(cache_seen(), [Wait(wish(), old)], ConditionType.READY)
    assert ready.reason is Reason.PUSH_FAILED
    assert "the last attempt failed (connection refused); trying again" in ready.message


def of_range(seen: RangeSeen, kind: ConditionType) -> Condition:
    status = range_report.report(seen, RangeDone({}, (), (), {}))
    assert_status_conforms({**range_body(), "status": status.to_document()})
    found = status.condition(kind)
    assert found is not None
    return found


def test_b12_a_range_speaks_of_the_listener_that_was_asked() -> None:
    found = of_range(range_seen(cache=cache_view()), ConditionType.REGISTRY_AVAILABLE)
    assert found.message == "the registry of ImageCache default answers at its push listener"
    assert cache_view().pull_host not in found.message


@pytest.mark.parametrize(
    ("count", "message"), [(1, "the engine answers"), (2, "all 2 engines answer")]
)
def test_that_every_engine_answers_is_told_with_their_number(count: int, message: str) -> None:
    targets = tuple(TargetSeen(target(number), HELD) for number in range(1, count + 1))
    found = of_range(range_seen(targets=targets), ConditionType.TARGETS_AVAILABLE)
    assert (found.status, found.message) == ("True", message)


SINCE: dict[str, tuple[Reason, timedelta | None, str]] = {
    "never-seen": (Reason.ENGINE_UNREACHABLE, None, "dind-1: refused"),
    "today": (
        Reason.ENGINE_UNREACHABLE,
        timedelta(minutes=9),
        "dind-1: last seen at 11:51:00Z with 13 images; refused",
    ),
    "another-day": (
        Reason.TIMEOUT,
        timedelta(days=1),
        "dind-1: last seen at 2026-04-30T12:00:00Z with 13 images; refused",
    ),
    "it-answers-and-is-not-trusted": (
        Reason.TLS_REJECTED,
        timedelta(minutes=9),
        "dind-1: last seen at 11:51:00Z with 13 images; refused",
    ),
    "it-only-starts": (Reason.WAITING_FOR_ENGINE, timedelta(minutes=9), "dind-1: refused"),
}


@pytest.mark.parametrize(("reason", "ago", "message"), SINCE.values(), ids=SINCE)
def test_b13_what_is_not_seen_any_more_is_told_with_the_time_of_the_last_look(
    reason: Reason, ago: timedelta | None, message: str
) -> None:
    item = range_item(status={"targetStatuses": [ROW]})
    since = NOW - ago if ago else None
    lost_one = TargetSeen(target(), fault=Fault(reason, "refused"), since=since)
    found = of_range(range_seen(item, (lost_one,)), ConditionType.TARGETS_AVAILABLE)
    assert (found.message, found.reason) == (message, reason)


@pytest.mark.parametrize(("count", "held"), [(1, "1 image"), (2, "2 images")])
def test_b13_what_a_silent_engine_held_is_its_own_row_and_no_other_one(
    count: int, held: str
) -> None:
    rows = [{"pod": "dind-2", "uid": "uid-2", "present": 13}, {**ROW, "present": count}]
    since = NOW - timedelta(minutes=9)
    silent = TargetSeen(target(), fault=Fault(Reason.TIMEOUT, "no answer"), since=since)
    seen = range_seen(range_item(status={"targetStatuses": rows}), (silent,))
    assert f"Z with {held}; " in of_range(seen, ConditionType.TARGETS_AVAILABLE).message
    (row,) = range_report.report(seen, RangeDone({}, (), (), {})).target_statuses
    assert row.present == count


def test_of_a_silent_engine_that_status_does_not_list_no_count_is_claimed() -> None:
    """The worst targets are listed only: a healthy one has no row when it falls silent."""
    since = NOW - timedelta(minutes=9)
    silent = TargetSeen(target(), fault=Fault(Reason.TIMEOUT, "no answer"), since=since)
    message = of_range(range_seen(targets=(silent,)), ConditionType.TARGETS_AVAILABLE).message
    assert message == "dind-1: last seen at 11:51:00Z; no answer"


def test_b13_an_engine_that_stays_silent_is_told_in_the_same_words_at_each_pass() -> None:
    item = range_item(status={"targetStatuses": [ROW]})
    since = NOW - timedelta(minutes=9)
    silent = TargetSeen(target(), fault=Fault(Reason.TIMEOUT, "no answer"), since=since)
    seen = range_seen(item, (silent,))
    first = range_report.report(seen, RangeDone({}, (), (), {}))
    later = replace(seen, item=replace(item, status=first), now=NOW + timedelta(minutes=1))
    assert range_report.report(later, RangeDone({}, (), (), {})) == first
    assert first.target_statuses[0].present == 13
