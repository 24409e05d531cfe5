"""The whole status of an ImageCache, from what a pass saw: counts, bounds, order, truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Cached, CacheStep, Push, Slot, Wait
from cyroid_images.model.fault import Route
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.status import ImageCacheStatus
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import CacheSeen, Running
from cyroid_images.model.telemetry.progress import Progress
from cyroid_images.plan.status.cache_report import report
from tests.parts.condition_reasons import marked
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    NOW,
    REGISTRY,
    cache_body,
    cache_item,
    cache_seen,
    content,
    failure,
    fault,
    source,
    source_seen,
    stored,
    view,
    wish,
)

MIB = 1024 * 1024


def cached(asked: Wish | None = None, word: str = "one") -> Cached:
    return Cached(asked or wish(), stored(word))


def pushing(asked: Wish | None = None) -> Push:
    return Push(asked or wish(), source(), Slot(REGISTRY, "docker.io/library/nginx", "1.25"))


def waiting(reason: Reason, asked: Wish | None = None) -> Wait:
    return Wait(asked or wish(), fault(reason))


def told(
    seen: CacheSeen, steps: Sequence[CacheStep], running: tuple[Running, ...] = ()
) -> ImageCacheStatus:
    """The status; it conforms, whatever the test asks."""
    status = report(seen, steps, running)
    assert_status_conforms(written(seen.item, status), cache_body())
    return status


def written(item: ImageCache, status: ImageCacheStatus) -> dict[str, Any]:
    metadata = {"name": item.metadata.name, "generation": item.metadata.generation}
    return {"kind": "ImageCache", "metadata": metadata, "status": status.to_document()}


def conditions_of(status: ImageCacheStatus) -> dict[str, str]:
    return {str(each.type): f"{each.status}/{each.reason}" for each in status.conditions}


def test_everything_cached_is_ready_and_tells_where_it_is() -> None:
    held = source_seen(view({"nginx:1.25": content()}))
    status = told(cache_seen(sources=(held,)), [cached()])
    assert conditions_of(status) == {
        "Ready": "True/AllImagesCached",
        "RegistryAvailable": "True/Available",
        "SourceAvailable": "True/Available",
    }
    row = status.image_statuses[0]
    assert (row.image, row.source, row.size_bytes) == ("nginx:1.25", "builder", 110)
    assert (row.repository, row.digest) == ("docker.io/library/nginx", stored().manifest.digest)


def test_a_cache_that_lists_nothing_is_ready() -> None:
    status = told(cache_seen(cache_item(), wishes={}), [])
    assert conditions_of(status)["Ready"] == "True/AllImagesCached"
    assert status.summary.images == "0/0"


def test_a_blob_that_two_images_share_is_counted_once() -> None:
    steps = [cached(), cached(wish("nginx:1")), cached(wish("redis:7"), "two")]
    assert told(cache_seen(), steps).stored_bytes == 220


def test_a_registry_that_is_away_makes_no_cache_ready() -> None:
    away = fault(Reason.REGISTRY_UNREACHABLE)
    status = told(cache_seen(registry=away), [cached()])
    assert conditions_of(status)["Ready"] == "False/RegistryUnreachable"
    assert conditions_of(status)["RegistryAvailable"] == "False/RegistryUnreachable"


def test_a_registry_that_was_not_asked_yet_is_unknown() -> None:
    status = told(cache_seen(registry=fault(Reason.PROGRESSING)), [waiting(Reason.PROGRESSING)])
    assert conditions_of(status)["RegistryAvailable"] == "Unknown/Progressing"


def test_a_refused_write_is_told_though_all_is_cached() -> None:
    status = told(cache_seen(write=fault(Reason.REGISTRY_FULL)), [cached()])
    assert conditions_of(status)["Ready"] == "True/AllImagesCached"
    assert conditions_of(status)["RegistryAvailable"] == "False/RegistryFull"


def test_a_source_that_does_not_answer_is_told_by_name() -> None:
    lost = source_seen(fault(Reason.ENGINE_UNREACHABLE, "refused"))
    status = told(cache_seen(sources=(lost,)), [cached()])
    available = status.condition(ConditionType.SOURCE_AVAILABLE)
    assert available is not None
    assert available.reason is Reason.SOURCE_UNREACHABLE
    assert available.message == "source builder: refused"
    assert conditions_of(status)["Ready"] == "True/AllImagesCached"


def test_a_source_that_was_not_heard_yet_is_unknown() -> None:
    status = told(cache_seen(sources=(source_seen(fault(Reason.PROGRESSING)),)), [cached()])
    assert conditions_of(status)["SourceAvailable"] == "Unknown/Progressing"


def test_a_source_that_nobody_needs_is_not_complained_about() -> None:
    lost = source_seen(fault(Reason.ENGINE_UNREACHABLE))
    status = told(cache_seen(cache_item(), sources=(lost,), wishes={}), [])
    assert conditions_of(status)["SourceAvailable"] == "True/Available"


def test_an_image_that_nobody_has_stalls_only_when_nothing_else_goes_on() -> None:
    lost = waiting(Reason.IMAGE_NOT_FOUND)
    seen = cache_seen(cache_item("nginx:1.25", "redis:7"))
    alone = told(seen, [lost, cached(wish("redis:7"))])
    beside = told(seen, [lost, pushing(wish("redis:7"))])
    assert conditions_of(alone)["Stalled"] == "True/ImageNotFound"
    assert conditions_of(beside)["Reconciling"] == "True/Progressing"
    assert alone.observed_generation == 3
    assert beside.observed_generation == -1


def test_what_is_not_cached_stands_first() -> None:
    steps: list[CacheStep] = [
        cached(),
        waiting(Reason.IMAGE_NOT_FOUND, wish("redis:7")),
        pushing(wish("b:1")),
    ]
    assert [row.image for row in told(cache_seen(), steps).image_statuses] == [
        "b:1",
        "redis:7",
        "nginx:1.25",
    ]


def test_rows_beyond_the_bound_are_counted() -> None:
    steps = [cached(wish(f"nginx:{number}")) for number in range(130)]
    status = told(
        cache_seen(cache_item("z:1")), [*steps, waiting(Reason.IMAGE_NOT_FOUND, wish("z:1"))]
    )
    assert (len(status.image_statuses), status.images_omitted) == (128, 3)
    assert status.image_statuses[0].image == "z:1"
    assert (status.summary.images, status.on_demand.cached) == ("0/1", 130)


def test_failures_beyond_the_bound_are_counted() -> None:
    wishes = [wish(f"nginx:{number}") for number in range(25)]
    item = cache_item(*map(str, wishes))
    seen = cache_seen(item, failures={each: failure(Reason.PUSH_FAILED) for each in wishes})
    status = told(seen, [waiting(Reason.PUSH_FAILED, each) for each in wishes])
    assert (len(status.failures), status.failures_omitted, status.images.failed) == (20, 5, 25)


def test_failures_of_listed_images_stand_before_those_that_only_ranges_ask_for() -> None:
    wishes = [wish("z:1"), wish("a:1"), wish("m:1")]
    failures = {each: failure(Reason.PUSH_FAILED) for each in wishes}
    seen = cache_seen(cache_item("m:1", "z:1"), failures=failures)
    status = told(seen, [waiting(Reason.PUSH_FAILED, each) for each in wishes])
    assert [row.image for row in status.failures] == ["m:1", "z:1", "a:1"]


@pytest.mark.parametrize(("is_looking", "token"), [(True, "first"), (False, "second")])
def test_a_manual_pass_is_answered_when_its_looks_are_over(is_looking: bool, token: str) -> None:
    item = cache_item("nginx:1.25", status={"lastHandledReconcileAt": "first"})
    annotated = item.metadata.model_copy(
        update={"annotations": {"cyroid.io/reconcile-at": "second"}}
    )
    seen = cache_seen(replace(item, metadata=annotated), is_looking=is_looking)
    assert told(seen, [cached()]).last_handled_reconcile_at == token


def test_a_failed_push_of_what_is_there_by_now_is_not_listed() -> None:
    status = told(cache_seen(failures={wish(): failure(Reason.PUSH_FAILED)}), [cached()])
    assert (status.failures, status.images.failed) == ((), 0)


def test_progress_stands_in_the_message() -> None:
    moving = Running(wish(), None, Route.REGISTRY, Progress(200 * MIB, 450 * MIB), 48 * MIB)
    status = told(cache_seen(), [pushing()], (moving,))
    assert status.conditions[0].message == (
        "0 of 1 images in the registry; pushing nginx:1.25 (200 of 450 MiB, 48 MiB/s)"
    )


def test_a_repair_in_vain_stalls_the_cache() -> None:
    first = cache_seen(failures={wish(): failure(Reason.BLOB_MISSING)})
    assert told(first, [waiting(Reason.BLOB_MISSING)]).condition(ConditionType.RECONCILING)
    again = cache_seen(failures={wish(): failure(Reason.BLOB_MISSING, 2)})
    status = told(again, [waiting(Reason.BLOB_MISSING)])
    stalled = status.condition(ConditionType.STALLED)
    assert stalled is not None
    assert stalled.reason is Reason.BLOB_MISSING


def test_what_the_registry_lost_is_refilled() -> None:
    status = told(cache_seen(refilling=frozenset({wish()})), [pushing()])
    ready = status.condition(ConditionType.READY)
    assert ready is not None
    assert (ready.status, ready.reason) == ("False", Reason.REFILLING)


def test_a_moved_tag_is_told_with_both_digests() -> None:
    source_has = source_seen(view({"nginx:1.25": content("two")}))
    seen = cache_seen(stored={wish(): stored()}, sources=(source_has,))
    ready = told(seen, [pushing()]).condition(ConditionType.READY)
    assert ready is not None
    assert ready.reason is Reason.NEW_DIGEST
    assert str(stored().manifest.digest) in ready.message
    assert str(content("two").identity) in ready.message


def test_a_suspended_cache_that_lacks_something_says_so() -> None:
    status = told(cache_seen(cache_item("nginx:1.25", suspend=True)), [pushing()])
    assert conditions_of(status)["Ready"] == "False/Suspended"
    assert status.observed_generation == 3


def test_moments_stay_until_the_status_turns() -> None:
    first = told(cache_seen(), [pushing()])
    item = replace(cache_item("nginx:1.25"), status=first)
    second = told(replace(cache_seen(item), now=NOW.replace(hour=13)), [cached()])
    assert_status_conforms(written(item, second), written(item, first))
    assert second.conditions[0].last_transition_time.hour == 13
    assert second.conditions[1].last_transition_time == NOW


FAULTS = st.sampled_from(
    sorted(marked(Mark.TRANSIENT, Mark.WAITING, Mark.TERMINAL, Mark.INTEGRITY))
).map(fault)


@pytest.mark.slow
@given(
    kinds=st.lists(st.one_of(st.just("cached"), st.just("push"), FAULTS), max_size=5),
    times=st.integers(1, 40),
    registry=st.none() | FAULTS.filter(lambda why: why.reason is not Reason.SOURCE_UNREACHABLE),
    lost=st.none() | FAULTS | st.just(fault(Reason.PROGRESSING)),
    failed=st.lists(st.tuples(st.integers(0, 150), FAULTS), max_size=40),
    listed=st.integers(0, 128),
    suspend=st.booleans(),
)
def test_whatever_a_pass_saw_the_status_conforms(
    kinds: list[Any], times: int, listed: int, suspend: bool, **seen_so: Any
) -> None:
    wishes = [wish(f"nginx:{number}") for number in range(len(kinds) * times)]
    makers: dict[str, Any] = {"cached": cached, "push": pushing}
    steps = [
        makers[kind](each) if isinstance(kind, str) else Wait(each, kind)
        for each, kind in zip(wishes, kinds * times, strict=True)
    ]
    failures = {wishes[n]: failure(why.reason) for n, why in seen_so["failed"] if n < len(wishes)}
    seen = cache_seen(
        cache_item(*map(str, wishes[:listed]), suspend=suspend),
        registry=seen_so["registry"],
        sources=(source_seen(lost),) if (lost := seen_so["lost"]) else (),
        wishes=dict.fromkeys(wishes, True),
        failures=failures,
    )
    told(seen, steps)
