"""B23: every image that is not in every target is named, with reason, text and number of pods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Pull, Step, Wait
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.kinds.status import RangeImagesStatus
from cyroid_images.model.knowledge import ImageRecord, Wish
from cyroid_images.model.observed import RangeDone, RangeSeen, Running, TargetSeen
from cyroid_images.model.telemetry.progress import Progress
from cyroid_images.plan.status.range_report import report
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    cache_view,
    content,
    digest,
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

IMAGES = ("a:1", "b:1", "c:1", "d:1", "e:1")
HELD = view({name: content() for name in IMAGES})


def told(
    seen: RangeSeen, *steps: Sequence[Step], renewed: dict[Any, Any] | None = None
) -> RangeImagesStatus:
    planned = {each.target.uid: tuple(mine) for each, mine in zip(seen.targets, steps, strict=True)}
    status = report(seen, RangeDone(planned, (), (), {}, renewed or {}))
    assert_status_conforms({**range_body(), "status": status.to_document()})
    return status


def present(image: str) -> Present:
    return Present(wish(image), content())


def lost(image: str, reason: Reason = Reason.IMAGE_NOT_FOUND, message: str = "why") -> Wait:
    return Wait(wish(image), Fault(reason, message))


def pulling(image: str) -> Pull:
    return Pull(wish(image), target(), info(), stored(), "127.0.0.1:5000")


def seen_by(count: int, *images: str, **parts: Any) -> RangeSeen:
    targets = tuple(TargetSeen(target(number), HELD) for number in range(1, count + 1))
    return range_seen(range_item(*(images or IMAGES)), targets, **parts)


def test_b23_four_images_that_nobody_has_are_named_and_counted() -> None:
    steps: list[Step] = [
        present("a:1"),
        *(lost(each, message=f"no source has {each}") for each in IMAGES[1:]),
    ]
    status = told(seen_by(1), steps)
    assert [(row.image, row.message) for row in status.missing] == [
        (each, f"no source has {each}") for each in IMAGES[1:]
    ]
    assert {(row.reason, row.pods, row.first_pod) for row in status.missing} == {
        (Reason.IMAGE_NOT_FOUND, 1, "dind-1")
    }
    assert (status.images.failed, status.target_statuses[0].failed) == (4, 4)
    assert status.failures == ()


CAUSES: dict[str, tuple[Step, Reason, str, int]] = {
    "nobody-has-it": (lost("a:1"), Reason.IMAGE_NOT_FOUND, "why", 1),
    "a-source-is-away": (
        lost("a:1", Reason.SOURCE_UNREACHABLE), Reason.SOURCE_UNREACHABLE, "why", 0,
    ),
    "by-the-registry": (
        pulling("a:1"), Reason.PROGRESSING, "a:1 is on its way by the registry", 0,
    ),
    "by-tar": (
        Load(wish("a:1"), target(), info(), source(), fault(Reason.FORCED_BY_SPEC, "TarOnly")),
        Reason.PROGRESSING,
        "a:1 is on its way by tar (TarOnly)",
        0,
    ),
    "refused": (lost("a:1", Reason.CONFLICTING_IMAGES), Reason.CONFLICTING_IMAGES, "why", 1),
}  # fmt: skip


@pytest.mark.parametrize(("step", "reason", "message", "failed"), CAUSES.values(), ids=CAUSES)
def test_b23_each_cause_has_its_row(step: Step, reason: Reason, message: str, failed: int) -> None:
    status = told(seen_by(1, "a:1"), [step])
    (row,) = status.missing
    assert (row.reason, row.message, status.images.failed) == (reason, message, failed)


def test_b23_a_target_that_is_not_seen_lacks_every_image() -> None:
    away = TargetSeen(target(2), fault=fault(Reason.ENGINE_UNREACHABLE, "connection refused"))
    seen = replace(seen_by(1, "a:1", "b:1"), targets=(TargetSeen(target(), HELD), away))
    status = told(seen, [present("a:1"), present("b:1")], [])
    assert [(row.image, row.message, row.pods) for row in status.missing] == [
        ("a:1", "dind-2: connection refused", 1),
        ("b:1", "dind-2: connection refused", 1),
    ]
    assert status.images.failed == 0


def test_a_target_counts_the_images_that_it_holds() -> None:
    status = told(seen_by(1, "a:1", "b:1"), [present("a:1"), pulling("b:1")])
    (row,) = status.target_statuses
    assert row.present == 1


def test_a_target_that_nobody_looked_at_yet_lacks_every_image() -> None:
    status = told(seen_by(2, "a:1", "b:1"), [present("a:1"), present("b:1")], [])
    assert [(row.image, row.reason, row.message, row.pods) for row in status.missing] == [
        (image, Reason.PROGRESSING, "dind-2: not looked at yet", 1) for image in ("a:1", "b:1")
    ]
    assert (status.summary.images, status.summary.targets) == ("0/2", "1/2")


MOVING = Running(wish("a:1"), "dind-1", Route.REGISTRY, Progress(3 << 20, 9 << 20), 0.0)
UNDER_WAY: dict[str, tuple[tuple[Running, ...], str]] = {
    "nothing-moves-yet": ((), "transfers are about to start"),
    "one-moves": ((MOVING,), "pulling a:1 into dind-1 (3 of 9 MiB)"),
}


@pytest.mark.parametrize(("running", "words"), UNDER_WAY.values(), ids=UNDER_WAY)
def test_ready_tells_how_far_it_is_and_the_row_of_an_image_does_not(
    running: tuple[Running, ...], words: str
) -> None:
    """A row that told each MiB would be written anew at each pass."""
    seen = seen_by(1, "a:1")
    status = report(seen, RangeDone({"uid-1": (pulling("a:1"),)}, running, (), {}))
    assert status.conditions[0].message == f"0 of 1 images present in the target; {words}"
    assert status.missing[0].message == "a:1 is on its way by the registry"


def test_b23_what_failed_in_an_attempt_needs_somebody_until_it_is_there() -> None:
    failures = failed_here(Route.REGISTRY, Reason.PULL_FAILED, image="a:1")
    again = told(seen_by(1, "a:1", "b:1", failures=failures), [pulling("a:1"), pulling("b:1")])
    assert (again.images.failed, again.missing[0].image) == (1, "a:1")
    there = told(seen_by(1, "a:1", "b:1", failures=failures), [present("a:1"), pulling("b:1")])
    assert there.images.failed == 0


UNPUSHED = failure(Reason.PUSH_FAILED)
PUSHES: dict[str, tuple[ImageRecord, Step, int]] = {
    "it-failed": (ImageRecord(content(), failure=UNPUSHED), lost("a:1", Reason.PUSH_FAILED), 1),
    "it-failed-and-is-there-all-the-same": (
        ImageRecord(content(), stored(), failure=UNPUSHED), pulling("a:1"), 0,
    ),
    "it-has-not-ended-yet": (ImageRecord(content()), lost("a:1", Reason.PROGRESSING), 0),
}  # fmt: skip


@pytest.mark.parametrize(("known", "step", "failed"), PUSHES.values(), ids=PUSHES)
def test_b23_what_could_not_be_pushed_needs_somebody(
    known: ImageRecord, step: Step, failed: int
) -> None:
    status = told(seen_by(1, "a:1", cache=cache_view({wish("a:1"): known})), [step])
    assert status.images.failed == failed


def test_b23_the_worst_of_several_targets_is_told_with_the_pod_that_it_is_about() -> None:
    status = told(
        seen_by(3, "a:1"), [pulling("a:1")], [lost("a:1", Reason.PULL_FAILED)], [present("a:1")]
    )
    (row,) = status.missing
    assert (row.reason, row.first_pod, row.pods) == (Reason.PULL_FAILED, "dind-2", 2)


def test_b23_of_equal_causes_the_first_one_is_told() -> None:
    """In the order of the pods and of the spec, so that the words stay while nothing changes."""
    steps = [
        [lost(image, Reason.PULL_FAILED, f"{image} in {pod}") for image in ("a:1", "b:1")]
        for pod in ("dind-1", "dind-2")
    ]
    status = told(seen_by(2, "a:1", "b:1"), *steps)
    assert [(row.message, row.first_pod) for row in status.missing] == [
        ("a:1 in dind-1", "dind-1"),
        ("b:1 in dind-1", "dind-1"),
    ]
    assert [row.message for row in status.target_statuses] == ["a:1 in dind-1", "a:1 in dind-2"]


def test_b23_what_needs_somebody_stands_first_then_what_lacks_in_most_targets() -> None:
    steps: dict[str, tuple[Step, Step]] = {
        "a:1": (pulling("a:1"), present("a:1")),
        "b:1": (pulling("b:1"), pulling("b:1")),
        "c:1": (lost("c:1"), present("c:1")),
        "d:1": (lost("d:1", Reason.SOURCE_UNREACHABLE), present("d:1")),
        "e:1": (present("e:1"), present("e:1")),
    }
    status = told(seen_by(2), *([each[n] for each in steps.values()] for n in range(2)))
    assert [row.image for row in status.missing] == ["c:1", "d:1", "b:1", "a:1"]


def test_b23_rows_beyond_the_bound_are_counted_and_the_worst_are_kept() -> None:
    images = [f"i:{number}" for number in range(40)]
    steps: list[Step] = [*(pulling(each) for each in images[:-1]), lost(images[-1])]
    status = told(seen_by(1, *images), steps)
    assert (len(status.missing), status.missing_omitted) == (32, 8)
    assert status.missing[0].image == "i:39"


def test_b23_moved_content_is_told_as_such() -> None:
    renewed = {("uid-1", wish("a:1")): digest("before")}
    (row,) = told(seen_by(1, "a:1"), [pulling("a:1")], renewed=renewed).missing
    assert row.reason is Reason.NEW_DIGEST
    assert row.message.startswith(f"a:1 moved from {digest('before')} to ")


def test_one_image_that_the_spec_spells_in_two_ways_can_be_ready() -> None:
    seen = range_seen(range_item("nginx", "nginx:latest"), (TargetSeen(target(), HELD),))
    status = told(seen, [present("nginx"), present("nginx:latest")])
    assert (status.summary.images, status.conditions[0].status) == ("2/2", "True")


STALE: dict[str, tuple[Reason, Route, Reason]] = {
    "an-engine-that-was-away": (Reason.ENGINE_UNREACHABLE, Route.REGISTRY, Reason.PULL_FAILED),
    "an-engine-at-a-load": (Reason.ENGINE_UNREACHABLE, Route.TAR, Reason.LOAD_FAILED),
    "a-registry-that-was-away": (Reason.REGISTRY_UNREACHABLE, Route.REGISTRY, Reason.PULL_FAILED),
}


@pytest.mark.parametrize(("was", "route", "is_now"), STALE.values(), ids=STALE)
def test_b12_an_old_attempt_says_nothing_of_a_party_that_answers_by_now(
    was: Reason, route: Route, is_now: Reason
) -> None:
    failures = failed_here(route, was, image="a:1")
    held_up = next(iter(failures.values())).fault
    status = told(seen_by(1, "a:1", failures=failures), [Wait(wish("a:1"), held_up)])
    assert status.missing[0].reason is is_now
    assert status.missing[0].message == "the last attempt failed (why); trying again"
    assert status.failures[0].reason is was, "the record of attempts stays as it was"


def test_a_registry_that_is_away_is_still_the_reason() -> None:
    away = fault(Reason.REGISTRY_UNREACHABLE)
    status = told(seen_by(1, "a:1", cache=cache_view(registry=away)), [Wait(wish("a:1"), away)])
    assert status.missing[0].reason is Reason.REGISTRY_UNREACHABLE


def test_an_unseen_failure_of_another_wish_is_no_failure_of_this_one() -> None:
    other: dict[Wish, Failure] = {wish("z:1"): failure(Reason.PUSH_FAILED)}
    known = {asked: ImageRecord(failure=why) for asked, why in other.items()}
    status = told(seen_by(1, "a:1", cache=cache_view(known)), [pulling("a:1")])
    assert status.images.failed == 0
