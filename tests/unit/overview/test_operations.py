"""A push as it is told: by what status says, and completed only where a digest proves it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import REASONS, Mark, Reason
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.metadata import RECONCILE_AT
from cyroid_images.overview.operations import (
    PushPhase,
    active_pushes,
    following,
    operation_id,
    push_status,
    pushes,
)
from tests.unit.overview.examples import KALI, SAMBA, SHA, a_cache


def row(reason: str | None = None, **more: Any) -> dict[str, Any]:
    told = {"reason": reason, "message": f"told: {reason}"} if reason else {}
    return {"image": KALI, **told, **more}


def moving(done: int, total: int | None, **more: Any) -> dict[str, Any]:
    return {"image": KALI, "route": "Registry", "doneBytes": done, "totalBytes": total, **more}


THERE = row(digest=SHA, sizeBytes=400)
FAILED = {"image": KALI, "reason": "RegistryFull", "message": "no space", "attempts": 3}

CASES: list[tuple[str, dict[str, Any], PushPhase, int]] = [
    ("nothing is told yet", {}, PushPhase.STARTING, 0),
    ("it is on its way", {"imageStatuses": [row("Progressing")]}, PushPhase.STARTING, 0),
    (
        "a source does not answer",
        {"imageStatuses": [row("SourceUnreachable")]},
        PushPhase.STARTING,
        0,
    ),
    ("nobody has it", {"imageStatuses": [row("ImageNotFound")]}, PushPhase.FAILED, 0),
    ("it failed", {"failures": [FAILED]}, PushPhase.FAILED, 0),
    (
        "tried again after a failure",
        {"failures": [FAILED], "transfers": [moving(1, 4)]},
        PushPhase.PUSHING,
        25,
    ),
    ("it waits for its turn", {"transfers": [moving(0, 4, isWaiting=True)]}, PushPhase.STARTING, 0),
    ("its size is not known", {"transfers": [moving(10, None)]}, PushPhase.PUSHING, 0),
    ("halfway", {"transfers": [moving(2, 4)]}, PushPhase.PUSHING, 50),
    ("every byte is sent", {"transfers": [moving(4, 4)]}, PushPhase.VERIFYING, 99),
    ("more was sent than was told", {"transfers": [moving(9, 4)]}, PushPhase.VERIFYING, 99),
    ("an empty image is on its way", {"transfers": [moving(0, 0)]}, PushPhase.PUSHING, 0),
    ("it is proven", {"imageStatuses": [THERE]}, PushPhase.COMPLETED, 100),
    (
        "proven after a failure",
        {"imageStatuses": [THERE], "failures": [FAILED]},
        PushPhase.COMPLETED,
        100,
    ),
]


@pytest.mark.parametrize(
    ("status", "phase", "percent"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_the_phase_is_what_status_says(
    status: dict[str, Any], phase: PushPhase, percent: int
) -> None:
    told = push_status(a_cache(KALI, **status), Reference.parse(KALI))
    assert told is not None
    assert (told.status, told.progress_percent) == (phase, percent)
    assert told.is_over == (phase in (PushPhase.COMPLETED, PushPhase.FAILED))
    assert (told.error_message is not None) == (phase is PushPhase.FAILED)


@pytest.mark.parametrize("reason", [each for each in Reason if each.mark is not Mark.EVENT])
def test_what_only_a_person_can_mend_has_failed_and_all_else_goes_on(reason: Reason) -> None:
    told = push_status(a_cache(KALI, imageStatuses=[row(str(reason))]), Reference.parse(KALI))
    assert told is not None
    goes_on = REASONS[reason][0] in (Mark.GOOD, Mark.TRANSIENT)
    assert told.status is (PushPhase.STARTING if goes_on else PushPhase.FAILED)
    assert told.reason == str(reason)


def test_a_failure_tells_its_reason_and_its_words() -> None:
    told = push_status(a_cache(KALI, failures=[FAILED]), Reference.parse(KALI))
    assert told is not None
    assert (told.reason, told.error_message) == ("RegistryFull", "no space")


def test_what_is_there_has_its_digest_and_size() -> None:
    told = push_status(a_cache(imageStatuses=[THERE]), Reference.parse(KALI))
    assert told is not None
    assert (told.digest, told.done_bytes, told.total_bytes) == (SHA, 400, 400)


def test_what_nobody_asked_for_is_no_push() -> None:
    assert push_status(a_cache(SAMBA), Reference.parse(KALI)) is None


def test_the_transfer_of_an_image_is_found_by_any_of_its_spellings() -> None:
    cache = a_cache("docker.io/cyroid/kali", transfers=[moving(1, 2)])
    (told,) = pushes(cache)
    assert (told.image_tag, told.progress_percent) == (KALI, 50)


def test_only_what_is_not_over_is_active() -> None:
    cache = a_cache(
        KALI, SAMBA, "nginx:1", imageStatuses=[THERE], failures=[{**FAILED, "image": SAMBA}]
    )
    assert [each.image_tag for each in pushes(cache)] == [KALI, SAMBA, "nginx:1"]
    assert [each.image_tag for each in active_pushes(cache)] == ["nginx:1"]


def test_a_name_that_this_version_cannot_read_hides_no_other() -> None:
    cache = a_cache(KALI, imageStatuses=[{**THERE, "image": "NOT a name"}, THERE])
    assert [each.image_tag for each in pushes(cache)] == [KALI]


def test_an_operation_is_the_same_for_all_spellings_and_another_for_another_cache() -> None:
    one, same = Reference.parse("nginx"), Reference.parse("docker.io/library/nginx:latest")
    assert operation_id("default", one) == operation_id("default", same)
    assert operation_id("default", one) != operation_id("other", one)
    assert operation_id("default", one) != operation_id("default", Reference.parse("nginx:1"))
    assert len(operation_id("default", one)) == 16


def test_who_follows_a_push_is_not_told_the_end_of_an_earlier_one() -> None:
    ready = {
        "type": "Ready",
        "status": "True",
        "reason": "AllImagesCached",
        "message": "1 of 1",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-05-01T12:00:00Z",
    }
    image = Reference.parse(KALI)

    def phase(generation: int, asked: str | None, handled: str | None) -> PushPhase | None:
        status: dict[str, Any] = {
            "imageStatuses": [THERE],
            "conditions": [{**ready, "observedGeneration": generation}],
            "lastHandledReconcileAt": handled,
        }
        cache = a_cache(**status)
        annotations = {RECONCILE_AT: asked} if asked else {}
        metadata = cache.metadata.model_copy(update={"generation": 1, "annotations": annotations})
        found = following(replace(cache, metadata=metadata), image)
        return None if found is None else found.status

    assert phase(1, None, None) is PushPhase.COMPLETED
    assert phase(1, "b", "b") is PushPhase.COMPLETED
    assert phase(0, None, None) is PushPhase.STARTING
    assert phase(1, "b", "a") is PushPhase.STARTING
