"""Status as it is written, and as it is read whoever wrote it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Route
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.kinds.conditions import (
    ConditionStatus,
    ConditionType,
    Verdict,
    set_conditions,
)
from cyroid_images.model.kinds.read_status import read_status
from cyroid_images.model.kinds.status import (
    MOST_TARGETS,
    CacheImageCounts,
    ImageCacheStatus,
    ImageStatus,
    RangeImageCounts,
    RangeImagesStatus,
    RangeSummary,
    TarDelivery,
    TargetCounts,
    TargetStatus,
    TransferFailure,
)
from cyroid_images.model.kinds.status_fields import first
from tests.unit.model.names_table import SHA256

NOW = datetime(2026, 5, 1, 12, 30, 15, tzinfo=UTC)
DIGEST = Digest.parse(SHA256)
DELIVERY = TarDelivery(
    image="nginx", uid="u1", digest=DIGEST, reason=Reason.REGISTRY_UNREACHABLE, time=NOW
)
STATUS = RangeImagesStatus(
    observed_generation=3,
    summary=RangeSummary(images="12/13", targets="1/1"),
    images=RangeImageCounts(desired=13, present=12, failed=1, via_tar=2),
    targets=TargetCounts(matched=1, ready=1),
    target_statuses=(TargetStatus(pod="dind-42", uid="u1", present=12, message="a\nb"),),
    tar_deliveries=(DELIVERY,),
    failures=(
        TransferFailure(
            image="nginx",
            pod="dind-42",
            route=Route.REGISTRY,
            reason=Reason.PULL_FAILED,
            message="manifest unknown",
            attempts=3,
            next_attempt_time=NOW,
        ),
    ),
    failures_omitted=2,
    conditions=set_conditions(
        (),
        [Verdict(ConditionType.READY, ConditionStatus.FALSE, Reason.PULL_FAILED, "12 of 13")],
        generation=3,
        now=NOW,
    ),
)


def test_a_status_is_written_as_the_api_shows_it() -> None:
    assert STATUS.to_document() == {
        "observedGeneration": 3,
        "summary": {"images": "12/13", "targets": "1/1"},
        "images": {"desired": 13, "present": 12, "failed": 1, "viaTar": 2},
        "targets": {"matched": 1, "ready": 1},
        "targetStatuses": [
            {
                "pod": "dind-42",
                "uid": "u1",
                "present": 12,
                "failed": 0,
                "viaTar": 0,
                "message": "a b",
            }
        ],
        "tarDeliveries": [
            {
                "image": "nginx",
                "uid": "u1",
                "digest": SHA256,
                "reason": "RegistryUnreachable",
                "time": "2026-05-01T12:30:15Z",
            }
        ],
        "failures": [
            {
                "image": "nginx",
                "pod": "dind-42",
                "route": "Registry",
                "reason": "PullFailed",
                "message": "manifest unknown",
                "attempts": 3,
                "nextAttemptTime": "2026-05-01T12:30:15Z",
            }
        ],
        "failuresOmitted": 2,
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "PullFailed",
                "message": "12 of 13",
                "observedGeneration": 3,
                "lastTransitionTime": "2026-05-01T12:30:15Z",
            }
        ],
    }


def test_what_was_written_reads_back_equal() -> None:
    assert read_status(RangeImagesStatus, STATUS.to_document()) == STATUS


def test_the_status_of_a_cache_reads_back_equal() -> None:
    row = ImageStatus(
        image="nginx", platform=Platform.parse("linux/amd64"), digest=DIGEST, size_bytes=2**40
    )
    status = ImageCacheStatus(
        images=CacheImageCounts(desired=1, cached=1), stored_bytes=2**40, image_statuses=(row,)
    )
    document = status.to_document()
    assert document["imageStatuses"][0]["platform"] == "linux/amd64"
    assert read_status(ImageCacheStatus, document) == status


@pytest.mark.parametrize("document", [None, {}, [], "text", 5, {"observedGeneration": "x"}])
def test_what_is_no_status_is_an_empty_one(document: object) -> None:
    assert read_status(RangeImagesStatus, document) == RangeImagesStatus()


def test_nobody_has_looked_at_an_empty_status() -> None:
    assert RangeImagesStatus().observed_generation == -1
    assert RangeImagesStatus().condition(ConditionType.READY) is None


def test_a_row_that_cannot_be_read_costs_no_other_row() -> None:
    document = STATUS.to_document()
    good = document["tarDeliveries"][0]
    strange: dict[str, Any] = {**good, "reason": "FromTheFuture"}
    document["tarDeliveries"] = [strange, good, {}, {**good, "uid": "u2"}, "text"]
    document["images"] = {"desired": -1}
    read_back = read_status(RangeImagesStatus, document)
    assert [row.uid for row in read_back.tar_deliveries] == ["u1", "u2"]
    assert read_back.images == RangeImageCounts()
    assert read_back.conditions == STATUS.conditions


def test_reading_leaves_the_document_as_it_is() -> None:
    document: dict[str, Any] = {"failures": [{}]}
    read_status(RangeImagesStatus, document)
    assert document == {"failures": [{}]}


def test_more_unreadable_rows_than_ten_keep_their_order() -> None:
    good = STATUS.to_document()["tarDeliveries"][0]
    rows = [{**good, "uid": f"u{n}"} if n % 2 else {} for n in range(30)]
    read_back = read_status(RangeImagesStatus, {"tarDeliveries": rows})
    assert [row.uid for row in read_back.tar_deliveries] == [f"u{n}" for n in range(1, 30, 2)]


def test_a_list_is_cut_and_says_how_much_was_left_out() -> None:
    rows, omitted = first(MOST_TARGETS, range(40))
    assert (len(rows), omitted) == (32, 8)
    assert first(MOST_TARGETS, range(3)) == ((0, 1, 2), 0)


def test_a_list_that_is_too_long_is_a_defect() -> None:
    with pytest.raises(ValidationError):
        RangeImagesStatus(tar_deliveries=(DELIVERY,) * 65)


def test_a_row_message_is_cut_to_256_characters() -> None:
    row = TargetStatus(pod="p", uid="u", message="x" * 999)
    assert row.message is not None
    assert len(row.message) == 256
