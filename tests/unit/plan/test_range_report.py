"""The whole status of a RangeImages, from what a pass saw: counts, bounds, order, truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Load, Present, Pull, Step, Wait
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.metadata import RECONCILE_AT
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import RangeImagesStatus, TarDelivery
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import FailureKey, RangeDone, RangeSeen, TargetSeen
from cyroid_images.plan.status.range_report import report
from cyroid_images.plan.status.tar_record import record_of
from tests.parts.condition_reasons import marked
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    NOW,
    cache_view,
    content,
    failed_here,
    failure,
    fault,
    info,
    range_body,
    range_item,
    range_seen,
    source,
    stored,
    target,
    view,
    wish,
)

HELD = view({"nginx:1.25": content()})
FORCED = fault(Reason.FORCED_BY_SPEC)


def present(asked: Wish) -> Step:
    return Present(asked, content())


def waiting(reason: Reason, asked: Wish | None = None) -> Wait:
    return Wait(asked or wish(), fault(reason))


def pulling(number: int = 1, asked: Wish | None = None) -> Pull:
    return Pull(asked or wish(), target(number), info(), stored(), "127.0.0.1:5000")


def loading(number: int = 1, asked: Wish | None = None) -> Load:
    return Load(asked or wish(), target(number), info(), source(), FORCED)


def told(
    seen: RangeSeen, *steps: tuple[Step, ...], tar: tuple[TarDelivery, ...] = ()
) -> RangeImagesStatus:
    """The status; one tuple of steps per target. It conforms, whatever the test asks."""
    planned = {each.target.uid: mine for each, mine in zip(seen.targets, steps, strict=True)}
    status = report(seen, RangeDone(planned, (), tar, {}))
    assert_status_conforms(written(seen.item, status), range_body())
    return status


def written(item: RangeImages, status: RangeImagesStatus) -> dict[str, Any]:
    metadata = {"name": item.metadata.name, "generation": item.metadata.generation}
    return {"kind": "RangeImages", "metadata": metadata, "status": status.to_document()}


def conditions_of(status: RangeImagesStatus) -> dict[str, str]:
    return {str(each.type): f"{each.status}/{each.reason}" for each in status.conditions}


def engines(count: int, shown: Any = HELD) -> tuple[TargetSeen, ...]:
    return tuple(TargetSeen(target(number), shown) for number in range(1, count + 1))


def test_everything_there_is_ready_and_settles_the_generation() -> None:
    status = told(range_seen(targets=engines(2)), (present(wish()),), (present(wish()),))
    assert conditions_of(status) == {
        "Ready": "True/AllImagesPresent",
        "TargetsAvailable": "True/Available",
        "RegistryAvailable": "True/Available",
        "TarFallback": "False/NotNeeded",
    }
    assert status.observed_generation == 3
    assert (status.summary.images, status.summary.targets) == ("1/1", "2/2")


def test_an_image_counts_when_it_is_in_every_target() -> None:
    status = told(range_seen(targets=engines(2)), (present(wish()),), (pulling(2),))
    assert (status.images.present, status.targets.ready) == (0, 1)
    assert status.observed_generation == -1
    assert conditions_of(status)["Ready"] == "False/Progressing"


def test_no_target_is_no_success() -> None:
    status = told(range_seen())
    assert conditions_of(status)["Ready"] == "False/NoTargets"
    assert conditions_of(status)["TargetsAvailable"] == "False/NoTargets"
    assert conditions_of(status)["Reconciling"] == "True/NoTargets"
    assert (status.summary.images, status.summary.targets) == ("0/1", "0/0")


HEADLINES: dict[str, tuple[int, str]] = {
    "no-target": (0, "2 images wanted; "),
    "one-target": (1, "1 of 2 images present in the target; "),
    "two-targets": (2, "1 of 2 images present in all 2 targets; "),
}


@pytest.mark.parametrize(("count", "headline"), HEADLINES.values(), ids=HEADLINES)
def test_ready_says_how_many_images_are_in_how_many_targets(count: int, headline: str) -> None:
    seen = range_seen(range_item("nginx:1.25", "redis:7"), engines(count))
    ready = told(seen, *[(present(wish()), pulling(asked=wish("redis:7")))] * count).conditions[0]
    assert ready.message.startswith(headline)


def test_a_manual_pass_is_over_when_no_target_waits_for_its_look_any_more() -> None:
    """Whoever set the annotation reads in the status that each engine was looked at since."""
    item = range_item(status={"lastHandledReconcileAt": "old"})
    asked = item.metadata.model_copy(update={"annotations": {RECONCILE_AT: "new"}})
    seen, steps = replace(item, metadata=asked), [(present(wish()),)] * 2
    both = range_seen(seen, engines(2))
    waits, over = told(replace(both, is_looking=True), *steps), told(both, *steps)
    assert waits.last_handled_reconcile_at == "old"
    assert over.last_handled_reconcile_at == "new"


def test_of_a_target_that_was_never_seen_no_image_is_counted() -> None:
    starting = TargetSeen(target(), fault=fault(Reason.WAITING_FOR_ENGINE))
    assert told(range_seen(targets=(starting,)), ()).target_statuses[0].present == 0


def test_the_worst_target_stands_first() -> None:
    targets = engines(3)
    status = told(
        range_seen(targets=targets),
        (present(wish()),),
        (waiting(Reason.PULL_FAILED),),
        (waiting(Reason.BLOB_MISSING),),
    )
    assert [row.pod for row in status.target_statuses] == ["dind-3", "dind-2", "dind-1"]


def test_rows_beyond_the_bound_are_counted_and_the_worst_are_kept() -> None:
    steps: list[tuple[Step, ...]] = [(present(wish()),)] * 39
    status = told(range_seen(targets=engines(40)), *steps, (waiting(Reason.ENGINE_UNREACHABLE),))
    assert (len(status.target_statuses), status.targets_omitted) == (32, 8)
    assert status.target_statuses[0].pod == "dind-40"
    assert (status.targets.matched, status.targets.ready) == (40, 39)


def test_failures_beyond_the_bound_are_counted_and_the_most_tried_are_kept() -> None:
    failures: dict[FailureKey, Failure] = {}
    for number in range(1, 26):
        failures |= failed_here(Route.REGISTRY, Reason.PULL_FAILED, number=number, attempts=number)
    steps: list[tuple[Step, ...]] = [(waiting(Reason.PULL_FAILED),)] * 25
    status = told(range_seen(targets=engines(25, view()), failures=failures), *steps)
    assert (len(status.failures), status.failures_omitted) == (20, 5)
    assert status.failures[0].attempts == 25
    assert status.images.failed == 1


def test_a_failure_that_was_made_good_is_not_listed() -> None:
    failures = failed_here(Route.REGISTRY, Reason.REGISTRY_NOT_TRUSTED)
    status = told(range_seen(targets=engines(1), failures=failures), (present(wish()),))
    assert status.failures == ()
    assert status.images.failed == 0


def test_a_failure_in_a_gone_target_or_of_an_unwanted_image_is_not_listed() -> None:
    failures = {
        **failed_here(Route.REGISTRY, Reason.PULL_FAILED, number=9),
        **failed_here(Route.REGISTRY, Reason.PULL_FAILED, image="redis:7"),
    }
    status = told(range_seen(targets=engines(1), failures=failures), (pulling(),))
    assert status.failures == ()


def test_only_a_failure_that_is_tried_again_has_a_next_moment() -> None:
    failures = {
        **failed_here(Route.REGISTRY, Reason.REGISTRY_NOT_TRUSTED),
        **failed_here(Route.TAR, Reason.LOAD_FAILED),
    }
    seen = range_seen(targets=engines(1, view()), failures=failures)
    rows = {row.reason: row for row in told(seen, (waiting(Reason.LOAD_FAILED),)).failures}
    assert rows[Reason.REGISTRY_NOT_TRUSTED].next_attempt_time is None
    assert rows[Reason.LOAD_FAILED].next_attempt_time is not None


def test_a_tar_that_helped_stands_beside_ready() -> None:
    status = told(
        range_seen(targets=engines(1)), (present(wish()),), tar=(record_of(loading(), NOW),)
    )
    assert conditions_of(status)["Ready"] == "True/AllImagesPresent"
    assert conditions_of(status)["TarFallback"] == "True/ForcedBySpec"
    assert (status.images.via_tar, status.target_statuses[0].via_tar) == (1, 1)


def test_a_load_on_record_that_has_not_ended_counts_nowhere() -> None:
    status = told(
        range_seen(targets=engines(1, view())), (loading(),), tar=(record_of(loading(), NOW),)
    )
    assert conditions_of(status)["TarFallback"] == "False/NotNeeded"
    assert (status.images.via_tar, status.target_statuses[0].via_tar) == (0, 0)
    assert len(status.tar_deliveries) == 1


def test_what_is_present_stays_ready_while_the_registry_is_away() -> None:
    away = cache_view(registry=fault(Reason.REGISTRY_UNREACHABLE))
    status = told(range_seen(targets=engines(1), cache=away), (present(wish()),))
    assert conditions_of(status)["Ready"] == "True/AllImagesPresent"
    assert conditions_of(status)["RegistryAvailable"] == "False/RegistryUnreachable"


def test_a_missing_cache_is_waited_for() -> None:
    seen = range_seen(targets=engines(1), cache_fault=fault(Reason.CACHE_NOT_FOUND))
    status = told(seen, (waiting(Reason.CACHE_NOT_FOUND),))
    assert conditions_of(status)["Ready"] == "False/CacheNotFound"
    assert conditions_of(status)["RegistryAvailable"] == "Unknown/CacheNotFound"


def test_an_engine_that_starts_is_unknown_and_one_that_refuses_unavailable() -> None:
    starting = TargetSeen(target(1), fault=fault(Reason.WAITING_FOR_ENGINE))
    refusing = TargetSeen(target(2), fault=fault(Reason.ENGINE_UNREACHABLE))
    one = told(range_seen(targets=(starting,)), ())
    both = told(range_seen(targets=(starting, refusing)), (), ())
    assert conditions_of(one)["TargetsAvailable"] == "Unknown/WaitingForEngine"
    assert conditions_of(both)["TargetsAvailable"] == "False/EngineUnreachable"
    message = both.condition(ConditionType.TARGETS_AVAILABLE)
    assert message is not None
    assert message.message == "dind-2: why (and 1 more)"


def test_a_suspended_range_that_lacks_something_says_so_and_is_settled() -> None:
    seen = range_seen(range_item(suspend=True), engines(1, view()))
    status = told(seen, (pulling(),))
    assert conditions_of(status)["Ready"] == "False/Suspended"
    assert status.observed_generation == 3


def test_a_suspended_range_that_has_everything_is_ready() -> None:
    seen = range_seen(range_item(suspend=True), engines(1))
    assert conditions_of(told(seen, (present(wish()),)))["Ready"] == "True/AllImagesPresent"


def test_moments_stay_until_the_status_turns() -> None:
    first = told(range_seen(targets=engines(1, view())), (pulling(),))
    item = replace(range_item(), status=first)
    later = replace(range_seen(item, engines(1)), now=NOW.replace(hour=13))
    second = told(later, (present(wish()),))
    assert_status_conforms(written(item, second), written(item, first))
    ready, registry = second.conditions[0], second.condition(ConditionType.REGISTRY_AVAILABLE)
    assert ready.last_transition_time.hour == 13
    assert registry is not None
    assert registry.last_transition_time == NOW


FAULTS = st.sampled_from(
    sorted(marked(Mark.TRANSIENT, Mark.WAITING, Mark.TERMINAL, Mark.INTEGRITY))
).map(lambda reason: Fault(reason, "a\x1b[31m message\nof two lines"))
OF_IMAGES = FAULTS.filter(
    lambda why: (
        why.reason
        not in (
            Reason.NO_TARGETS,
            Reason.POD_NOT_READY,
            Reason.WAITING_FOR_ENGINE,
            Reason.ENGINE_UNREACHABLE,
            Reason.TARGET_IDENTITY_MISMATCH,
            Reason.REGISTRY_UNREACHABLE,
        )
    )
)
"""Why an image may wait in an engine that was seen, and with a registry that answers."""
OF_TARGETS = FAULTS.filter(lambda why: why.reason is not Reason.REGISTRY_UNREACHABLE)
IMAGES = ("nginx:1.25", "redis:7", "ghcr.io/a/b:1")


@st.composite
def steps_of(draw: st.DrawFn, number: int) -> tuple[Step, ...]:
    """What one target's engine shows and needs; a target that was not seen has no steps."""
    if draw(st.booleans()) and draw(st.booleans()):
        return ()
    makers: dict[str, Any] = {
        "present": present,
        "wait": lambda asked: Wait(asked, draw(OF_IMAGES)),
        "pull": lambda asked: pulling(number, asked),
        "load": lambda asked: loading(number, asked),
    }
    return tuple(makers[draw(st.sampled_from(sorted(makers)))](wish(each)) for each in IMAGES)


def shown_by(number: int, steps: tuple[Step, ...], missing: Fault) -> TargetSeen:
    if not steps:
        return TargetSeen(target(number), fault=missing)
    held = {str(step.wish): content() for step in steps if isinstance(step, Present)}
    return TargetSeen(target(number), view(held))


@pytest.mark.slow
@given(data=st.data(), count=st.integers(0, 36), is_suspended=st.booleans())
def test_whatever_a_pass_saw_the_status_conforms(
    data: st.DataObject, count: int, is_suspended: bool
) -> None:
    kinds = [data.draw(steps_of(number)) for number in range(1, min(count, 3) + 1)]
    steps = [kinds[number % len(kinds)] for number in range(count)] if kinds else []
    targets = tuple(
        shown_by(number, mine, data.draw(OF_TARGETS) if not mine else FORCED)
        for number, mine in enumerate(steps, 1)
    )
    failures = {
        FailureKey(f"uid-{number}", wish(image), Route.REGISTRY): failure(reason)
        for number, image, reason in data.draw(
            st.lists(
                st.tuples(
                    st.integers(1, 40), st.sampled_from(IMAGES), FAULTS.map(lambda f: f.reason)
                ),
                max_size=30,
            )
        )
    }
    records = tuple(
        record_of(loading(number, wish(image)), NOW)
        for number, image in data.draw(
            st.lists(st.tuples(st.integers(1, 40), st.sampled_from(IMAGES)), max_size=70)
        )
    )
    seen = range_seen(range_item(*IMAGES, suspend=is_suspended), targets, failures=failures)
    told(seen, *steps, tar=records)
