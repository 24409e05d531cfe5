"""The status checker itself: good examples pass, and each rule can fail."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.parts.conformance import assert_status_conforms, kstatus, violations

EARLIER, LATER = "2026-05-01T12:00:00Z", "2026-05-01T12:00:05Z"


def condition(kind: str, status: str, reason: str, message: str = "a message") -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 3,
        "lastTransitionTime": EARLIER,
    }


def row(**fields: Any) -> dict[str, Any]:
    return {"pod": "dind", "uid": "u1", "present": 1, "failed": 0, "viaTar": 0, **fields}


def ready_range() -> dict[str, Any]:
    return {
        "kind": "RangeImages",
        "metadata": {"name": "r", "generation": 3},
        "status": {
            "observedGeneration": 3,
            "summary": {"images": "1/1", "targets": "1/1"},
            "images": {"desired": 1, "present": 1, "failed": 0, "viaTar": 0},
            "targets": {"matched": 1, "ready": 1},
            "targetStatuses": [row()],
            "conditions": [
                condition("Ready", "True", "AllImagesPresent"),
                condition("TargetsAvailable", "True", "Available"),
                condition("RegistryAvailable", "True", "Available"),
                condition("TarFallback", "False", "NotNeeded"),
            ],
        },
    }


def failing_range() -> dict[str, Any]:
    obj = ready_range()
    status = obj["status"]
    status["observedGeneration"] = 2
    status["summary"] = {"images": "0/1", "targets": "0/1"}
    status["images"].update(present=0, failed=1)
    status["targets"]["ready"] = 0
    status["missing"] = [missing()]
    status["targetStatuses"] = [row(present=0, failed=1, reason="PullFailed", message="why")]
    status["failures"] = [failure()]
    status["conditions"][0] = condition("Ready", "False", "PullFailed")
    status["conditions"].append(condition("Reconciling", "True", "ProgressingWithRetry"))
    return obj


def missing(**fields: Any) -> dict[str, Any]:
    usual = {"image": "nginx", "reason": "PullFailed", "message": "why", "pods": 1}
    return {**usual, "firstPod": "dind", **fields}


def failure(**fields: Any) -> dict[str, Any]:
    usual = {"image": "nginx", "pod": "dind", "route": "Registry", "reason": "PullFailed"}
    return {**usual, "message": "why", "attempts": 1, "nextAttemptTime": LATER, **fields}


def stalled_cache() -> dict[str, Any]:
    return {
        "kind": "ImageCache",
        "metadata": {"name": "c", "generation": 3},
        "status": {
            "observedGeneration": 3,
            "summary": {"images": "0/1"},
            "images": {"desired": 1, "cached": 0, "failed": 1},
            "onDemand": {"wanted": 1, "cached": 1, "missing": 0},
            "storedBytes": 0,
            "imageStatuses": [
                {"image": "nginx", "reason": "ImageNotFound", "message": "none"},
                {"image": "redis", "onDemand": True},
            ],
            "digests": {"redis": f"sha256:{'0' * 64}"},
            "conditions": [
                condition("Ready", "False", "ImageNotFound"),
                condition("RegistryAvailable", "True", "Available"),
                condition("SourceAvailable", "True", "Available"),
                condition("Stalled", "True", "ImageNotFound"),
            ],
        },
    }


GOOD = {"a-ready-range": ready_range, "a-failing-range": failing_range, "a-cache": stalled_cache}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD)
def test_a_good_status_passes(make: Any) -> None:
    assert violations(make()) == []
    assert_status_conforms(make(), make())


@pytest.mark.parametrize("status", [None, {}, {"observedGeneration": -1}])
def test_an_object_that_nobody_has_looked_at_passes(status: Any) -> None:
    obj = ready_range()
    obj["status"] = status
    assert_status_conforms(obj)


def test_an_object_that_cannot_be_read_needs_no_summary() -> None:
    obj = stalled_cache()
    obj["status"].update(summary={}, images={"desired": 0, "cached": 0, "failed": 0})
    del obj["status"]["imageStatuses"], obj["status"]["onDemand"]
    assert_status_conforms(obj)


def test_the_error_names_object_and_rule() -> None:
    obj = ready_range()
    del obj["status"]["conditions"][3]
    with pytest.raises(AssertionError, match=r"RangeImages r breaks:\n- .* TarFallback is missing"):
        assert_status_conforms(obj)


def at(obj: dict[str, Any], *path: str | int) -> Any:
    """The container that holds the last step of a path below status."""
    place: Any = obj["status"]
    for step in path:
        place = place[step]
    return place


FIRST = ("conditions", 0)
BROKEN: dict[str, tuple[Any, tuple[str | int, ...], dict[Any, Any], str]] = {
    "a-condition-of-the-other-kind": (
        ready_range, ("conditions", 3), {"type": "SourceAvailable"}, "has no condition",
    ),
    "a-condition-twice": (ready_range, ("conditions", 1), {"type": "Ready"}, "twice"),
    "a-condition-without-a-message": (ready_range, FIRST, {"message": ""}, "not complete"),
    "a-condition-with-more-parts": (ready_range, FIRST, {"phase": "x"}, "not complete"),
    "an-odd-status": (ready_range, FIRST, {"status": "true"}, "has the status"),
    "a-reason-of-our-own": (ready_range, FIRST, {"reason": "Fine"}, "not in the list"),
    "a-reason-for-events": (failing_range, FIRST, {"reason": "ImagePushed"}, "does not go with"),
    "ready-for-the-other-kind": (
        ready_range, FIRST, {"reason": "AllImagesCached"}, "does not go with",
    ),
    "not-ready-for-a-good-reason": (
        failing_range, FIRST, {"reason": "AllImagesPresent"}, "does not go with",
    ),
    "a-transient-stall": (
        stalled_cache, ("conditions", 3), {"reason": "ServerError"}, "does not go with",
    ),
    "stalled-false": (stalled_cache, ("conditions", 3), {"status": "False"}, "does not go with"),
    "fractions-of-a-second": (
        ready_range, FIRST, {"lastTransitionTime": "2026-05-01T12:00:00.5Z"}, "not RFC 3339",
    ),
    "an-ansi-message": (ready_range, FIRST, {"message": "\x1b[31mred"}, "not one clean line"),
    "a-message-of-two-lines": (ready_range, FIRST, {"message": "a\nb"}, "not one clean line"),
    "a-novel": (ready_range, FIRST, {"message": "x" * 1025}, "more than 1024"),
    "a-long-row": (failing_range, ("failures", 0), {"message": "x" * 257}, "more than 256"),
    "ready-beside-reconciling": (
        failing_range, FIRST, {"status": "True", "reason": "AllImagesPresent"}, "True beside",
    ),
    "not-ready-beside-neither": (
        ready_range, FIRST, {"status": "False", "reason": "PullFailed"}, "beside neither",
    ),
    "suspended-and-reconciling": (
        failing_range, FIRST, {"reason": "Suspended"}, "beside ['Reconciling']",
    ),
    "a-condition-ahead-of-the-object": (
        ready_range, FIRST, {"observedGeneration": 4}, "the object of 3",
    ),
    "conditions-of-two-passes": (
        ready_range, FIRST, {"observedGeneration": 2}, "several generations",
    ),
    "settled-and-not-observed": (ready_range, (), {"observedGeneration": 2}, "settled, but"),
    "observed-before-it-was-read": (failing_range, (), {"observedGeneration": 4}, "is above"),
    "a-phase": (ready_range, (), {"phase": "Running"}, "no field status.phase"),
    "too-many-rows": (
        failing_range, (), {"failures": [failure()] * 21}, "more than 20",
    ),
    "a-counter-of-zero": (failing_range, (), {"failuresOmitted": 0}, "stands there as 0"),
    "left-out-for-nothing": (failing_range, (), {"failuresOmitted": 2}, "has only 1 rows"),
    "one-target-twice": (
        ready_range, (), {"targetStatuses": [row(), row()]}, "have one uid",
    ),
    "a-row-with-an-odd-reason": (
        failing_range, ("failures", 0), {"reason": "Odd"}, "not in the list",
    ),
    "a-reason-without-a-message": (
        ready_range, ("targetStatuses", 0), {"reason": "PullFailed"}, "without a message",
    ),
    "a-terminal-failure-with-a-next-try": (
        failing_range, ("failures", 0), {"reason": "Unauthorized"}, "a nextAttemptTime",
    ),
    "an-odd-moment": (
        failing_range, ("failures", 0), {"nextAttemptTime": "soon"}, "not RFC 3339",
    ),
    "a-summary-that-differs": (
        ready_range, ("summary",), {"images": "1/2"}, "the counts say 1/1",
    ),
    "targets-that-differ": (
        ready_range, ("summary",), {"targets": "1/2"}, "the counts say 1/1",
    ),
    "more-there-than-wanted": (
        ready_range, ("images",), {"present": 2}, "2 images are there, and 1 are wanted",
    ),
    "more-failed-than-missing": (ready_range, ("images",), {"failed": 1}, "0 images are missing"),
    "failures-of-no-image": (failing_range, ("images",), {"failed": 0}, "beside 1 failures"),
    "missing-and-not-named": (
        failing_range, (), {"missing": []}, "0 rows of missing images, and 1 are missing",
    ),
    "named-and-not-missing": (
        ready_range, (), {"missing": [missing()]}, "1 rows of missing images, and 0 are missing",
    ),
    "missing-nowhere": (failing_range, ("missing", 0), {"pods": 0}, "missing in 0 of 1"),
    "missing-without-a-message": (
        failing_range, ("missing", 0), {"message": ""}, "message of a row of missing is empty",
    ),
    "ready-with-an-image-left": (ready_range, ("images",), {"desired": 2}, "with 1 of 2"),
    "a-source-that-answers-and-does-not": (
        stalled_cache,
        ("imageStatuses", 0),
        {"reason": "SourceUnreachable"},
        "SourceAvailable is True, and a row of imageStatuses says SourceUnreachable",
    ),
    "a-registry-that-answers-and-does-not": (
        failing_range,
        FIRST,
        {"reason": "RegistryUnreachable"},
        "RegistryAvailable is True, and Ready says RegistryUnreachable",
    ),
    "an-engine-that-answers-and-does-not": (
        failing_range,
        ("missing", 0),
        {"reason": "EngineUnreachable"},
        "TargetsAvailable is True, and a row of missing says EngineUnreachable",
    ),
    "ranges-that-do-not-add-up": (
        stalled_cache, ("onDemand",), {"missing": 1}, "onDemand does not add up",
    ),
    "a-listed-image-that-looks-asked-for": (
        stalled_cache, ("imageStatuses", 0), {"onDemand": True}, "0 rows of listed images",
    ),
    "digests-without-bound": (
        stalled_cache, (), {"digests": {str(n): "x" for n in range(2001)}}, "2001 digests",
    ),
    "ready-with-a-target-left": (ready_range, ("targets",), {"ready": 0}, "0 of 1 targets"),
    "ready-without-targets": (
        ready_range, (), {"targets": {"matched": 0, "ready": 0}, "targetStatuses": []}, "0 of 0",
    ),
    "a-target-without-a-row": (ready_range, ("targets",), {"matched": 2}, "2 match"),
    "tar-without-a-record": (ready_range, ("images",), {"viaTar": 1}, "0 tarDeliveries"),
    "a-fallback-of-nothing": (
        ready_range,
        ("conditions", 3),
        {"status": "True", "reason": "PullFailed"},
        "images.viaTar is 0",
    ),
    "images-without-rows": (
        stalled_cache, ("images",), {"desired": 2}, "2 rows of images, and 3 are wanted",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "path", "change", "rule"), BROKEN.values(), ids=BROKEN)
def test_each_rule_can_fail(
    make: Any, path: tuple[str | int, ...], change: dict[Any, Any], rule: str
) -> None:
    obj = make()
    at(obj, *path).update(change)
    broken = violations(obj)
    assert any(rule in sentence for sentence in broken), broken


def test_a_status_with_no_condition_at_all_fails() -> None:
    obj = ready_range()
    obj["status"]["conditions"] = []
    assert violations(obj) == ["a status has no conditions"]


def test_both_stories_at_once_fail() -> None:
    obj = failing_range()
    obj["status"]["conditions"].append(condition("Stalled", "True", "Unauthorized"))
    assert "Reconciling and Stalled stand beside one another" in violations(obj)


def test_a_status_that_etcd_would_dislike_fails() -> None:
    obj = failing_range()
    obj["status"]["failures"][0]["image"] = "x" * 300_000
    assert any("bytes" in sentence for sentence in violations(obj))


def test_a_moment_that_moves_without_its_status_fails() -> None:
    before, after = ready_range(), ready_range()
    after["status"]["conditions"][1]["lastTransitionTime"] = LATER
    assert violations(after, before) == [
        "lastTransitionTime of TargetsAvailable moved, its status True did not"
    ]


def test_a_moment_that_goes_back_fails() -> None:
    before, after = failing_range(), ready_range()
    before["status"]["conditions"][0]["lastTransitionTime"] = LATER
    assert violations(after, before) == ["lastTransitionTime of Ready went back"]


def test_a_foreign_object_fails() -> None:
    assert violations({"kind": "Pod", "metadata": {}}) == ["'Pod' is not one of our kinds"]


KSTATUS: dict[str, tuple[Any, dict[str, Any], dict[str, Any], str]] = {
    "ready": (ready_range, {}, {}, "Current"),
    "retrying": (failing_range, {}, {"observedGeneration": 3}, "InProgress"),
    "stalled": (stalled_cache, {}, {}, "Failed"),
    "an-older-generation": (ready_range, {"generation": 4}, {}, "InProgress"),
    "the-default-of-the-crd": (ready_range, {}, {"observedGeneration": -1}, "InProgress"),
    "going-away": (ready_range, {"deletionTimestamp": LATER}, {}, "Terminating"),
    "no-conditions": (ready_range, {}, {"conditions": []}, "Current"),
    "ready-false-alone": (
        ready_range, {}, {"conditions": [condition("Ready", "False", "Suspended")]}, "InProgress",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "metadata", "status", "expected"), KSTATUS.values(), ids=KSTATUS)
def test_kstatus_reads_it_as_helm_would(
    make: Any, metadata: dict[str, Any], status: dict[str, Any], expected: str
) -> None:
    obj = deepcopy(make())
    obj["metadata"].update(metadata)
    obj["status"].update(status)
    assert kstatus(obj) == expected
