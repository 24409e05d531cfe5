"""What leaves a registry: asked for, or unused for long; and all that keeps it there."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.removal import RemovalPlan, Tried, Wanters
from cyroid_images.plan.needs import NOT_LISTED, unreadable
from cyroid_images.plan.removal import LISTED, RemovalSeen, places_asked, plan_removals
from tests.unit.plan.examples import ARM64, NOW, cache_body, digest, failure, wish

NGINX = ("docker.io/library/nginx", "1.25")
HOUR = timedelta(hours=1)
AWAY = Fault(Reason.REGISTRY_UNREACHABLE, "the registry refuses")
BROKEN = unreadable("RangeImages a/red", Fault(Reason.INVALID_SPEC, "spec.images: Required value"))
WANTED = {NGINX: Wanters("range-01/red", 4)}
GONE = Tried(is_gone=True, next=NOW + HOUR)
GONE_LONG_AGO = Tried(is_gone=True, next=NOW - HOUR)
FAILED = Tried(is_gone=False, next=NOW + HOUR, failure=failure(Reason.REMOVAL_FAILED))
FAILED_LONG_AGO = replace(FAILED, failure=failure(Reason.REMOVAL_FAILED, due=-1))


def cache(*removed: str, unused: str | None = None, **spec: Any) -> ImageCache:
    more: dict[str, Any] = {"retention": {"unused": unused}} if unused else {}
    rows = [{"image": image} for image in removed]
    return ImageCache.parse(cache_body(removedImages=rows, **more, **spec))


def seen(item: ImageCache, **more: Any) -> RemovalSeen:
    return RemovalSeen(**{"item": item, "now": NOW, **more})


def told(plan: RemovalPlan) -> list[str]:
    """Of each row: `gone`, or the reason."""
    return ["gone" if row.is_removed else str(row.reason) for row in plan.removed]


@pytest.mark.parametrize(
    ("known", "row", "leaves"),
    [
        ({}, "Progressing", True),
        ({"registry": AWAY}, "RegistryUnreachable", False),
        ({"unknown": NOT_LISTED}, "Progressing", False),
        ({"unknown": BROKEN}, "InvalidSpec", False),
        ({"who": WANTED}, "ImageWanted", False),
        ({"wishes": [wish()]}, "ImageWanted", False),
        ({"wishes": [wish("docker.io/library/nginx:1.25", ARM64)]}, "ImageWanted", False),
        ({"wishes": [wish("nginx:1.26")]}, "Progressing", True),
        ({"who": WANTED, "registry": AWAY}, "ImageWanted", False),
        ({"is_busy": NGINX[0].__eq__}, "Progressing", False),
        ({"is_busy": "other".__eq__}, "Progressing", True),
        ({"tried": {NGINX: FAILED}}, "RemovalFailed", False),
        ({"tried": {NGINX: FAILED_LONG_AGO}}, "RemovalFailed", True),
        ({"tried": {NGINX: GONE}}, "gone", False),
        ({"tried": {NGINX: GONE_LONG_AGO}}, "gone", True),
        ({"tried": {NGINX: GONE}, "registry": AWAY}, "gone", False),
        ({"tried": {NGINX: GONE_LONG_AGO}, "registry": AWAY}, "gone", False),
        ({"tried": {NGINX: GONE}, "unknown": BROKEN}, "gone", False),
        ({"tried": {NGINX: GONE}, "who": WANTED}, "ImageWanted", False),
    ],
)
def test_an_image_leaves_only_while_it_is_known_that_nobody_wants_it(
    known: dict[str, Any], row: str, *, leaves: bool
) -> None:
    plan = plan_removals(seen(cache("nginx:1.25"), **known))
    assert told(plan) == [row]
    assert [each.place for each in plan.leaving] == ([NGINX] if leaves else [])


def test_a_suspended_cache_removes_nothing_and_says_so() -> None:
    item = cache("nginx:1.25", suspend=True, unused="1h")
    old = {wish("old:1"): NOW - 2 * HOUR}
    plan = plan_removals(seen(item, anchors={wish("old:1"): digest("old")}, since=old))
    assert told(plan) == ["Suspended"]
    assert not plan.leaving
    assert [row.image for row in plan.unused] == ["old:1"]


def test_who_wants_it_is_named() -> None:
    plan = plan_removals(seen(cache("nginx:1.25"), who=WANTED))
    assert plan.removed[0].message == (
        "wanted by range-01/red and 3 more; it is removed when nobody wants it any more"
    )
    assert plan.unwanted == frozenset()


def test_spellings_of_one_image_are_one_removal_and_a_row_each() -> None:
    item = cache("127.0.0.1:5000/kali:1", "registry.example/kali:1", aliases=["127.0.0.1:5000"])
    assert len(plan_removals(seen(item)).leaving) == 2
    item = cache(
        "127.0.0.1:5000/kali:1",
        "registry.example/kali:1",
        aliases=["127.0.0.1:5000", "registry.example"],
    )
    plan = plan_removals(seen(item))
    assert [each.place for each in plan.leaving] == [("local/kali", "1")]
    assert [row.image for row in plan.removed] == [
        "127.0.0.1:5000/kali:1",
        "registry.example/kali:1",
    ]


def test_a_wish_by_an_alias_keeps_the_image() -> None:
    item = cache("127.0.0.1:5000/kali:1", aliases=["127.0.0.1:5000", "registry.example"])
    plan = plan_removals(seen(item, wishes=[wish("registry.example/kali:1")]))
    assert told(plan) == ["ImageWanted"]


def test_what_the_cache_knew_of_it_leaves_with_it() -> None:
    anchors = {wish(): digest("any"), wish(platform=ARM64): digest("arm"), wish("b:1"): digest("b")}
    (leaving,) = plan_removals(seen(cache("nginx:1.25"), anchors=anchors)).leaving
    assert leaving.because == LISTED
    assert leaving.known == {digest("any"), digest("arm")}
    assert leaving.wishes == {wish(), wish(platform=ARM64)}
    assert leaving.named == frozenset()


def test_a_name_with_a_digest_means_that_content_alone() -> None:
    pinned = f"nginx:1.25@{digest('index')}"
    anchors = {wish(): digest("any"), wish(pinned): digest("child")}
    (leaving,) = plan_removals(seen(cache(pinned), anchors=anchors)).leaving
    assert leaving.known == {digest("child")}
    assert leaving.named == {digest("child"), digest("index")}
    assert leaving.wishes == {wish(pinned)}


def test_a_name_by_digest_alone_is_under_a_tag_of_its_own() -> None:
    (leaving,) = plan_removals(seen(cache(f"nginx@{digest('x')}"))).leaving
    assert leaving.place == (NGINX[0], f"_by-{digest('x').hex[:40]}")
    assert leaving.named == frozenset()


# -- what nobody asks for -----------------------------------------------------------------

OLD = wish("old:1")
OLD_PLACE = ("docker.io/library/old", "1")


def unused(moment: datetime | None, **more: Any) -> RemovalPlan:
    item = more.pop("item", cache(unused="1h"))
    known = {"anchors": {OLD: digest("old")}, "since": {OLD: moment} if moment else {}}
    return plan_removals(seen(item, **{**known, **more}))


@pytest.mark.parametrize(
    ("since", "known", "row", "leaves"),
    [
        (None, {}, NOW, False),
        (NOW - HOUR / 2, {}, NOW - HOUR / 2, False),
        (NOW - HOUR, {}, NOW - HOUR, True),
        (NOW + 5 * HOUR, {}, NOW, False),
        (NOW - HOUR, {"registry": AWAY}, NOW - HOUR, False),
        (NOW - HOUR, {"is_busy": OLD_PLACE[0].__eq__}, NOW - HOUR, False),
        (NOW - HOUR, {"tried": {OLD_PLACE: FAILED}}, NOW - HOUR, False),
        (NOW - HOUR, {"tried": {OLD_PLACE: FAILED_LONG_AGO}}, NOW - HOUR, True),
        (NOW - HOUR, {"wishes": [OLD]}, None, False),
        (NOW - HOUR, {"wishes": [wish("old:1", ARM64)]}, None, False),
        (NOW - HOUR, {"offered": [OLD]}, None, False),
        (NOW - HOUR, {"who": {OLD_PLACE: Wanters("a/b", 1)}}, None, False),
        (None, {"unknown": NOT_LISTED}, None, False),
        (NOW - HOUR, {"unknown": NOT_LISTED}, NOW - HOUR, False),
        (NOW - HOUR, {"unknown": BROKEN}, None, False),
        (NOW - HOUR, {"anchors": {}}, None, False),
        (NOW - HOUR, {"item": cache()}, None, False),
        (NOW - HOUR, {"item": cache("old:1", unused="1h")}, None, True),
    ],
)
def test_unknown_is_never_unused(
    since: datetime | None, known: dict[str, Any], row: datetime | None, *, leaves: bool
) -> None:
    plan = unused(since, **known)
    assert [each.since for each in plan.unused] == ([row] if row else [])
    assert [each.place for each in plan.leaving] == ([OLD_PLACE] if leaves else [])


def test_the_platform_that_was_asked_for_last_decides() -> None:
    arm = wish("old:1", ARM64)
    anchors = {OLD: digest("old"), arm: digest("arm")}
    plan = unused(NOW - HOUR, anchors=anchors, since={OLD: NOW - HOUR, arm: NOW - HOUR / 2})
    assert not plan.leaving
    assert [(row.platform, row.since) for row in plan.unused] == [
        (None, NOW - HOUR),
        (ARM64, NOW - HOUR / 2),
    ]
    plan = unused(NOW - HOUR, anchors=anchors, since=dict.fromkeys(anchors, NOW - HOUR))
    assert plan.leaving[0].known == {digest("old"), digest("arm")}
    assert "nobody has asked for it since 2026-05-01T11:00:00Z" in plan.leaving[0].because


def test_the_longest_unused_stand_first_and_the_rest_is_left_out() -> None:
    many = {wish(f"old-{number:03}:1"): NOW - number * HOUR / 500 for number in range(300)}
    plan = unused(None, anchors={each: digest(str(each)) for each in many}, since=many)
    assert len(plan.unused) == 256
    assert plan.unused[0].image == "old-299:1"
    assert len(plan.since) == 300


def test_time_alone_wakes_what_waits_for_it() -> None:
    assert unused(NOW - HOUR / 2).wakes == NOW + HOUR / 2
    assert unused(NOW - HOUR, tried={OLD_PLACE: FAILED}).wakes == FAILED.next
    assert unused(NOW - HOUR, is_busy=OLD_PLACE[0].__eq__).wakes == NOW + timedelta(seconds=1)
    gone = plan_removals(seen(cache("nginx:1.25"), tried={NGINX: GONE}))
    assert gone.wakes == GONE.next
    assert plan_removals(seen(cache("nginx:1.25"), who=WANTED)).wakes is None


def test_a_look_that_is_a_year_away_is_of_a_clock_that_was_put_back() -> None:
    later = replace(GONE, next=NOW + timedelta(days=365))
    plan = plan_removals(seen(cache("nginx:1.25"), tried={NGINX: later}))
    assert [each.place for each in plan.leaving] == [NGINX]


def test_what_is_asked_to_go_is_known_by_place() -> None:
    item = cache("nginx:1.25", f"a@{digest('a')}")
    assert places_asked(item) == {NGINX, ("docker.io/library/a", f"_by-{digest('a').hex[:40]}")}


def test_a_tag_that_means_another_image_by_now_is_not_taken_along() -> None:
    name = f"nginx:1.25@{digest('long ago')}"
    plan = plan_removals(seen(cache(name, "nginx:2.0")))
    assert plan.unwanted == {("docker.io/library/nginx", "2.0")}
