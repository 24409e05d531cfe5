"""What a cache lacks and where it comes from: names, sources, policies, platforms."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Cached, Copy, Push, Wait
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.knowledge import HeldByUpstream, Stored
from cyroid_images.model.observed import CacheSeen, SourceSeen, UpstreamShown
from cyroid_images.model.upstream import upstream_endpoint
from cyroid_images.plan.cache import anchored, drifted, know, plan_image
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
    BUILDER,
    REGISTRY,
    cache_item,
    cache_seen,
    content,
    digest,
    failure,
    fault,
    source_seen,
    stored,
    view,
    wish,
)

ONE, TWO = content("one"), content("two")
AWAY = fault(Reason.ENGINE_UNREACHABLE, "refused")
REGISTRY_AWAY = fault(Reason.REGISTRY_UNREACHABLE)
HUB = frozenset({"docker.io"})
AT_HUB = HeldByUpstream("hub", upstream_endpoint("docker.io", HUB), stored())
OF_HUB = (SourceSeen("hub", UpstreamShown(HUB, {wish(): AT_HUB})),)


def seen(**parts: Any) -> CacheSeen:
    """The source has `one`, the registry nothing, unless told otherwise."""
    usual: dict[str, Any] = {"sources": (source_seen(view({"nginx:1.25": ONE})),)}
    return cache_seen(**{**usual, **parts})


ANCHOR_TWO = {wish(): stored("two").manifest.digest}
PIN = cache_item("nginx:1.25", refresh={"policy": "Pin"})
HELD_TWO = {wish(): stored("two")}


def of_index() -> Stored:
    """The content `one`, found below an index in the registry."""
    known = replace(stored().content, aliases=frozenset({digest("index")}))
    return replace(stored(), content=known)


STEPS: dict[str, tuple[CacheSeen, type, Reason | None]] = {
    "not-there-so-push": (seen(), Push, None),
    "there-and-current": (seen(stored={wish(): stored()}), Cached, None),
    "the-tag-moved-so-push": (seen(stored=HELD_TWO), Push, None),
    "the-tag-moved-and-pinned": (seen(item=PIN, stored=HELD_TWO, anchors=ANCHOR_TWO), Cached, None),
    "there-as-it-was-proven-and-no-source-reachable": (
        seen(
            sources=(source_seen(AWAY),),
            stored={wish(): stored()},
            anchors={wish(): stored().manifest.digest},
        ),
        Cached,
        None,
    ),
    "s9-there-and-never-proven-and-no-source-reachable": (
        seen(sources=(source_seen(AWAY),), stored={wish(): stored()}),
        Wait,
        Reason.SOURCE_UNREACHABLE,
    ),
    "s9-there-as-another-than-was-proven-and-no-source-reachable": (
        seen(
            sources=(source_seen(AWAY),),
            stored=HELD_TWO,
            anchors={wish(): stored().manifest.digest},
        ),
        Wait,
        Reason.SOURCE_UNREACHABLE,
    ),
    "b2-the-registry-cannot-tell-and-no-source-has-it": (
        seen(
            sources=(source_seen(view()),),
            lookups={wish(): fault(Reason.SERVER_ERROR)},
        ),
        Wait,
        Reason.SERVER_ERROR,
    ),
    "b1-the-registry-is-away-and-no-source-has-it": (
        seen(sources=(source_seen(view()),), registry=fault(Reason.REGISTRY_UNREACHABLE)),
        Wait,
        Reason.REGISTRY_UNREACHABLE,
    ),
    "wished-for-after-the-last-look-at-the-source": (
        seen(sources=(source_seen(view()),), not_fresh=frozenset({wish()})),
        Wait,
        Reason.PROGRESSING,
    ),
    "there-and-gone-from-the-source": (
        seen(sources=(source_seen(view()),), stored={wish(): stored()}), Cached, None,
    ),
    "there-while-the-registry-is-away": (
        seen(stored={wish(): stored()}, registry=fault(Reason.REGISTRY_UNREACHABLE)), Cached, None,
    ),
    "no-source-reachable": (seen(sources=(source_seen(AWAY),)), Wait, Reason.SOURCE_UNREACHABLE),
    "nowhere": (seen(sources=()), Wait, Reason.IMAGE_NOT_FOUND),
    "registry-away": (
        seen(registry=fault(Reason.REGISTRY_UNREACHABLE)), Wait, Reason.REGISTRY_UNREACHABLE,
    ),
    "failed-and-not-due": (
        seen(failures={wish(): failure(Reason.SERVER_ERROR, due=5)}), Wait, Reason.SERVER_ERROR,
    ),
    "failed-and-due": (seen(failures={wish(): failure(Reason.SERVER_ERROR, due=0)}), Push, None),
    "there-below-the-index-that-was-proven": (
        seen(
            sources=(source_seen(AWAY),),
            stored={wish(): of_index()},
            anchors={wish(): digest("index")},
        ),
        Cached,
        None,
    ),
    "its-upstream-is-left-alone-for-a-while": (
        seen(sources=OF_HUB, hosts={"docker.io": failure(Reason.RATE_LIMITED, due=5)}),
        Wait,
        Reason.RATE_LIMITED,
    ),
    "its-upstream-is-asked-again": (
        seen(sources=OF_HUB, hosts={"docker.io": failure(Reason.RATE_LIMITED, due=0)}), Copy, None,
    ),
    "another-upstream-is-left-alone-for-a-while": (
        seen(sources=OF_HUB, hosts={"ghcr.io": failure(Reason.RATE_LIMITED, due=5)}), Copy, None,
    ),
    "a-source-engine-has-what-an-upstream-does-not-give-now": (
        seen(hosts={"docker.io": failure(Reason.RATE_LIMITED, due=5)}), Push, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "step", "reason"), STEPS.values(), ids=STEPS)
def test_the_one_step_that_a_wish_needs(
    given: CacheSeen, step: type, reason: Reason | None
) -> None:
    planned = plan_image(wish(), given, REGISTRY)
    assert isinstance(planned, step)
    if isinstance(planned, Wait):
        assert planned.fault.reason is reason


def test_nothing_is_pushed_to_a_registry_that_was_not_asked_yet() -> None:
    planned = plan_image(wish(), seen(), None)
    assert isinstance(planned, Wait)
    assert planned.fault.reason is Reason.PROGRESSING


def test_a_push_goes_below_the_host_of_the_image() -> None:
    planned = plan_image(wish(), seen(), REGISTRY)
    assert isinstance(planned, Push)
    assert (planned.to.repository, planned.to.tag) == ("docker.io/library/nginx", "1.25")


def test_what_the_registry_gave_out_wrong_is_read_back_once_it_is_pushed_again() -> None:
    for doubted in (frozenset({wish()}), frozenset({wish("other:1")})):
        step = plan_image(wish(), seen(doubted=doubted), REGISTRY)
        assert isinstance(step, Push)
        assert step.to.is_doubted is (wish() in doubted)


def test_what_is_stored_is_known_by_the_digests_of_both_sides() -> None:
    known = know(wish(), seen(stored={wish(): stored()}))
    assert known.stored is not None
    assert known.content is not None
    assert known.source is not None
    assert {digest("manifest one"), digest("config one")} <= known.content.identities
    assert known.stored.content == known.content


def test_what_is_stored_is_known_by_the_index_of_its_source_too() -> None:
    at_source = content("one", config=digest("config one"), aliases=frozenset({digest("index")}))
    shown = source_seen(view({"nginx:1.25": at_source}))
    known = know(wish(), seen(sources=(shown,), stored={wish(): stored()})).content
    assert known is not None
    assert {digest("manifest one"), digest("index")} <= known.identities


def test_a_moved_tag_makes_what_is_stored_unknown_to_the_ranges() -> None:
    known = know(wish(), seen(stored=HELD_TWO))
    assert known.stored is None
    assert known.content is not None
    assert known.content.is_same(ONE)


def test_pinned_content_is_not_given_from_a_source_that_moved_on() -> None:
    known = know(wish(), seen(item=PIN, stored=HELD_TWO, anchors=ANCHOR_TWO))
    assert known.content == stored("two").content
    assert known.source is None


def test_what_has_no_content_says_why() -> None:
    known = know(wish(), seen(sources=(source_seen(AWAY),)))
    assert known.content is None
    assert known.fault is not None
    assert known.fault.reason is Reason.SOURCE_UNREACHABLE


NO_CONTENT: dict[str, tuple[CacheSeen, Reason, bool]] = {
    "everyone-has-answered": (seen(sources=(source_seen(view()),)), Reason.IMAGE_NOT_FOUND, False),
    "b1-the-registry-may-have-what-no-source-has": (
        seen(sources=(source_seen(view()),), registry=REGISTRY_AWAY),
        Reason.REGISTRY_UNREACHABLE,
        True,
    ),
    "a-source-may-come-back-while-the-registry-is-away": (
        seen(sources=(source_seen(AWAY),), registry=REGISTRY_AWAY), Reason.SOURCE_UNREACHABLE, True,
    ),
    "the-source-has-another-platform": (
        seen(sources=(source_seen(view({"nginx:1.25": content("arm", ARM64)})),)),
        Reason.PLATFORM_MISMATCH,
        False,
    ),
    "the-registry-may-have-the-platform-that-the-source-lacks": (
        seen(
            sources=(source_seen(view({"nginx:1.25": content("arm", ARM64)})),),
            registry=REGISTRY_AWAY,
        ),
        Reason.PLATFORM_MISMATCH,
        True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "reason", "is_unknown"), NO_CONTENT.values(), ids=NO_CONTENT)
def test_ranges_are_told_whether_nobody_has_it_or_somebody_has_not_answered(
    given: CacheSeen, reason: Reason, is_unknown: bool
) -> None:
    known = know(wish(platform=AMD64), given)
    assert known.content is None
    assert known.fault is not None
    assert (known.fault.reason, known.is_unknown) == (reason, is_unknown)


@pytest.mark.parametrize(
    ("lookup", "is_told"),
    [
        (REGISTRY_AWAY, True),
        (fault(Reason.SERVER_ERROR), True),
        (fault(Reason.PROGRESSING), False),
        (fault(Reason.DIGEST_MISMATCH), False),
        (None, False),
    ],
    ids=["away", "its-storage-fails", "just-asked", "one-damaged-image", "answers"],
)
def test_ranges_are_told_of_a_fault_of_the_registry_and_of_nothing_less(
    lookup: Fault | None, is_told: bool
) -> None:
    known = know(wish(), seen(lookups={wish(): lookup} if lookup else {}))
    assert known.registry == (lookup if is_told else None)


def test_that_the_registry_is_just_being_asked_is_told_to_the_ranges() -> None:
    asked = seen(lookups={wish(): fault(Reason.PROGRESSING)})
    assert know(wish(), asked).is_asked
    for other in (seen(), seen(lookups={wish(): fault(Reason.SERVER_ERROR)})):
        assert not know(wish(), other).is_asked


def test_a_failed_push_is_told_to_the_ranges() -> None:
    failed = failure(Reason.SERVER_ERROR, 2)
    assert know(wish(), seen(failures={wish(): failed})).failure == failed


def test_drift_names_what_the_registry_and_what_the_source_has() -> None:
    moved = drifted(wish(), seen(stored=HELD_TWO))
    assert moved is not None
    assert moved[0] == stored("two")
    assert moved[1].content.is_same(ONE)


@pytest.mark.parametrize(
    "given",
    [
        seen(),
        seen(stored={wish(): stored()}),
        seen(item=PIN, stored=HELD_TWO, anchors=ANCHOR_TWO),
        seen(sources=(source_seen(AWAY),), stored=HELD_TWO),
    ],
    ids=["nothing-stored", "equal", "pinned", "source-not-seen"],
)
def test_nothing_drifted_where_nothing_moved(given: CacheSeen) -> None:
    assert drifted(wish(), given) is None


SOURCES = [{"name": "builder", "engine": {"endpoint": BUILDER.url, "insecure": True}}]
WITH_SOURCE, ALONE = cache_item("nginx:1.25", sources=SOURCES), cache_item("nginx:1.25")
PINNED = cache_item("nginx:1.25", sources=SOURCES, refresh={"policy": "Pin"})
HELD, INDEX = {wish(): of_index()}, {wish(): digest("index")}
PROVEN = stored().manifest.digest
ANCHORED: dict[str, tuple[CacheSeen, Digest | None]] = {
    "the-source-shows-it-too": (seen(item=WITH_SOURCE, stored=HELD), PROVEN),
    "it-is-not-there": (seen(item=WITH_SOURCE), None),
    "the-source-has-other-content": (seen(item=WITH_SOURCE, stored=HELD_TWO), None),
    "the-source-answers-and-lacks-it": (
        seen(item=WITH_SOURCE, sources=(source_seen(view()),), stored=HELD), PROVEN,
    ),
    "the-source-is-away": (
        seen(item=WITH_SOURCE, sources=(source_seen(AWAY),), stored=HELD, anchors=INDEX), None,
    ),
    "track-follows-the-source": (seen(item=WITH_SOURCE, stored=HELD, anchors=INDEX), PROVEN),
    "track-follows-a-registry-that-alone-knows": (
        seen(item=ALONE, sources=(), stored=HELD), None,
    ),
    "pin-takes-the-first-that-is-shown": (seen(item=PINNED, stored=HELD), PROVEN),
    "pin-takes-the-first-of-the-registry-alone": (seen(item=PIN, sources=(), stored=HELD), PROVEN),
    "pin-never-moves": (seen(item=PINNED, stored=HELD, anchors=INDEX), None),
}  # fmt: skip


@pytest.mark.parametrize(("given", "believed"), ANCHORED.values(), ids=ANCHORED)
def test_s9_only_what_is_proven_now_is_believed_from_now_on(
    given: CacheSeen, believed: Digest | None
) -> None:
    assert anchored(wish(), given) == believed
