"""B1, P7: what could not be seen says nothing against what was proven before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Cached, CacheStep, Present, Pull, Step, Wait
from cyroid_images.model.engine import EngineView
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.status import MOST_TARGETS
from cyroid_images.model.knowledge import CacheView, ImageRecord
from cyroid_images.model.observed import RangeDone, RangeSeen, TargetSeen
from cyroid_images.plan.status import cache_report, range_report
from cyroid_images.plan.status.initial_status import initial_range_status
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    ARM64,
    NOW,
    cache_body,
    cache_item,
    cache_seen,
    cache_view,
    content,
    fault,
    info,
    range_body,
    range_item,
    range_seen,
    stored,
    target,
    view,
    wish,
)

HELD = view({"nginx:1.25": content()})
PRESENT: tuple[Step, ...] = (Present(wish(), content()),)
HERE = TargetSeen(target(), HELD)
NOT_YET = fault(Reason.PROGRESSING, "not looked at yet")
AWAY = fault(Reason.REGISTRY_UNREACHABLE, "connection refused")


def conditions_of(seen: RangeSeen, steps: Mapping[str, tuple[Step, ...]]) -> dict[str, str]:
    """Of a pass over an object that conforms before and after."""
    before = {**range_body(), "status": seen.item.status.to_document()}
    status = range_report.report(seen, RangeDone(steps, (), (), {}))
    after = {**range_body(), "status": status.to_document()}
    assert_status_conforms(after, before)
    return {str(each.type): f"{each.status}/{each.reason}" for each in status.conditions}


def was_ready(targets: int = 1) -> RangeSeen:
    """As it was said before the operator started again."""
    seen = range_seen(targets=tuple(TargetSeen(target(n), HELD) for n in range(1, targets + 1)))
    steps = {each.target.uid: PRESENT for each in seen.targets}
    status = range_report.report(seen, RangeDone(steps, (), (), {}))
    return replace(seen, item=replace(seen.item, status=status))


UNKNOWN_REDIS = Wait(wish("redis:7"), AWAY)


def two_images(shown: EngineView) -> RangeSeen:
    """Had both of its images; now the registry is away, and this is what the engine shows."""
    both = view({"nginx:1.25": content(), "redis:7": content("two")})
    seen = range_seen(range_item("nginx:1.25", "redis:7"), (TargetSeen(target(), both),))
    steps = (*PRESENT, Present(wish("redis:7"), content("two")))
    status = range_report.report(seen, RangeDone({"uid-1": steps}, (), (), {}))
    item = replace(seen.item, status=status)
    here = TargetSeen(target(), shown)
    return replace(seen, item=item, targets=(here,), cache=cache_view(registry=AWAY))


def waiting(why: Fault) -> dict[str, tuple[Step, ...]]:
    return {"uid-1": (Wait(wish(), why),)}


UNSEEN: dict[str, tuple[dict[str, Any], dict[str, tuple[Step, ...]]]] = {
    "the-engine-is-not-looked-at": ({"targets": (TargetSeen(target(), fault=NOT_YET),)}, {}),
    "the-cache-is-not-looked-at": ({"cache": None, "cache_fault": NOT_YET}, waiting(NOT_YET)),
    "the-cache-knows-nothing-yet": ({"cache": CacheView("r:5000")}, waiting(NOT_YET)),
    "b1-registry-away-and-source-pruned": ({"cache": cache_view(registry=AWAY)}, waiting(AWAY)),
    "b2-manifests-fail": (
        {"cache": cache_view(registry=fault(Reason.SERVER_ERROR))},
        waiting(fault(Reason.SERVER_ERROR)),
    ),
    "s9-no-source-says-what-it-means": (
        {"cache": cache_view()}, waiting(fault(Reason.SOURCE_UNREACHABLE)),
    ),
    "nothing-is-decided-for-the-engine-yet": ({}, {}),
    "something-happened-at-the-engine-since-the-last-look": (
        {"targets": (TargetSeen(target(), view(), is_stale=True),)}, waiting(AWAY),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "steps"), UNSEEN.values(), ids=UNSEEN)
def test_b1_what_was_ready_stays_ready_through_every_unknown(
    parts: dict[str, Any], steps: dict[str, tuple[Step, ...]]
) -> None:
    told = conditions_of(replace(was_ready(), **parts), steps)
    assert told["Ready"] == "True/AllImagesPresent"
    assert "Stalled" not in told


def test_b1_that_the_registry_is_away_is_told_beside_it() -> None:
    seen = replace(was_ready(), cache=cache_view(registry=AWAY))
    assert conditions_of(seen, waiting(AWAY))["RegistryAvailable"] == "False/RegistryUnreachable"


def test_a_party_that_was_not_asked_yet_is_no_news() -> None:
    seen = replace(was_ready(), cache=None, cache_fault=NOT_YET)
    assert conditions_of(seen, waiting(NOT_YET))["RegistryAvailable"] == "True/Available"


NONE_LEFT = TargetSeen(target(), view())
NOWHERE = fault(Reason.IMAGE_NOT_FOUND)
KNOWN = cache_view({wish(): ImageRecord(content("two"), stored("two"))})
SEEN: dict[str, tuple[dict[str, Any], dict[str, tuple[Step, ...]], str]] = {
    "the-name-is-gone-from-the-engine": (
        {"targets": (NONE_LEFT,), "cache": cache_view(registry=AWAY)},
        waiting(AWAY),
        "False/RegistryUnreachable",
    ),
    "b4-a-new-pod-that-nobody-looked-at": (
        {"targets": (was_ready().targets[0], TargetSeen(target(2), fault=NOT_YET))},
        {"uid-1": waiting(NOT_YET)["uid-1"]},
        "False/Progressing",
    ),
    "the-engine-does-not-answer": (
        {"targets": (TargetSeen(target(), fault=fault(Reason.ENGINE_UNREACHABLE)),)},
        {},
        "False/EngineUnreachable",
    ),
    "it-should-have-other-content": (
        {"cache": KNOWN}, waiting(fault(Reason.PULL_FAILED)), "False/PullFailed",
    ),
    "everybody-answered-and-nobody-has-it": (
        {"cache": cache_view({wish(): ImageRecord(fault=NOWHERE, is_unknown=False)})},
        waiting(NOWHERE),
        "False/ImageNotFound",
    ),
    "it-is-on-its-way": (
        {},
        {"uid-1": (Pull(wish(), target(), info(), stored(), "r:5000"),)},
        "False/Progressing",
    ),
    "there-is-no-target-any-more": ({"targets": ()}, {}, "False/NoTargets"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "steps", "ready"), SEEN.values(), ids=SEEN)
def test_what_is_seen_to_be_missing_is_told(
    parts: dict[str, Any], steps: dict[str, tuple[Step, ...]], ready: str
) -> None:
    assert conditions_of(replace(was_ready(), **parts), steps)["Ready"] == ready


def test_one_target_that_is_seen_to_lack_something_is_enough() -> None:
    targets = (TargetSeen(target(1), fault=NOT_YET), TargetSeen(target(2), view()))
    seen = replace(was_ready(2), targets=targets)
    steps: dict[str, tuple[Step, ...]] = {"uid-2": (Wait(wish(), NOT_YET),)}
    assert conditions_of(seen, steps)["Ready"] == "False/Progressing"


def test_one_target_that_is_not_seen_unmakes_nothing_that_another_one_shows() -> None:
    seen = was_ready(2)
    seen = replace(seen, targets=(seen.targets[0], TargetSeen(target(2), fault=NOT_YET)))
    assert conditions_of(seen, {"uid-1": PRESENT})["Ready"] == "True/AllImagesPresent"


def test_a_pod_beyond_the_rows_of_status_is_no_new_one() -> None:
    seen = was_ready(MOST_TARGETS + 1)
    unseen = tuple(TargetSeen(each.target, fault=NOT_YET) for each in seen.targets)
    told = conditions_of(replace(seen, targets=unseen), {})
    assert told["Ready"] == "True/AllImagesPresent"


@pytest.mark.parametrize(
    ("shown", "ready"),
    [
        (view({"nginx:1.25": content(), "redis:7": content("two")}), "True/AllImagesPresent"),
        (view({"nginx:1.25": content()}), "False/RegistryUnreachable"),
    ],
    ids=["there-under-its-name", "gone-from-the-engine"],
)
def test_b1_beside_what_is_proven_one_image_may_be_unknown_but_not_missing(
    shown: EngineView, ready: str
) -> None:
    assert conditions_of(two_images(shown), {"uid-1": (*PRESENT, UNKNOWN_REDIS)})["Ready"] == ready


def test_one_image_that_is_seen_to_be_missing_is_enough() -> None:
    seen = two_images(view({"nginx:1.25": content()}))
    steps: dict[str, tuple[Step, ...]] = {"uid-1": (Wait(wish(), AWAY), UNKNOWN_REDIS)}
    assert conditions_of(seen, steps)["Ready"] == "False/RegistryUnreachable"


def test_what_the_cache_knows_for_another_platform_is_unknown_for_this_engine() -> None:
    here = TargetSeen(target(), view({"nginx:1.25": content()}, about=info(ARM64)))
    cache = cache_view({wish(): ImageRecord(content(), stored())})
    seen = replace(was_ready(), targets=(here,), cache=cache)
    assert conditions_of(seen, waiting(NOT_YET))["Ready"] == "True/AllImagesPresent"


def test_another_generation_was_never_ready() -> None:
    seen = was_ready()
    metadata = seen.item.metadata.model_copy(update={"generation": 4})
    edited = replace(seen, item=replace(seen.item, metadata=metadata), cache=None)
    status = range_report.report(
        replace(edited, cache_fault=NOT_YET), RangeDone(waiting(NOT_YET), (), (), {})
    )
    assert status.conditions[0].status == "False"


def test_what_was_not_ready_does_not_become_so() -> None:
    item = range_item()
    seen = range_seen(replace(item, status=initial_range_status(item, NOW)), (HERE,))
    seen = replace(seen, cache=cache_view(registry=AWAY))
    assert conditions_of(seen, waiting(AWAY))["Ready"] == "False/RegistryUnreachable"


PARTIES: dict[str, tuple[Fault, int, str]] = {
    "not-looked-at": (NOT_YET, 3, "True/Available"),
    "not-looked-at-since-the-spec-was-edited": (NOT_YET, 4, "Unknown/Progressing"),
    "looked-at-and-starting": (fault(Reason.WAITING_FOR_ENGINE), 3, "Unknown/WaitingForEngine"),
    "looked-at-and-silent": (fault(Reason.ENGINE_UNREACHABLE), 3, "False/EngineUnreachable"),
}


@pytest.mark.parametrize(("why", "generation", "told"), PARTIES.values(), ids=PARTIES)
def test_what_was_not_ready_tells_of_a_party_as_it_was_known_until_it_is_looked_at(
    why: Fault, generation: int, told: str
) -> None:
    seen = range_seen(targets=(NONE_LEFT,))
    steps = waiting(fault(Reason.IMAGE_NOT_FOUND))
    status = range_report.report(seen, RangeDone(steps, (), (), {}))
    metadata = seen.item.metadata.model_copy(update={"generation": generation})
    item = replace(seen.item, status=status, metadata=metadata)
    unseen = replace(seen, item=item, targets=(TargetSeen(target(), fault=why),))
    found = range_report.report(unseen, RangeDone({}, (), (), {})).conditions
    by_type = {each.type: f"{each.status}/{each.reason}" for each in found}
    assert by_type[ConditionType.TARGETS_AVAILABLE] == told
    assert by_type[ConditionType.READY] == f"False/{why.reason}"


def cache_told(registry: Fault | None, *steps: CacheStep) -> str:
    """Ready of a cache that was Ready before its operator started again."""
    ready = cache_report.report(cache_seen(), [Cached(wish(), stored())], ())
    item = replace(cache_item("nginx:1.25"), status=ready)
    status = cache_report.report(cache_seen(item, registry=registry), steps, ())
    assert_status_conforms({**cache_body(), "status": status.to_document()})
    found = status.condition(ConditionType.READY)
    assert found is not None
    return f"{found.status}/{found.reason}"


def test_a_cache_stays_ready_until_its_registry_was_asked() -> None:
    unknown = Wait(wish(), NOT_YET)
    assert cache_told(NOT_YET, unknown) == "True/AllImagesCached"
    assert cache_told(None, unknown) == "True/AllImagesCached"
    assert cache_told(AWAY, unknown) == "False/RegistryUnreachable"
    lost = Wait(wish(), fault(Reason.IMAGE_NOT_FOUND))
    assert cache_told(NOT_YET, lost) == "True/AllImagesCached"
    assert cache_told(None, lost) == "False/ImageNotFound"


def both_told(*steps: CacheStep) -> str:
    """Ready of a cache of two images that was Ready, with its registry answering."""
    item = cache_item("nginx:1.25", "redis:7")
    held = [Cached(wish(), stored()), Cached(wish("redis:7"), stored("two"))]
    ready = cache_report.report(cache_seen(item), held, ())
    status = cache_report.report(cache_seen(replace(item, status=ready)), steps, ())
    return f"{status.conditions[0].status}/{status.conditions[0].reason}"


def test_a_cache_stays_ready_while_one_image_is_not_looked_at_and_the_others_are_there() -> None:
    held, unknown = Cached(wish(), stored()), Wait(wish("redis:7"), NOT_YET)
    assert both_told(held, unknown) == "True/AllImagesCached"


def test_a_cache_is_not_ready_when_one_image_is_seen_to_be_missing() -> None:
    lost, unknown = Wait(wish(), fault(Reason.IMAGE_NOT_FOUND)), Wait(wish("redis:7"), NOT_YET)
    assert both_told(lost, unknown) == "False/ImageNotFound"


def test_a_cache_that_lists_nothing_stays_ready_until_its_registry_was_asked() -> None:
    ready = cache_report.report(cache_seen(cache_item(), wishes={}), [], ())
    item = replace(cache_item(), status=ready)
    status = cache_report.report(cache_seen(item, wishes={}, registry=NOT_YET), [], ())
    assert (status.conditions[0].status, status.conditions[0].reason) == (
        "True",
        Reason.ALL_IMAGES_CACHED,
    )
