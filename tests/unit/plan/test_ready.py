"""Ready and its companions: one summary, told by rank."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType
from cyroid_images.plan.status.ready import Readiness, rank, summarise
from tests.parts.condition_reasons import fits, marked
from tests.unit.plan.examples import fault

R = Reason
OPEN = Readiness(is_complete=False, good=R.ALL_IMAGES_PRESENT, headline="1 of 2 images", causes=())


def told(*reasons: Reason, **parts: Any) -> dict[str, str]:
    """The story as type -> status/reason."""
    causes = [fault(reason, f"why {reason}") for reason in reasons]
    verdicts = summarise(replace(OPEN, causes=causes, **parts))
    return {str(each.type): f"{each.status}/{each.reason}" for each in verdicts}


STORIES: dict[str, tuple[tuple[Reason, ...], dict[str, Any], dict[str, str]]] = {
    "complete": ((), {"is_complete": True}, {"Ready": "True/AllImagesPresent"}),
    "complete-and-suspended": (
        (), {"is_complete": True, "is_suspended": True}, {"Ready": "True/AllImagesPresent"},
    ),
    "suspended": (
        (R.PULL_FAILED,), {"is_suspended": True}, {"Ready": "False/Suspended"},
    ),
    "no-cause-yet": ((), {}, {"Ready": "False/Progressing", "Reconciling": "True/Progressing"}),
    "under-way": (
        (R.PROGRESSING,), {}, {"Ready": "False/Progressing", "Reconciling": "True/Progressing"},
    ),
    "under-way-again": (
        (R.PROGRESSING,),
        {"has_failed": True},
        {"Ready": "False/Progressing", "Reconciling": "True/ProgressingWithRetry"},
    ),
    "waiting": (
        (R.NO_TARGETS,), {}, {"Ready": "False/NoTargets", "Reconciling": "True/NoTargets"},
    ),
    "transient": (
        (R.PULL_FAILED,),
        {},
        {"Ready": "False/PullFailed", "Reconciling": "True/ProgressingWithRetry"},
    ),
    "terminal": (
        (R.IMAGE_NOT_FOUND,), {}, {"Ready": "False/ImageNotFound", "Stalled": "True/ImageNotFound"},
    ),
    "one-repair-in-vain": (
        (R.DIGEST_MISMATCH,),
        {"given_up": frozenset({R.DIGEST_MISMATCH})},
        {"Ready": "False/DigestMismatch", "Stalled": "True/DigestMismatch"},
    ),
    "lost-content-among-others": (
        (R.PROGRESSING, R.REFILLING),
        {},
        {"Ready": "False/Refilling", "Reconciling": "True/Refilling"},
    ),
    "terminal-twice": (
        (R.IMAGE_NOT_FOUND, R.PLATFORM_MISMATCH),
        {},
        {"Ready": "False/ImagesMissing", "Stalled": "True/ImagesMissing"},
    ),
    "terminal-beside-work": (
        (R.IMAGE_NOT_FOUND, R.PROGRESSING),
        {},
        {"Ready": "False/ImageNotFound", "Reconciling": "True/Progressing"},
    ),
    "integrity-before-all": (
        (R.CACHE_NOT_FOUND, R.REGISTRY_UNREACHABLE, R.BLOB_MISSING),
        {},
        {"Ready": "False/BlobMissing", "Reconciling": "True/ProgressingWithRetry"},
    ),
    "cache-before-registry": (
        (R.REGISTRY_UNREACHABLE, R.CACHE_NOT_FOUND),
        {},
        {"Ready": "False/CacheNotFound", "Reconciling": "True/CacheNotFound"},
    ),
    "registry-before-targets": (
        (R.WAITING_FOR_ENGINE, R.REGISTRY_UNREACHABLE),
        {},
        {"Ready": "False/RegistryUnreachable", "Reconciling": "True/ProgressingWithRetry"},
    ),
    "targets-before-images": (
        (R.IMAGE_NOT_FOUND, R.POD_NOT_READY),
        {},
        {"Ready": "False/PodNotReady", "Reconciling": "True/PodNotReady"},
    ),
    "several-of-one-rank": (
        (R.PULL_FAILED, R.LOAD_FAILED),
        {},
        {"Ready": "False/ImagesMissing", "Reconciling": "True/ProgressingWithRetry"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reasons", "parts", "story"), STORIES.values(), ids=STORIES)
def test_each_story(
    reasons: tuple[Reason, ...], parts: dict[str, bool], story: dict[str, str]
) -> None:
    assert told(*reasons, **parts) == story


BY_RANK = (
    R.BLOB_MISSING,
    R.CACHE_NOT_READY,
    R.SERVER_ERROR,
    R.ENGINE_UNREACHABLE,
    R.PULL_FAILED,
    R.SOURCE_CHANGED,
    R.NEW_DIGEST,
    R.REFILLING,
    R.PROGRESSING,
)
"""Content that is not what it says, the cache, its registry, a target, one image, then work."""


def test_of_all_that_is_wrong_ready_names_what_must_be_mended_first() -> None:
    for place, reason in enumerate(BY_RANK):
        assert told(*reversed(BY_RANK[place:]))["Ready"] == f"False/{reason}"


def test_a_message_tells_what_is_there_and_why_the_rest_is_not() -> None:
    causes = [Fault(R.PULL_FAILED, "first"), Fault(R.PULL_FAILED, "second")]
    ready = summarise(replace(OPEN, causes=causes))[0]
    assert ready.message == "1 of 2 images; first (and 1 more)"


def test_several_reasons_are_named_in_the_message() -> None:
    causes = [Fault(R.PULL_FAILED, "first"), Fault(R.LOAD_FAILED, "second")]
    ready = summarise(replace(OPEN, causes=causes))[0]
    assert ready.message == "1 of 2 images; LoadFailed, PullFailed: first (and 1 more)"


def test_integrity_ranks_first_and_work_last() -> None:
    ranks = {reason: rank(reason) for reason in Reason}
    first = {reason for reason, place in ranks.items() if place == 0}
    assert first == marked(Mark.INTEGRITY)
    assert max(ranks, key=lambda reason: ranks[reason]) is R.PROGRESSING


CAUSES = st.sampled_from(
    sorted(marked(Mark.TRANSIENT, Mark.WAITING, Mark.TERMINAL, Mark.INTEGRITY) | {R.PROGRESSING})
)


@given(
    reasons=st.lists(CAUSES, max_size=6),
    is_complete=st.booleans(),
    is_suspended=st.booleans(),
    has_failed=st.booleans(),
)
def test_every_story_is_one_story(
    reasons: list[Reason], is_complete: bool, is_suspended: bool, has_failed: bool
) -> None:
    causes = [fault(reason) for reason in reasons]
    seen = replace(
        OPEN,
        causes=causes,
        is_complete=is_complete,
        is_suspended=is_suspended,
        has_failed=has_failed,
    )
    verdicts = {each.type: each for each in summarise(seen)}
    ready = verdicts.pop(ConditionType.READY)
    alone = ready.status is ConditionStatus.TRUE or ready.reason is R.SUSPENDED
    assert len(verdicts) == (0 if alone else 1)
    for each in (ready, *verdicts.values()):
        assert fits("RangeImages", each.type, each.status, each.reason)
    is_hopeless = bool(reasons) and all(reason.mark is Mark.TERMINAL for reason in reasons)
    assert (ConditionType.STALLED in verdicts) == (is_hopeless and not alone)
