"""Demand one way, snapshots the other: news only for those whom it concerns."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.knowledge import ImageRecord
from cyroid_images.store.demand import Demand, Wants
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import cache_view, content, fault, wish

A, B = (Key(Kind.RANGE_IMAGES, "default", name) for name in "ab")
NGINX, REDIS = wish(), wish("redis:7")
ONE = Wants("default", frozenset({NGINX}), may_push=True)
TWO = Wants("default", frozenset({NGINX, REDIS}), may_push=False)
SEEN = cache_view({NGINX: ImageRecord(content()), REDIS: ImageRecord()})


CACHE, OTHER = (Key(Kind.IMAGE_CACHE, "", name) for name in ("default", "other"))


def test_a_wish_is_news_once_for_the_cache_that_is_named() -> None:
    demand = Demand()
    assert demand.set(A, ONE) == (CACHE,)
    assert demand.set(A, ONE) == ()
    assert demand.set(A, TWO) == (CACHE,)
    assert demand.set(A, None) == (CACHE,)
    assert demand.set(A, None) == ()
    assert demand.wants(A) is None


def test_b19_a_range_that_goes_to_another_cache_is_news_for_both() -> None:
    demand = Demand()
    demand.set(A, ONE)
    assert demand.set(A, replace(ONE, cache="other")) == (CACHE, OTHER)
    assert demand.wishes("default") == {}


def test_a_cache_that_is_gone_leaves_no_doubt() -> None:
    demand = Demand()
    demand.publish("default", SEEN)
    demand.distrust("default", NGINX)
    demand.publish("default", None)
    assert demand.take_distrusted("default") == {}


def test_somebody_who_may_push_is_enough() -> None:
    demand = Demand()
    demand.set(A, ONE)
    demand.set(B, TWO)
    demand.set(Key(Kind.RANGE_IMAGES, "default", "c"), replace(ONE, cache="other"))
    assert demand.wishes("default") == {NGINX: True, REDIS: False}


def test_the_first_view_is_news_for_all_who_name_the_cache() -> None:
    demand = Demand()
    demand.set(A, ONE)
    demand.set(B, replace(TWO, cache="other"))
    assert demand.publish("default", SEEN) == (A,)
    assert demand.view("default") == SEEN
    assert demand.view("other") is None


def test_an_equal_view_is_news_for_nobody() -> None:
    demand = Demand()
    demand.set(A, ONE)
    demand.publish("default", SEEN)
    assert demand.publish("default", replace(SEEN)) == ()


def test_an_image_is_news_for_those_who_want_it() -> None:
    demand = Demand()
    demand.set(A, ONE)
    demand.set(B, TWO)
    demand.publish("default", SEEN)
    after = replace(SEEN, images={**SEEN.images, REDIS: ImageRecord(content("redis"))})
    assert demand.publish("default", after) == (B,)


def test_the_state_of_the_registry_is_news_for_all() -> None:
    demand = Demand()
    demand.set(A, ONE)
    demand.set(B, TWO)
    demand.publish("default", SEEN)
    away = replace(SEEN, registry=fault(Reason.REGISTRY_UNREACHABLE))
    assert demand.publish("default", away) == (A, B)


def test_the_end_of_a_cache_is_news_once() -> None:
    demand = Demand()
    demand.set(A, ONE)
    demand.publish("default", SEEN)
    assert demand.publish("default", None) == (A,)
    assert demand.publish("default", None) == ()
    assert demand.view("default") is None


def test_a_doubt_is_taken_once() -> None:
    demand = Demand()
    demand.distrust("default", NGINX, of_content=True)
    demand.distrust("default", NGINX)
    assert demand.take_distrusted("other") == {}
    assert demand.take_distrusted("default") == {NGINX: True}
    assert demand.take_distrusted("default") == {}
