"""What a range remembers between passes, and what it reads back after a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Pull, Step, Wait
from cyroid_images.model.fault import Fault, Route
from cyroid_images.model.observed import FailureKey, RangeDone, TargetSeen
from cyroid_images.observe.places import EnginePlace
from cyroid_images.plan.status.range_report import report
from cyroid_images.plan.status.tar_record import record_of
from cyroid_images.reconcile.ranges.range_state import (
    DID_NOT_LAST,
    INSECURE,
    LASTING,
    MOST_PODS,
    SETTLED_SECONDS,
    PlatformClaim,
    RangeState,
)
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
    NOW,
    content,
    failed_here,
    fault,
    info,
    range_item,
    range_seen,
    source,
    stored,
    target,
    view,
    wish,
)

WHY = fault(Reason.REGISTRY_UNREACHABLE)
LOAD = Load(wish(), target(), info(), source(), WHY)
NEW_LOAD = Load(wish(), target(), info(), source("two"), WHY)
PULL = Pull(wish(), target(), info(), stored(), "127.0.0.1:5000")
THERE: dict[str, tuple[Step, ...]] = {"uid-1": (Present(wish(), content()),)}
MISSING: dict[str, tuple[Step, ...]] = {"uid-1": (PULL,)}
KEY = FailureKey("uid-1", wish(), Route.REGISTRY)
TAR_KEY = FailureKey("uid-1", wish(), Route.TAR)


def state(**spec: Any) -> RangeState:
    return RangeState.of(range_item(**spec), NOW)


def drifted(
    mine: RangeState, steps: dict[str, tuple[Step, ...]], after: timedelta = timedelta()
) -> tuple[tuple[str, Step], ...]:
    """What a pass so long after NOW finds gone."""
    return mine.drifted(steps, NOW + after, 0.0)


def test_a_load_is_on_record_before_it_may_begin() -> None:
    mine = state()
    assert not mine.record(LOAD, NOW)
    assert not mine.record(LOAD, NOW)  # not in status yet
    mine.written = tuple(mine.tar)
    assert mine.record(LOAD, NOW)
    assert [each.digest for each in mine.tar] == [source().content.identity]
    assert mine.causes == {("uid-1", "nginx:1.25"): "why"}


def test_a_load_of_new_content_takes_the_place_of_the_old_record() -> None:
    mine = state()
    mine.record(LOAD, NOW)
    mine.written = tuple(mine.tar)
    assert not mine.record(NEW_LOAD, NOW)
    assert [each.digest for each in mine.tar] == [source("two").content.identity]


def test_records_and_attempts_are_read_back_from_status() -> None:
    failures = failed_here(Route.REGISTRY, Reason.SERVER_ERROR, attempts=4)
    seen = range_seen(targets=(TargetSeen(target(), view()),), failures=failures)
    waits: dict[str, tuple[Step, ...]] = {"uid-1": (Wait(wish(), WHY),)}
    status = report(seen, RangeDone(waits, (), (record_of(LOAD, NOW),), {}))
    again = state(status=status.to_document())
    assert again.tar == [record_of(LOAD, NOW)]
    assert again.written == tuple(again.tar)
    assert again.failures == failures
    assert again.record(LOAD, NOW)


def test_a_failure_of_an_image_that_left_the_spec_is_not_read_back() -> None:
    failures = failed_here(Route.REGISTRY, Reason.SERVER_ERROR)
    seen = range_seen(targets=(TargetSeen(target(), view()),), failures=failures)
    status = report(seen, RangeDone({"uid-1": (Wait(wish(), WHY),)}, (), (), {}))
    item = range_item("redis:7", status=status.to_document())
    assert RangeState.of(item, NOW).failures == {}


def test_attempts_are_counted_per_route() -> None:
    mine = state()
    for action in (PULL, PULL, LOAD):
        mine.failed(action, WHY, NOW, 0.0)
    assert mine.failures[KEY].attempts == 2
    assert mine.failures[TAR_KEY].attempts == 1
    assert mine.failures[KEY].next_attempt == NOW + timedelta(seconds=2)


def test_a_pull_makes_good_both_routes_and_ends_the_record() -> None:
    mine = state()
    mine.record(LOAD, NOW)
    mine.written = tuple(mine.tar)
    mine.failed(PULL, WHY, NOW, 0.0)
    mine.failed(LOAD, WHY, NOW, 0.0)
    mine.succeeded(PULL, NOW)
    assert (mine.failures, mine.tar) == ({}, [])


def test_a_load_does_not_heal_the_way_of_the_registry() -> None:
    mine = state()
    mine.record(LOAD, NOW)
    mine.failed(PULL, WHY, NOW, 0.0)
    mine.failed(LOAD, WHY, NOW, 0.0)
    mine.succeeded(LOAD, NOW)
    assert set(mine.failures) == {KEY}
    assert len(mine.tar) == 1


def test_an_edit_tries_again_what_only_a_change_could_help() -> None:
    mine = state()
    mine.failures = {
        **failed_here(Route.REGISTRY, Reason.REGISTRY_NOT_TRUSTED),
        **failed_here(Route.TAR, Reason.LOAD_FAILED),
    }
    item = range_item()
    mine.begin(item)
    assert set(mine.failures) == {KEY, TAR_KEY}
    edited = item.metadata.model_copy(update={"generation": 4})
    mine.begin(replace(item, metadata=edited))
    assert set(mine.failures) == {TAR_KEY}


def test_a_manual_pass_tries_everything_again() -> None:
    mine, item = state(), range_item()
    mine.failures = dict(failed_here(Route.TAR, Reason.LOAD_FAILED))
    asked = item.metadata.model_copy(update={"annotations": {"cyroid.io/reconcile-at": "now"}})
    mine.begin(replace(item, metadata=asked))
    assert mine.failures == {}


def test_what_is_there_is_no_failure_any_more() -> None:
    mine = state()
    mine.failures = dict(failed_here(Route.TAR, Reason.LOAD_FAILED))
    mine.prune(MISSING)
    assert set(mine.failures) == {TAR_KEY}
    mine.prune({"uid-1": ()})
    assert set(mine.failures) == {TAR_KEY}
    mine.prune(THERE)
    assert mine.failures == {}


def test_a_gone_target_is_forgotten_and_an_unseen_one_is_not() -> None:
    mine = state()
    mine.failures = dict(failed_here(Route.TAR, Reason.LOAD_FAILED))
    mine.tar = [record_of(LOAD, NOW)]
    mine.prune({"uid-1": ()})
    assert (len(mine.tar), len(mine.failures)) == (1, 1)
    mine.prune({"uid-2": ()})
    assert (mine.tar, mine.failures) == ([], {})


def test_what_was_there_and_is_missing_has_drifted_once() -> None:
    mine = state()
    assert drifted(mine, MISSING) == ()
    assert drifted(mine, THERE) == ()
    assert drifted(mine, MISSING) == (("uid-1", PULL),)
    assert drifted(mine, MISSING) == ()


def test_new_content_under_an_old_name_is_no_drift() -> None:
    mine = state()
    drifted(mine, THERE)
    assert drifted(mine, {"uid-1": (NEW_LOAD,)}) == ()


def test_what_was_delivered_and_is_gone_has_drifted() -> None:
    mine = state()
    mine.succeeded(PULL, NOW)
    assert drifted(mine, MISSING) == (("uid-1", PULL),)


def test_new_content_of_what_was_delivered_is_told_by_its_old_digest() -> None:
    mine = state()
    drifted(mine, THERE)
    other: dict[str, tuple[Step, ...]] = {
        "uid-1": (Pull(wish(), target(), info(), stored("two"), "127.0.0.1:5000"),)
    }
    for _ in range(2):  # for as long as it is on its way
        assert drifted(mine, other) == ()
        assert mine.renewed(other) == {("uid-1", wish()): content().identity}
    assert mine.renewed(THERE) == {}


def test_another_engine_in_a_target_has_lost_nothing() -> None:
    mine = state()
    assert not mine.met_engine("uid-1", "ENGINE")
    drifted(mine, THERE)
    assert not mine.met_engine("uid-1", "ENGINE")
    assert mine.met_engine("uid-1", "OTHER")
    assert drifted(mine, MISSING) == ()


def test_a_restart_warns_no_more_of_what_was_told_of_this_spec() -> None:
    seen = range_seen(targets=(TargetSeen(target(), view()),))
    status = report(seen, RangeDone(MISSING, (), (), {})).to_document()
    assert state().warned == set()
    assert state(status=status).warned == {INSECURE}
    item = range_item(status=status)
    edited = replace(item, metadata=item.metadata.model_copy(update={"generation": 99}))
    assert RangeState.of(edited, NOW).warned == set()


def test_b17_what_does_not_last_is_delivered_with_growing_pauses() -> None:
    mine, pauses = state(), []
    for _ in range(4):
        mine.succeeded(PULL, NOW)
        assert drifted(mine, MISSING, timedelta(seconds=1)) == (("uid-1", PULL),)
        failure = mine.failures[KEY]
        assert failure.fault == Fault(Reason.PULL_FAILED, f"{KEY.wish}: {DID_NOT_LAST}")
        pauses.append((failure.next_attempt - NOW).total_seconds() - 1)
        mine.prune(MISSING)
    assert pauses == [1, 2, 4, 8]


def test_what_lasted_for_a_while_is_brought_back_at_once() -> None:
    mine = state()
    mine.succeeded(PULL, NOW)
    drifted(mine, MISSING, timedelta(seconds=1))
    mine.succeeded(PULL, NOW)
    drifted(mine, {"uid-1": (Present(wish(), stored().content),)}, LASTING)
    assert drifted(mine, MISSING, LASTING) == (("uid-1", PULL),)
    assert KEY not in mine.failures
    assert mine.lost == {}


def test_b14_another_name_of_the_registry_makes_failed_pulls_worth_another_try() -> None:
    mine = state()
    mine.dials("registry:5000")
    for action in (PULL, LOAD):
        mine.failed(action, WHY, NOW, 0.0)
    mine.dials("registry:5000")
    assert set(mine.failures) == {KEY, TAR_KEY}
    mine.dials("registry.lab:5000")
    assert set(mine.failures) == {TAR_KEY}


def test_s2_what_an_engine_claims_first_of_its_platform_stays() -> None:
    mine, place = state(), EnginePlace("uid-1", ("c1",), "tcp://10.0.0.1:2375")
    assert mine.claims(place, AMD64, 0) == AMD64
    for look in range(1, 100):  # another one at each look
        assert mine.claims(place, (AMD64, ARM64)[look % 2], 60 * look) == AMD64
    restarted = replace(place, containers=("c2",))
    assert mine.claims(restarted, ARM64, 6000) == ARM64
    mine.places = {"uid-1": restarted}
    mine.prune(THERE)
    assert mine.platforms == {restarted: PlatformClaim(ARM64)}


def test_an_engine_whose_first_word_was_a_lie_is_believed_when_it_keeps_to_another() -> None:
    """By looks and their time: many passes may see one look."""
    mine, place = state(), EnginePlace("uid-1", ("c1",), "tcp://10.0.0.1:2375")
    mine.claims(place, ARM64, 0)
    for _ in range(100):
        assert mine.claims(place, AMD64, 5) == ARM64
    assert mine.claims(place, AMD64, 5 + SETTLED_SECONDS - 1) == ARM64
    assert mine.claims(place, AMD64, 5 + SETTLED_SECONDS) == AMD64
    assert mine.claims(place, ARM64, 6 + SETTLED_SECONDS) == AMD64


def test_a_pod_of_a_known_name_is_another_one_once() -> None:
    mine = state()
    assert not mine.met_pod("dind", "one")
    assert not mine.met_pod("dind", "one")
    assert mine.met_pod("dind", "two")
    assert not mine.met_pod("dind", "two")
    for number in range(2 * MOST_PODS):
        mine.met_pod(f"pod {number}", "x")
    assert len(mine.pods) == MOST_PODS


def test_of_targets_that_are_gone_nothing_is_kept() -> None:
    mine = state()
    mine.record(LOAD, NOW)
    mine.gives(PULL)
    mine.succeeded(PULL, NOW)
    drifted(mine, MISSING)
    mine.succeeded(PULL, NOW)
    mine.met_engine("uid-1", "ENGINE")
    mine.unready.add("uid-1")
    mine.places["uid-1"] = EnginePlace("uid-1", ("c1",), "tcp://10.0.0.1:2375")
    mine.claims(mine.places["uid-1"], AMD64, 0)
    mine.prune({})
    kept = (
        mine.tar, mine.failures, mine.causes, mine.delivered, mine.lost, mine.places,
        mine.platforms, mine.transports, mine.unready, mine.engines,
    )  # fmt: skip
    assert not any(kept)
