"""What a cache remembers of its registry: losses, foreign tags, and what credentials change."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.registry import Credentials
from cyroid_images.reconcile.caches.cache_state import MOST_ANCHORS, CacheState
from tests.unit.plan.examples import NOW, REGISTRY, cache_item, digest, failure, stored, wish


def state() -> CacheState:
    return CacheState.of(cache_item("nginx:1.25"), NOW)


def test_other_credentials_make_what_was_refused_worth_another_try() -> None:
    mine = state()
    mine.dials(REGISTRY)
    mine.refused(wish(), failure(Reason.UNAUTHORIZED), None)
    mine.refused(wish("nginx:1.26"), failure(Reason.PUSH_FAILED), None)
    mine.dials(REGISTRY)
    assert wish() in mine.failures
    mine.dials(replace(REGISTRY, credentials=Credentials("cyroid", "another")))
    assert list(mine.failures) == [wish("nginx:1.26")]
    assert mine.write is None


def test_an_upstream_that_refuses_us_is_no_fault_of_the_registry() -> None:
    mine = state()
    mine.refused(wish(), failure(Reason.UNAUTHORIZED), "hub")
    assert mine.write is None
    mine.refused(wish(), failure(Reason.REGISTRY_FULL), "hub")
    assert mine.write is not None


def test_only_what_was_there_is_refilled_and_until_it_is_back() -> None:
    mine = state()
    mine.lost(wish())
    assert mine.refilling == set()
    mine.found(wish(), stored(), 1.0)
    mine.lost(wish())
    assert mine.refilling == {wish()}
    mine.pushed(wish(), stored(), 2.0)
    assert mine.refilling == set()


def test_a_tag_that_names_content_of_ours_is_nobody_elses() -> None:
    mine = state()
    mine.found(wish(), stored(), 1.0)
    mine.found(wish("nginx:1.26"), stored("two"), 1.0)
    mine.tagged(wish(), stored("two").manifest.digest)  # two platforms share one tag
    assert mine.foreign == {}
    mine.tagged(wish(), digest("theirs"))
    assert mine.foreign == {wish(): digest("theirs")}
    mine.tagged(wish(), stored().manifest.digest)
    assert mine.foreign == {}


def test_a_host_that_limits_us_is_left_alone_and_ours_is_not() -> None:
    mine = state()
    mine.refused(wish(), failure(Reason.RATE_LIMITED), "hub")
    mine.refused(wish(), failure(Reason.PUSH_FAILED), "other")
    mine.refused(wish(), failure(Reason.RATE_LIMITED), None)
    assert list(mine.hosts) == ["hub"]
    mine.begin(edited())
    assert mine.hosts == {}


def edited() -> ImageCache:
    item = cache_item("nginx:1.25")
    return replace(item, metadata=item.metadata.model_copy(update={"generation": 4}))


def test_an_edit_has_everything_asked_and_tried_anew() -> None:
    mine = state()
    mine.is_new = False
    mine.begin(cache_item("nginx:1.25"))
    assert not mine.is_new
    mine.refused(wish(), failure(Reason.PUSH_FAILED), None)
    mine.begin(edited())
    assert (mine.is_new, mine.failures) == (True, {})


def test_what_nobody_wants_any_more_is_forgotten_and_its_anchor_is_not() -> None:
    mine = state()
    mine.want([wish()], 1.0)
    mine.found(wish(), stored(), 1.0)
    mine.anchor(wish(), digest("proven"))
    mine.lost(wish())
    mine.distrusted.add(wish())
    mine.refused(wish(), failure(Reason.PUSH_FAILED), None)
    mine.want([], 2.0)
    assert not mine.proven
    assert not mine.failures
    assert not mine.wanted_since
    assert not mine.refilling | mine.distrusted | mine.doubted
    assert mine.anchors == {wish(): digest("proven")}


def test_a_wish_is_as_old_as_the_first_pass_that_had_it() -> None:
    mine = state()
    mine.want([wish()], 1.0)
    mine.want([wish(), wish("redis:7")], 2.0)
    assert mine.wanted_since == {wish(): 1.0, wish("redis:7"): 2.0}


def test_b15_anchors_beyond_the_bound_go_the_unwanted_and_oldest_first() -> None:
    mine = state()
    wishes = [wish(f"image:{number}") for number in range(MOST_ANCHORS + 10)]
    for each in wishes:
        mine.anchor(each, digest(str(each)))
    mine.anchor(wishes[0], digest("anew"))  # the newest again
    mine.want(wishes[:20], 1.0)
    assert len(mine.anchors) == MOST_ANCHORS
    assert set(wishes[:20]) <= mine.anchors.keys()
    assert not set(wishes[20:30]) & mine.anchors.keys()


def test_a_tag_that_moved_is_told_once_and_again_when_it_moves_again() -> None:
    mine = state()
    moved = (wish(), digest("new"))
    assert mine.tell_once([moved]) == [moved]
    assert mine.tell_once([moved]) == []
    assert mine.tell_once([]) == []
    assert mine.tell_once([moved]) == [moved]
