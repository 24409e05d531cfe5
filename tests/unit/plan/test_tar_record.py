"""The record of loads, and the neutral condition that is told from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Pull, Step, Wait
from cyroid_images.model.engine import EngineView
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.kinds.conditions import Verdict
from cyroid_images.model.kinds.status import TarDelivery
from cyroid_images.model.knowledge import HeldByCache
from cyroid_images.model.observed import RangeSeen, TargetSeen
from cyroid_images.plan.status.tar_record import (
    came_by_tar,
    is_recorded,
    record_of,
    still_true,
    tar_fallback,
)
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
    NOW,
    REGISTRY,
    content,
    digest,
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

WHY = fault(Reason.REGISTRY_UNREACHABLE, "connection refused")
LOAD = Load(wish(), target(), info(), source(), WHY)
RECORD = record_of(LOAD, NOW)
PULL = Pull(wish(), target(), info(), stored(), "127.0.0.1:5000")
CAUSES = {("uid-1", "nginx:1.25"): "connection refused"}
OTHER = Load(wish(), target(), info(), source("two"), WHY)


def test_a_record_says_what_where_why_and_when() -> None:
    assert (
        TarDelivery(
            image="nginx:1.25",
            uid="uid-1",
            digest=digest("config one"),
            layers=content().layers,
            reason=Reason.REGISTRY_UNREACHABLE,
            time=NOW,
        )
        == RECORD
    )


def test_a_load_knows_its_own_record_only() -> None:
    assert is_recorded(LOAD, [RECORD])
    assert is_recorded(LOAD, [record_of(OTHER, NOW), RECORD])
    assert not is_recorded(LOAD, [])
    assert not is_recorded(OTHER, [RECORD])
    assert not is_recorded(Load(wish(), target(2), info(), source(), WHY), [RECORD])
    assert not is_recorded(Load(wish("redis:7"), target(), info(), source(), WHY), [RECORD])


TRUE: dict[str, tuple[tuple[Step, ...], bool]] = {
    "target-not-seen": ((), True),
    "there": ((Present(wish(), content()),), True),
    "there-with-other-content": ((Present(wish(), content("two")),), False),
    "about-to-be-loaded": ((LOAD,), True),
    "other-content-is-loaded": ((OTHER,), False),
    "about-to-be-pulled-as-other-content": (
        (Pull(wish(), target(), info(), stored("two"), "127.0.0.1:5000"),),
        True,
    ),
    "waiting": ((Wait(wish(), WHY),), True),
    "there-beside-another-image": (
        (Present(wish("redis:7"), content("two")), Present(wish(), content())),
        True,
    ),
    "nobody-wants-it": ((Present(wish("redis:7"), content()),), False),
}


@pytest.mark.parametrize(("steps", "expected"), TRUE.values(), ids=TRUE)
def test_a_record_lives_as_long_as_its_content_is_wanted_there(
    steps: tuple[Step, ...], expected: bool
) -> None:
    assert still_true(RECORD, steps) is expected


def named(by: str, word: str = "one") -> ImageContent:
    """The content `word` as this party names it: each by digests that no other one knows."""
    return {
        "a-classic-source": content(word),
        "a-containerd-source": content(word, aliases=frozenset({digest(f"index {word}")})),
        "the-registry": content(word, manifest=digest(f"manifest {word}")),
        "an-archive": content(
            word, manifest=digest(f"plain {word}"), config=digest(f"config {word}")
        ),
        "registry-and-source": content(
            word,
            manifest=digest(f"manifest {word}"),
            aliases=frozenset({digest(f"index {word}")}),
        ),
        "an-engine-that-spells-the-setup-otherwise": replace(content(word), setup="{}"),
    }[by]


PARTIES = (
    "a-classic-source",
    "a-containerd-source",
    "the-registry",
    "an-archive",
    "registry-and-source",
    "an-engine-that-spells-the-setup-otherwise",
)


def loaded(known: ImageContent) -> Load:
    return Load(wish(), target(), info(), replace(source(), content=known), WHY)


@pytest.mark.parametrize("by", PARTIES)
@pytest.mark.parametrize("then", PARTIES)
def test_whoever_names_the_content_after_a_restart_leaves_the_record(by: str, then: str) -> None:
    record = record_of(loaded(named(by)), NOW)
    assert still_true(record, (Present(wish(), named(then)),))
    assert still_true(record, (loaded(named(then)),))


@pytest.mark.parametrize("by", PARTIES)
@pytest.mark.parametrize("then", PARTIES)
def test_whoever_names_other_content_ends_the_record(by: str, then: str) -> None:
    record = record_of(loaded(named(by)), NOW)
    assert not still_true(record, (Present(wish(), named(then, "two")),))
    assert not still_true(record, (loaded(named(then, "two")),))


@pytest.mark.parametrize("by", PARTIES)
def test_a_record_of_an_older_version_has_no_layers_and_is_kept(by: str) -> None:
    older = RECORD.model_copy(update={"layers": None})
    assert is_recorded(LOAD, [older])
    assert still_true(older, (Present(wish(), named(by, "two")),))
    assert not still_true(older, (Present(wish("redis:7"), content()),))


def test_a_tar_of_the_registrys_blobs_is_known_by_the_source_alone_later() -> None:
    load = Load(wish(), target(), info(), HeldByCache(REGISTRY, stored()), WHY)
    record = record_of(load, NOW)
    assert still_true(record, (Present(wish(), named("a-containerd-source")),))


def test_an_index_names_several_platforms_and_each_is_content_of_its_own() -> None:
    index = frozenset({digest("index")})
    mine, other = (loaded(content("one", each, aliases=index)) for each in (AMD64, ARM64))
    record = record_of(mine, NOW)
    assert is_recorded(mine, [record])
    assert not is_recorded(other, [record])
    assert still_true(record, (Present(wish(), mine.content),))
    assert not still_true(record, (Present(wish(), other.content),))


def test_a_load_that_is_named_otherwise_is_recorded_anew() -> None:
    """The digest on record is the one that this load brings."""
    assert not is_recorded(loaded(named("a-containerd-source")), [RECORD])


def seen(*targets: TargetSeen) -> RangeSeen:
    return range_seen(range_item("nginx:1.25", "redis:7"), targets)


def fallback(
    seen: RangeSeen,
    steps: dict[str, tuple[Step, ...]],
    records: tuple[TarDelivery, ...],
    causes: dict[tuple[str, str], str],
) -> Verdict:
    return tar_fallback(seen, came_by_tar(seen, steps, records), causes)


HELD = TargetSeen(target(), view({"nginx:1.25": content()}))
HERE: dict[str, tuple[Step, ...]] = {"uid-1": (Present(wish(), content()),)}


def test_without_a_record_no_tar_was_needed() -> None:
    verdict = fallback(seen(HELD), HERE, (), {})
    assert (verdict.status, verdict.reason) == ("False", Reason.NOT_NEEDED)


def test_a_tar_that_brought_an_image_is_told_with_counts_and_the_first_error() -> None:
    verdict = fallback(seen(HELD, TargetSeen(target(2), view())), HERE, (RECORD,), CAUSES)
    assert (verdict.status, verdict.reason) == ("True", Reason.REGISTRY_UNREACHABLE)
    assert verdict.message == (
        "1 of 2 images came by tar into 1 of 2 targets; first: nginx:1.25: connection refused"
    )


@pytest.mark.parametrize(
    ("shown", "steps"),
    [
        (view(), (LOAD,)),
        (view({"nginx:1.25": content("old")}), (LOAD,)),
        (view({"nginx:1.25": content("old")}), (PULL,)),
    ],
    ids=["not-there-yet", "older-content-is-there", "the-registry-is-back-first"],
)
def test_a_load_that_has_not_ended_is_not_told(shown: EngineView, steps: tuple[Step, ...]) -> None:
    told = seen(TargetSeen(target(), shown))
    verdict = fallback(told, {"uid-1": steps}, (RECORD,), CAUSES)
    assert verdict.reason is Reason.NOT_NEEDED


def test_an_engine_that_is_not_seen_keeps_its_record() -> None:
    unseen = seen(TargetSeen(target(), fault=fault(Reason.ENGINE_UNREACHABLE)))
    verdict = fallback(unseen, {"uid-1": ()}, (RECORD,), CAUSES)
    assert verdict.reason is Reason.REGISTRY_UNREACHABLE


def test_a_cache_that_is_gone_does_not_rewrite_the_record() -> None:
    steps: tuple[Step, ...] = (Wait(wish(), fault(Reason.CACHE_NOT_FOUND)),)
    verdict = fallback(seen(HELD), {"uid-1": steps}, (RECORD,), CAUSES)
    assert verdict.reason is Reason.REGISTRY_UNREACHABLE


def test_a_gone_target_takes_its_record_along() -> None:
    verdict = fallback(seen(TargetSeen(target(2), view())), {"uid-2": ()}, (RECORD,), CAUSES)
    assert verdict.reason is Reason.NOT_NEEDED


def test_the_earliest_load_gives_the_reason() -> None:
    later = RECORD.model_copy(
        update={"uid": "uid-2", "time": NOW + timedelta(1), "reason": Reason.PULL_FAILED}
    )
    both = seen(HELD, TargetSeen(target(2), view({"nginx:1.25": content()})))
    steps = {**HERE, "uid-2": HERE["uid-1"]}
    assert fallback(both, steps, (later, RECORD), {}).reason is Reason.REGISTRY_UNREACHABLE


def test_after_a_restart_the_cause_is_read_back_from_status() -> None:
    message = "1 of 1 images came by tar into 1 of 1 targets; first: nginx:1.25: it hung"
    told = {
        "type": "TarFallback",
        "status": "True",
        "reason": "RegistryUnreachable",
        "message": message,
        "observedGeneration": 3,
        "lastTransitionTime": "2026-05-01T12:00:00Z",
    }
    item = range_item(status={"observedGeneration": 3, "conditions": [told]})
    again = fallback(range_seen(item, (HELD,)), HERE, (RECORD,), {})
    assert again.message == message


def test_a_cause_that_nobody_knows_any_more_is_the_meaning_of_the_reason() -> None:
    verdict = fallback(seen(HELD), HERE, (RECORD,), {})
    assert verdict.message.endswith(f": {Reason.REGISTRY_UNREACHABLE.meaning}")
