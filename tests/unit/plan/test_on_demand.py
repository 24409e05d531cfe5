"""B22: what only ranges ask for is counted apart and never makes the shared cache not Ready."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Cached, CacheStep, Push, Slot, Wait
from cyroid_images.model.fault import Route
from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType
from cyroid_images.model.kinds.status import ImageCacheStatus
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import CacheSeen, Running
from cyroid_images.plan.status.cache_report import report
from tests.parts.condition_reasons import marked
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
    REGISTRY,
    cache_body,
    cache_item,
    cache_seen,
    digest,
    failure,
    fault,
    source,
    source_seen,
    stored,
    wish,
)

LISTED, ASKED = wish("nginx:1.25"), wish("redis:7")


def told(
    seen: CacheSeen, steps: Sequence[CacheStep], running: tuple[Running, ...] = ()
) -> ImageCacheStatus:
    status = report(seen, steps, running)
    assert_status_conforms({**cache_body(), "status": status.to_document()})
    return status


def conditions_of(status: ImageCacheStatus) -> dict[str, str]:
    return {str(each.type): f"{each.status}/{each.reason}" for each in status.conditions}


def message_of(status: ImageCacheStatus, kind: ConditionType = ConditionType.READY) -> str:
    found = status.condition(kind)
    assert found is not None
    return found.message


def cached(asked: Wish) -> Cached:
    return Cached(asked, stored())


def lost(asked: Wish, reason: Reason = Reason.IMAGE_NOT_FOUND) -> Wait:
    return Wait(asked, fault(reason))


def pushing(asked: Wish) -> Push:
    return Push(asked, source(), Slot(REGISTRY, "redis", "7"))


def test_b22_a_typo_in_a_range_leaves_the_shared_cache_ready() -> None:
    status = told(cache_seen(), [cached(LISTED), lost(ASKED)])
    assert conditions_of(status) == {
        "Ready": "True/AllImagesCached",
        "RegistryAvailable": "True/Available",
        "SourceAvailable": "True/Available",
    }
    assert (status.summary.images, status.images.failed) == ("1/1", 0)
    counts = status.on_demand
    assert (counts.wanted, counts.cached, counts.missing) == (1, 0, 1)
    assert message_of(status) == "1 of 1 images in the registry; 0 of 1 that only ranges ask for"


def test_b22_a_row_says_who_asks() -> None:
    status = told(cache_seen(), [cached(LISTED), lost(ASKED)])
    assert [(row.image, row.on_demand) for row in status.image_statuses] == [
        ("redis:7", True),
        ("nginx:1.25", False),
    ]
    rows = status.to_document()["imageStatuses"]
    assert [row.get("onDemand") for row in rows] == [True, None]


def test_of_what_is_not_cached_the_listed_images_stand_first() -> None:
    status = told(cache_seen(), [lost(wish("a:1")), lost(LISTED), cached(ASKED)])
    assert [row.image for row in status.image_statuses] == ["nginx:1.25", "a:1", "redis:7"]


def test_b22_a_cache_that_lists_nothing_is_ready_while_its_registry_answers() -> None:
    status = told(cache_seen(cache_item(), wishes={}), [])
    assert conditions_of(status)["Ready"] == "True/AllImagesCached"
    assert message_of(status) == "the registry answers; no images are listed"
    away = told(cache_seen(cache_item(), registry=fault(Reason.REGISTRY_UNREACHABLE)), [])
    assert conditions_of(away)["Ready"] == "False/RegistryUnreachable"
    assert message_of(away) == "no images are listed; why"
    refuses = cache_seen(cache_item(), wishes={}, write=fault(Reason.PROTOCOL_ERROR))
    assert message_of(told(refuses, [])) == "no images are listed"


def test_a_wish_for_another_platform_than_the_listed_one_is_on_demand() -> None:
    item = cache_item()
    listed = cache_item("nginx:1.25")
    steps: list[CacheStep] = [cached(wish(platform=AMD64)), lost(wish(platform=ARM64))]
    assert told(cache_seen(item), steps).on_demand.missing == 1
    assert told(cache_seen(listed), [cached(wish()), *steps]).on_demand.wanted == 2


def test_b22_a_failed_push_for_a_range_is_on_record_and_blames_nobody_else() -> None:
    seen = cache_seen(failures={ASKED: failure(Reason.DIGEST_MISMATCH, 2)})
    status = told(seen, [pushing(LISTED), lost(ASKED, Reason.DIGEST_MISMATCH)])
    assert conditions_of(status)["Reconciling"] == "True/Progressing"
    assert [row.image for row in status.failures] == ["redis:7"]
    assert status.images.failed == 0


def test_the_progress_of_a_cache_is_that_of_its_own_images() -> None:
    moving = Running(ASKED, None, Route.REGISTRY, None, 0.0)
    status = told(cache_seen(), [pushing(LISTED), pushing(ASKED)], (moving,))
    assert message_of(status) == (
        "0 of 1 images in the registry; 0 of 1 that only ranges ask for;"
        " images are about to be moved into the registry"
    )


def test_an_image_that_needs_somebody_counts_as_failed_without_an_attempt() -> None:
    assert told(cache_seen(), [lost(LISTED)]).images.failed == 1
    assert told(cache_seen(), [lost(LISTED, Reason.SOURCE_UNREACHABLE)]).images.failed == 0


FAULTS = st.sampled_from(
    sorted(marked(Mark.TRANSIENT, Mark.WAITING, Mark.TERMINAL, Mark.INTEGRITY))
)
STEPS = st.one_of(
    st.just(cached), st.just(pushing), FAULTS.map(lambda reason: lambda asked: lost(asked, reason))
)


@given(
    makers=st.lists(STEPS, max_size=6),
    reasons=st.lists(FAULTS, max_size=6),
    gone=st.none() | FAULTS,
    is_listed=st.booleans(),
)
def test_b22_nothing_that_only_ranges_ask_for_moves_ready_or_stalled(
    makers: list[Any], reasons: list[Reason], gone: Reason | None, is_listed: bool
) -> None:
    own: list[CacheStep] = [cached(LISTED) if is_listed else lost(LISTED)]
    asked = [wish(f"asked:{number}") for number in range(len(makers))]
    failures = {each: failure(why) for each, why in zip(asked, reasons, strict=False)}
    lost_source = (source_seen(fault(gone)),) if gone else ()
    alone = told(cache_seen(sources=lost_source), own)
    beside = told(
        cache_seen(sources=lost_source, failures=failures),
        [*own, *(make(each) for make, each in zip(makers, asked, strict=True))],
    )
    for kind in (ConditionType.READY, ConditionType.STALLED, ConditionType.RECONCILING):
        before, after = alone.condition(kind), beside.condition(kind)
        assert (before and (before.status, before.reason)) == (
            after and (after.status, after.reason)
        )
    assert alone.images == beside.images
    assert alone.summary == beside.summary


def test_the_digests_are_written_those_of_listed_images_first() -> None:
    anchors = {wish(f"a:{number}"): digest("one") for number in range(2000)}
    status = told(cache_seen(anchors={**anchors, LISTED: digest("two")}), [cached(LISTED)])
    assert status.digests["nginx:1.25"] == digest("two")
    assert (len(status.digests), status.digests_omitted) == (2000, 1)
    assert list(status.digests) == sorted(status.digests)


def test_what_is_pushed_is_on_its_way() -> None:
    row = told(cache_seen(), [cached(LISTED), pushing(ASKED)]).image_statuses[0]
    assert (row.reason, row.message) == (Reason.PROGRESSING, "on its way into the registry")


@pytest.mark.parametrize("gone", [Reason.ENGINE_UNREACHABLE, Reason.TIMEOUT])
def test_a_source_that_only_ranges_need_is_told_and_the_cache_stays_ready(gone: Reason) -> None:
    seen = cache_seen(sources=(source_seen(fault(gone)),), wishes={LISTED: True, ASKED: True})
    status = told(seen, [cached(LISTED), lost(ASKED, Reason.SOURCE_UNREACHABLE)])
    ready = status.condition(ConditionType.READY)
    assert ready is not None
    assert ready.status is ConditionStatus.TRUE
    assert conditions_of(status)["SourceAvailable"] == "False/SourceUnreachable"
