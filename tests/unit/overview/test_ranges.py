"""One range as it is shown: what is not known is null, and never a no or a zero."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.overview.ranges import range_detail, range_row
from tests.unit.overview.examples import KALI, NOW, SAMBA, a_range, condition

READY = condition("Ready", "True", "AllImagesPresent")
WAITING = condition("Ready", "False", "ProgressingWithRetry")
MISSING = {
    "image": SAMBA,
    "reason": "ImageNotFound",
    "message": "no source has it",
    "pods": 2,
    "firstPod": "dind-0",
}
TARGET = {"pod": "dind-0", "uid": "p", "present": 1, "failed": 1, "viaTar": 1}
MOVING = {"image": KALI, "pod": "dind-0", "route": "Tar", "doneBytes": 5, "totalBytes": 10}


@pytest.mark.parametrize(
    ("conditions", "ready", "reason"),
    [
        ([], None, None),
        ([READY], True, "AllImagesPresent"),
        ([WAITING], False, "ProgressingWithRetry"),
        ([condition("Ready", "Unknown", "Progressing")], None, "Progressing"),
        ([condition("Ready", "True", "AllImagesPresent", generation=2)], None, None),
    ],
    ids=["never looked at", "ready", "not ready", "first look under way", "of an older version"],
)
def test_ready_is_what_the_last_look_at_this_version_said(
    conditions: list[dict[str, Any]], ready: bool | None, reason: str | None
) -> None:
    row = range_row(a_range(status={"conditions": conditions}))
    assert row.ready is ready
    assert row.reason == reason
    assert (row.since is None) == (reason is None)


def test_a_range_that_nobody_looked_at_wants_what_its_spec_names() -> None:
    row = range_row(a_range(images=(KALI, SAMBA)))
    assert (row.images_present, row.images_desired, row.route) == (0, 2, None)


@pytest.mark.parametrize(
    ("present", "via_tar", "route"),
    [
        (0, 0, None),
        (3, 0, "registry"),
        (3, 3, "tar"),
        (3, 1, "registry+tar"),
        (0, 1, "tar"),
    ],
)
def test_the_route_is_that_of_what_is_there(present: int, via_tar: int, route: str | None) -> None:
    counts = {"desired": 3, "present": present, "viaTar": via_tar}
    row = range_row(a_range(status={"images": counts}))
    assert (row.route, row.images_present, row.images_via_tar) == (route, present, via_tar)


@pytest.mark.parametrize(
    ("status", "reason", "fell", "shown"),
    [
        ("True", "RegistryUnreachable", True, "RegistryUnreachable"),
        ("True", "ForcedBySpec", False, "ForcedBySpec"),
        ("False", "NotNeeded", False, None),
        ("Unknown", "Progressing", False, None),
    ],
)
def test_a_tar_that_was_asked_for_is_no_fallback(
    status: str, reason: str, fell: bool, shown: str | None
) -> None:
    row = range_row(a_range(status={"conditions": [condition("TarFallback", status, reason)]}))
    assert (row.fallback, row.fallback_reason) == (fell, shown)
    assert (row.fallback_message is None) == (shown is None)


def test_a_row_says_whose_it_is() -> None:
    item = a_range(event="spring", spec={"suspend": True, "imageCacheRef": {"name": "other"}})
    row = range_row(item)
    assert (row.namespace, row.name, row.event, row.cache) == ("red", "range-01", "spring", "other")
    assert row.suspended
    assert row.created.isoformat() == NOW.replace("Z", "+00:00")


def test_what_is_under_way_is_shown_with_how_far_it_is() -> None:
    row = range_row(a_range(status={"transfers": [MOVING], "transfersOmitted": 4}))
    (moving,) = row.transfers
    assert (moving.route, moving.pod, moving.done_bytes, moving.total_bytes) == (
        "Tar",
        "dind-0",
        5,
        10,
    )
    assert (moving.bytes_per_second, moving.is_waiting) == (0, False)
    assert row.transfers_omitted == 4


def test_a_detail_tells_what_is_missing_and_where() -> None:
    status = {
        "missing": [MISSING],
        "missingOmitted": 2,
        "targetStatuses": [
            TARGET,
            {**TARGET, "uid": "q", "reason": "EngineUnreachable", "message": "m"},
        ],
        "targetsOmitted": 1,
    }
    detail = range_detail(a_range(images=(KALI, SAMBA), status=status))
    assert detail.images == (KALI, SAMBA)
    (gap,) = detail.missing
    assert gap.model_dump() == {
        "image": SAMBA,
        "reason": "ImageNotFound",
        "message": "no source has it",
        "pods": 2,
        "first_pod": "dind-0",
    }
    good, bad = detail.targets
    assert (good.reason, good.via_tar, good.engine) == (None, 1, None)
    assert (bad.reason, bad.message) == ("EngineUnreachable", "m")
    assert (detail.missing_omitted, detail.targets_omitted) == (2, 1)


def test_a_detail_says_nothing_else_than_its_row() -> None:
    item = a_range(event="spring", status={"conditions": [READY], "transfers": [MOVING]})
    row, detail = range_row(item).model_dump(), range_detail(item).model_dump()
    assert row == {name: detail[name] for name in row}


def test_rows_are_read_again_from_their_json_and_newer_fields_are_passed_over() -> None:
    row = range_row(a_range(status={"conditions": [WAITING], "transfers": [MOVING]}))
    document = row.model_dump(mode="json")
    assert type(row).model_validate({**document, "newer": 1}) == row
