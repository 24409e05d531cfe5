"""When a registry's disk is freed: by the annotation, by the schedule, and never twice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.collected import Collected
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import CollectionStatus
from cyroid_images.plan.collection import due_at, ordered, over, refused, size_text, summary
from tests.unit.plan.examples import NOW, cache_body

CREATED = datetime.fromisoformat("2026-05-01T11:00:00+00:00")
HOUR = timedelta(hours=1)
REGISTRY = {
    "pushURL": "http://registry:5001",
    "pullHost": "registry:5000",
    "collectorURL": "http://registry:5002",
}


def cache(asked: str | None = None, every: str | None = None, **registry: Any) -> ImageCache:
    retention = {"collectEvery": every} if every else {}
    body = cache_body(registry={**REGISTRY, **registry}, retention=retention)
    if registry.get("collectorURL", "") is None:
        del body["spec"]["registry"]["collectorURL"]
    if asked is not None:
        body["metadata"] = {**body["metadata"], "annotations": {"cyroid.io/collect": asked}}
    return ImageCache.parse(body)


def done(handled: str | None = None, **fields: Any) -> CollectionStatus:
    told = {"started": NOW - HOUR, "finished": NOW - HOUR, "last_run": NOW - HOUR, **fields}
    return CollectionStatus(handled=handled, **told)


@pytest.mark.parametrize(("asked", "is_dry_run"), [("run/1", False), ("dry-run/1", True)])
def test_a_new_annotation_is_an_order_until_it_is_answered(asked: str, is_dry_run: bool) -> None:
    order = ordered(cache(asked), None, NOW)
    assert order is not None
    assert (order.handled, order.is_dry_run, order.started) == (asked, is_dry_run, NOW)
    told = over(order, None, Collected(order.id, is_dry_run, is_over=True), NOW)
    assert ordered(cache(asked), told, NOW + HOUR) is None
    assert ordered(cache("run/2"), told, NOW + HOUR) is not None


def test_what_is_under_way_goes_on_under_its_id_whoever_goes_on_with_it() -> None:
    order = ordered(cache("run/1"), None, NOW)
    assert order is not None
    told = CollectionStatus.model_validate(order.begun(None).model_dump())
    for asked in ("run/1", "run/2", None):
        assert ordered(cache(asked), told, NOW + HOUR) == order
    assert refused(cache("nonsense"), told, NOW) is None


def test_it_is_due_by_the_schedule_and_answers_no_annotation_anew() -> None:
    item = cache("run/1", every="24h")
    before = done("run/1")
    assert ordered(item, before, NOW) is None
    order = ordered(item, before, NOW + 24 * HOUR)
    assert order is not None
    assert (order.handled, order.is_dry_run) == ("run/1", False)


def test_a_new_cache_waits_for_a_whole_period() -> None:
    assert due_at(cache(every="24h"), None) == CREATED + 24 * HOUR
    assert ordered(cache(every="24h"), None, NOW) is None


def test_a_dry_run_does_not_put_the_next_one_off() -> None:
    item = cache("dry-run/1", every="2h")
    order = ordered(item, done(), NOW)
    assert order is not None
    told = over(order, done(), Collected(order.id, is_dry_run=True, is_over=True), NOW)
    assert due_at(item, told) == NOW + HOUR


def test_one_that_failed_is_tried_again_soon_but_not_at_once() -> None:
    item = cache(every="30m")
    before = done(started=NOW, finished=NOW, last_run=NOW - 48 * HOUR, reason=Reason.TIMEOUT)
    assert due_at(item, before) == NOW + timedelta(minutes=10)
    short = cache(every="1m")
    assert due_at(short, before) == NOW + timedelta(minutes=1)


def test_without_a_collector_nothing_is_due_and_whoever_asks_is_told() -> None:
    item = cache("run/1", every="1m", collectorURL=None)
    assert due_at(item, None) is None
    told = refused(item, None, NOW)
    assert told is not None
    assert (told.handled, told.reason, told.finished) == ("run/1", Reason.INVALID_SPEC, NOW)
    assert "collectorURL is absent" in str(told.message)
    assert refused(item, told, NOW) is None
    assert ordered(item, told, NOW) is None


@pytest.mark.parametrize("asked", ["now", "RUN/1", "run", "dry-run"])
def test_an_annotation_that_is_not_understood_is_answered_so(asked: str) -> None:
    told = refused(cache(asked), done(), NOW)
    assert told is not None
    assert "neither run/TOKEN nor dry-run/TOKEN" in str(told.message)
    assert told.last_run == NOW - HOUR
    assert ordered(cache(asked), told, NOW) is None


def test_the_end_tells_what_was_freed_and_what_was_kept() -> None:
    order = ordered(cache("run/1"), None, NOW)
    assert order is not None
    result = Collected(order.id, is_dry_run=False, is_over=True, freed_bytes=5, blobs=2)
    told = over(order, None, result, NOW + HOUR)
    assert (told.freed_bytes, told.blobs, told.finished, told.last_run, told.message) == (
        5,
        2,
        NOW + HOUR,
        NOW + HOUR,
        None,
    )
    odd = Collected(order.id, False, True, kept=2, why_kept="a/b: schema 1")
    assert "2 repositories are kept as a whole" in str(over(order, None, odd, NOW).message)
    fault = Fault(Reason.REGISTRY_UNREACHABLE, "nobody answers")
    failed = over(order, done(), fault, NOW)
    assert (failed.reason, failed.message, failed.last_run) == (
        Reason.REGISTRY_UNREACHABLE,
        "nobody answers",
        NOW - HOUR,
    )


def test_the_words_for_people() -> None:
    done = Collected("1", is_dry_run=False, is_over=True, freed_bytes=1_234_567_890, blobs=34)
    assert summary(done) == "freed 1.2 GB in 34 blobs; pushes waited for 0.0 s"
    one = Collected("1", is_dry_run=True, is_over=True, freed_bytes=999, blobs=1)
    assert summary(one) == "would free 999 B in 1 blob"
    assert size_text(5 * 10**15) == "5000.0 TB"


def test_one_whose_collector_was_taken_away_meanwhile_is_over() -> None:
    """Else it would hold back every push for ever."""
    order = ordered(cache("run/1"), None, NOW)
    assert order is not None
    item = cache("run/1", collectorURL=None)
    told = refused(item, order.begun(None), NOW)
    assert told is not None
    assert (told.finished, told.reason) == (NOW, Reason.INVALID_SPEC)
    assert ordered(item, told, NOW) is None
    assert ordered(item, order.begun(None), NOW) is None


def test_two_orders_of_one_second_are_two() -> None:
    orders = [ordered(cache(asked), None, NOW) for asked in ("dry-run/1", "run/1", "run/2")]
    assert len({each.id for each in orders if each is not None}) == 3
