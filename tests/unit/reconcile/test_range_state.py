"""What a range remembers between passes, and what it reads back after a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Pull, Step, Wait
from cyroid_images.model.fault import Route
from cyroid_images.model.observed import FailureKey, RangeDone, TargetSeen
from cyroid_images.plan.range_report import report
from cyroid_images.plan.tar_record import record_of
from cyroid_images.reconcile.memory import INSECURE, Memory
from tests.unit.plan.examples import (
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


def memory(**spec: Any) -> Memory:
    return Memory.of(range_item(**spec), NOW)


def test_a_load_is_on_record_before_it_may_begin() -> None:
    mine = memory()
    assert not mine.record(LOAD, NOW)
    assert not mine.record(LOAD, NOW)  # not in status yet
    mine.written = True
    assert mine.record(LOAD, NOW)
    assert [each.digest for each in mine.tar] == [source().content.identity]
    assert mine.causes == {("uid-1", "nginx:1.25"): "why"}


def test_a_load_of_new_content_takes_the_place_of_the_old_record() -> None:
    mine = memory()
    mine.record(LOAD, NOW)
    mine.written = True
    assert not mine.record(NEW_LOAD, NOW)
    assert [each.digest for each in mine.tar] == [source("two").content.identity]


def test_records_and_attempts_are_read_back_from_status() -> None:
    failures = failed_here(Route.REGISTRY, Reason.SERVER_ERROR, attempts=4)
    seen = range_seen(targets=(TargetSeen(target(), view()),), failures=failures)
    waits: dict[str, tuple[Step, ...]] = {"uid-1": (Wait(wish(), WHY),)}
    status = report(seen, RangeDone(waits, (), (record_of(LOAD, NOW),), {}))
    again = memory(status=status.to_document())
    assert again.tar == [record_of(LOAD, NOW)]
    assert again.written
    assert again.failures == failures
    assert again.record(LOAD, NOW)


def test_a_failure_of_an_image_that_left_the_spec_is_not_read_back() -> None:
    failures = failed_here(Route.REGISTRY, Reason.SERVER_ERROR)
    seen = range_seen(targets=(TargetSeen(target(), view()),), failures=failures)
    status = report(seen, RangeDone({"uid-1": (Wait(wish(), WHY),)}, (), (), {}))
    item = range_item("redis:7", status=status.to_document())
    assert Memory.of(item, NOW).failures == {}


def test_attempts_are_counted_per_route() -> None:
    mine = memory()
    for action in (PULL, PULL, LOAD):
        mine.failed(action, WHY, NOW, 0.0)
    assert mine.failures[KEY].attempts == 2
    assert mine.failures[TAR_KEY].attempts == 1
    assert mine.failures[KEY].next_attempt == NOW + timedelta(seconds=2)


def test_a_pull_makes_good_both_routes_and_ends_the_record() -> None:
    mine = memory()
    mine.record(LOAD, NOW)
    mine.written = True
    mine.failed(PULL, WHY, NOW, 0.0)
    mine.failed(LOAD, WHY, NOW, 0.0)
    mine.succeeded(PULL)
    assert (mine.failures, mine.tar, mine.written) == ({}, [], False)


def test_a_load_does_not_heal_the_way_of_the_registry() -> None:
    mine = memory()
    mine.record(LOAD, NOW)
    mine.failed(PULL, WHY, NOW, 0.0)
    mine.failed(LOAD, WHY, NOW, 0.0)
    mine.succeeded(LOAD)
    assert set(mine.failures) == {KEY}
    assert len(mine.tar) == 1


def test_an_edit_tries_again_what_only_a_change_could_help() -> None:
    mine = memory()
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
    mine, item = memory(), range_item()
    mine.failures = dict(failed_here(Route.TAR, Reason.LOAD_FAILED))
    asked = item.metadata.model_copy(update={"annotations": {"cyroid.io/reconcile-at": "now"}})
    mine.begin(replace(item, metadata=asked))
    assert mine.failures == {}


def test_what_is_there_is_no_failure_any_more() -> None:
    mine = memory()
    mine.failures = dict(failed_here(Route.TAR, Reason.LOAD_FAILED))
    mine.prune(MISSING)
    assert set(mine.failures) == {TAR_KEY}
    mine.prune({"uid-1": ()})
    assert set(mine.failures) == {TAR_KEY}
    mine.prune(THERE)
    assert mine.failures == {}


def test_a_gone_target_is_forgotten_and_an_unseen_one_is_not() -> None:
    mine = memory()
    mine.failures = dict(failed_here(Route.TAR, Reason.LOAD_FAILED))
    mine.tar, mine.written = [record_of(LOAD, NOW)], True
    mine.prune({"uid-1": ()})
    assert (len(mine.tar), len(mine.failures), mine.written) == (1, 1, True)
    mine.prune({"uid-2": ()})
    assert (mine.tar, mine.failures, mine.written) == ([], {}, False)


def test_what_was_there_and_is_missing_has_drifted_once() -> None:
    mine = memory()
    assert mine.drifted(MISSING) == ()
    assert mine.drifted(THERE) == ()
    assert mine.drifted(MISSING) == (("uid-1", PULL),)
    assert mine.drifted(MISSING) == ()


def test_new_content_under_an_old_name_is_no_drift() -> None:
    mine = memory()
    mine.drifted(THERE)
    assert mine.drifted({"uid-1": (NEW_LOAD,)}) == ()


def test_what_was_delivered_and_is_gone_has_drifted() -> None:
    mine = memory()
    mine.succeeded(PULL)
    assert mine.drifted(MISSING) == (("uid-1", PULL),)


def test_new_content_of_what_was_delivered_is_told_by_its_old_digest() -> None:
    mine = memory()
    mine.drifted(THERE)
    other: dict[str, tuple[Step, ...]] = {
        "uid-1": (Pull(wish(), target(), info(), stored("two"), "127.0.0.1:5000"),)
    }
    for _ in range(2):  # for as long as it is on its way
        assert mine.drifted(other) == ()
        assert mine.renewed(other) == {("uid-1", wish()): content().identity}
    assert mine.renewed(THERE) == {}


def test_another_engine_in_a_target_has_lost_nothing() -> None:
    mine = memory()
    assert not mine.met_engine("uid-1", "ENGINE")
    mine.drifted(THERE)
    assert not mine.met_engine("uid-1", "ENGINE")
    assert mine.met_engine("uid-1", "OTHER")
    assert mine.drifted(MISSING) == ()


def test_a_restart_warns_no_more_of_what_was_told_of_this_spec() -> None:
    seen = range_seen(targets=(TargetSeen(target(), view()),))
    status = report(seen, RangeDone(MISSING, (), (), {})).to_document()
    assert memory().warned == set()
    assert memory(status=status).warned == {INSECURE}
    item = range_item(status=status)
    edited = replace(item, metadata=item.metadata.model_copy(update={"generation": 99}))
    assert Memory.of(edited, NOW).warned == set()
