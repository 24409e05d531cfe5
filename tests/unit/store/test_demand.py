"""Wishes one way, knowledge the other: news only for those whom it concerns."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.knowledge import Knowledge
from cyroid_images.reconcile.board import Board, Wants
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import cache_view, content, fault, wish

A, B = (Key(Kind.RANGE_IMAGES, "default", name) for name in "ab")
NGINX, REDIS = wish(), wish("redis:7")
ONE = Wants("default", frozenset({NGINX}), may_push=True)
TWO = Wants("default", frozenset({NGINX, REDIS}), may_push=False)
SEEN = cache_view({NGINX: Knowledge(content()), REDIS: Knowledge()})


def test_a_wish_is_news_once() -> None:
    board = Board()
    assert board.want(A, ONE)
    assert not board.want(A, ONE)
    assert board.want(A, TWO)
    assert board.want(A, None)
    assert not board.want(A, None)
    assert board.wants(A) is None


def test_somebody_who_may_push_is_enough() -> None:
    board = Board()
    board.want(A, ONE)
    board.want(B, TWO)
    board.want(Key(Kind.RANGE_IMAGES, "default", "c"), replace(ONE, cache="other"))
    assert board.wishes("default") == {NGINX: True, REDIS: False}


def test_the_first_view_is_news_for_all_who_name_the_cache() -> None:
    board = Board()
    board.want(A, ONE)
    board.want(B, replace(TWO, cache="other"))
    assert board.publish("default", SEEN) == (A,)
    assert board.view("default") == SEEN
    assert board.view("other") is None


def test_an_equal_view_is_news_for_nobody() -> None:
    board = Board()
    board.want(A, ONE)
    board.publish("default", SEEN)
    assert board.publish("default", replace(SEEN)) == ()


def test_an_image_is_news_for_those_who_want_it() -> None:
    board = Board()
    board.want(A, ONE)
    board.want(B, TWO)
    board.publish("default", SEEN)
    after = replace(SEEN, images={**SEEN.images, REDIS: Knowledge(content("redis"))})
    assert board.publish("default", after) == (B,)


def test_the_state_of_the_registry_is_news_for_all() -> None:
    board = Board()
    board.want(A, ONE)
    board.want(B, TWO)
    board.publish("default", SEEN)
    away = replace(SEEN, registry=fault(Reason.REGISTRY_UNREACHABLE))
    assert board.publish("default", away) == (A, B)


def test_the_end_of_a_cache_is_news_once() -> None:
    board = Board()
    board.want(A, ONE)
    board.publish("default", SEEN)
    assert board.publish("default", None) == (A,)
    assert board.publish("default", None) == ()
    assert board.view("default") is None


def test_a_doubt_is_taken_once() -> None:
    board = Board()
    board.doubt("default", NGINX, of_content=True)
    board.doubt("default", NGINX)
    assert board.take_doubts("other") == {}
    assert board.take_doubts("default") == {NGINX: True}
    assert board.take_doubts("default") == {}
