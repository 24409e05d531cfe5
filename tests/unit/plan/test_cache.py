"""What a cache lacks and where it comes from: names, sources, policies, platforms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Cached, Push, Wait
from cyroid_images.model.fault import Fault
from cyroid_images.model.image import ImageContent
from cyroid_images.model.knowledge import HeldByEngine
from cyroid_images.model.observed import CacheSeen
from cyroid_images.plan.cache import drifted, know, plan_image, resolve
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
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

ALIASES = ("127.0.0.1:5000", "172.30.0.16:5000")
ONE, TWO, ARM = content("one"), content("two"), content("arm", ARM64)
AWAY = fault(Reason.ENGINE_UNREACHABLE, "refused")
PINNED = f"nginx@{digest('index')}"

Shown = Mapping[str, ImageContent]
FOUND: dict[str, tuple[str, Shown, Shown]] = {
    "as-written": ("nginx:1.25", {"nginx:1.25": ONE, "nginx:latest": TWO}, {}),
    "an-alias-as-written": (
        "127.0.0.1:5000/x:1", {"127.0.0.1:5000/x:1": ONE, "172.30.0.16:5000/x:1": TWO}, {},
    ),
    "an-alias-under-the-other": ("127.0.0.1:5000/x:1", {"172.30.0.16:5000/x:1": ONE}, {}),
    "an-alias-by-its-bare-name": ("127.0.0.1:5000/x:1", {"x:1": ONE}, {}),
    "the-other-alias-before-the-bare-name": (
        "127.0.0.1:5000/x:1", {"x:1": TWO, "172.30.0.16:5000/x:1": ONE}, {},
    ),
    "a-digest": (PINNED, {}, {PINNED: ONE}),
    "a-digest-with-a-tag-that-moved": (
        f"nginx:1@{digest('index')}", {"nginx:1": TWO}, {PINNED: ONE},
    ),
    "a-digest-that-is-the-id-of-the-tagged-image": (
        f"nginx:1@{digest('config one')}", {"nginx:1": ONE}, {},
    ),
}  # fmt: skip
NOT_FOUND: dict[str, tuple[str, Shown]] = {
    "another-tag": ("nginx:1.25", {"nginx:1.24": ONE}),
    "a-bare-name-is-no-alias": ("ghcr.io/x:1", {"x:1": ONE}),
    "a-digest-of-other-content": (f"nginx:1@{digest('index')}", {"nginx:1": ONE}),
}


@pytest.mark.parametrize(("image", "tagged", "by_digest"), FOUND.values(), ids=FOUND)
def test_a_source_is_searched_by_every_name_of_an_image(
    image: str, tagged: Shown, by_digest: Shown
) -> None:
    found = resolve(wish(image), [source_seen(view(tagged, by_digest))], ALIASES)
    assert isinstance(found, HeldByEngine)
    assert found.content.is_same(ONE)
    assert found.id in found.content.aliases


@pytest.mark.parametrize(("image", "tagged"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_is_not_there_is_not_found(image: str, tagged: Shown) -> None:
    found = resolve(wish(image), [source_seen(view(tagged))], ALIASES)
    assert isinstance(found, Fault)
    assert found.reason is Reason.IMAGE_NOT_FOUND


def test_the_first_reachable_source_that_has_it_wins() -> None:
    sources = [
        source_seen(AWAY, "first"),
        source_seen(view({"other:1": TWO}), "second"),
        source_seen(view({"nginx:1.25": ONE}), "third"),
        source_seen(view({"nginx:1.25": TWO}), "fourth"),
    ]
    found = resolve(wish(), sources, ())
    assert isinstance(found, HeldByEngine)
    assert found.source == "third"


def test_a_source_that_cannot_be_seen_is_not_one_that_lacks_it() -> None:
    sources = [source_seen(view(), "first"), source_seen(AWAY, "second")]
    found = resolve(wish(), sources, ())
    assert found == fault(Reason.SOURCE_UNREACHABLE, "source second: refused")


def test_sources_that_answer_and_lack_it_are_named() -> None:
    found = resolve(wish(), [source_seen(view(), "a"), source_seen(view(), "b")], ())
    assert isinstance(found, Fault)
    assert found.message == "no source has nginx:1.25 (looked in a, b); it is looked for again"


def test_a_cache_without_sources_says_so() -> None:
    found = resolve(wish(), [], ())
    assert isinstance(found, Fault)
    assert "the cache names no source" in found.message


def test_another_platform_is_told_and_never_taken() -> None:
    found = resolve(wish(platform=AMD64), [source_seen(view({"nginx:1.25": ARM}))], ())
    assert isinstance(found, Fault)
    assert found.reason is Reason.PLATFORM_MISMATCH
    assert "linux/arm64, not for linux/amd64" in found.message


def test_a_later_source_may_have_the_wanted_platform() -> None:
    sources = [
        source_seen(view({"nginx:1.25": ARM}), "arm"),
        source_seen(view({"nginx:1.25": ONE}), "amd"),
    ]
    found = resolve(wish(platform=AMD64), sources, ())
    assert isinstance(found, HeldByEngine)
    assert found.source == "amd"


def seen(**parts: Any) -> CacheSeen:
    """The source has `one`, the registry nothing, unless told otherwise."""
    usual: dict[str, Any] = {"sources": (source_seen(view({"nginx:1.25": ONE})),)}
    return cache_seen(**{**usual, **parts})


PIN = cache_item("nginx:1.25", refresh={"policy": "Pin"})
HELD_TWO = {wish(): stored("two")}
STEPS: dict[str, tuple[CacheSeen, type, Reason | None]] = {
    "not-there-so-push": (seen(), Push, None),
    "there-and-current": (seen(stored={wish(): stored()}), Cached, None),
    "the-tag-moved-so-push": (seen(stored=HELD_TWO), Push, None),
    "the-tag-moved-and-pinned": (seen(item=PIN, stored=HELD_TWO), Cached, None),
    "there-and-no-source-reachable": (
        seen(sources=(source_seen(AWAY),), stored={wish(): stored()}), Cached, None,
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


def test_what_is_stored_is_known_by_the_digests_of_both_sides() -> None:
    known = know(wish(), seen(stored={wish(): stored()}))
    assert known.stored is not None
    assert known.content is not None
    assert known.source is not None
    assert {digest("manifest one"), digest("config one")} <= known.content.identities
    assert known.stored.content == known.content


def test_a_moved_tag_makes_what_is_stored_unknown_to_the_ranges() -> None:
    known = know(wish(), seen(stored=HELD_TWO))
    assert known.stored is None
    assert known.content is not None
    assert known.content.is_same(ONE)


def test_pinned_content_is_not_given_from_a_source_that_moved_on() -> None:
    known = know(wish(), seen(item=PIN, stored=HELD_TWO))
    assert known.content == stored("two").content
    assert known.source is None


def test_what_has_no_content_says_why() -> None:
    known = know(wish(), seen(sources=(source_seen(AWAY),)))
    assert known.content is None
    assert known.fault is not None
    assert known.fault.reason is Reason.SOURCE_UNREACHABLE


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
        seen(item=PIN, stored=HELD_TWO),
        seen(sources=(source_seen(AWAY),), stored=HELD_TWO),
    ],
    ids=["nothing-stored", "equal", "pinned", "source-not-seen"],
)
def test_nothing_drifted_where_nothing_moved(given: CacheSeen) -> None:
    assert drifted(wish(), given) is None
