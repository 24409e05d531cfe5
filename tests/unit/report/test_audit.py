"""The audited lines: one for what was done, and for what is refused only when it is news."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Pull, Untag
from cyroid_images.model.kinds.status import RangeImagesStatus, TransferFailure
from cyroid_images.model.telemetry.measured import Transferred, Way
from cyroid_images.report import audit
from cyroid_images.report.log_fields import about_action, about_object
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import fault, info, source, stored, target, wish

KEY = Key(Kind.RANGE_IMAGES, "default", "r")
PULL = Pull(wish(), target(), info(), stored(), "127.0.0.1:5000")
DONE = Transferred("1", Way.PULL, 1.26, 1000)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO)
    return caplog


def fields(told: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Level, text and audit fields of each line."""
    names = ("audit", "route", "result", "reason", "duration_ms", "image", "target")
    return [
        {"level": record.levelname, "text": record.getMessage()}
        | {name: getattr(record, name) for name in names if hasattr(record, name)}
        for record in told.records
    ]


def test_a_pull_that_is_done_is_one_line(told: pytest.LogCaptureFixture) -> None:
    audit.tell_ended(PULL, DONE, "")
    assert fields(told) == [
        {
            "level": "INFO",
            "text": "pull of nginx:1.25 into dind-1 done, after 1.3 s",
            "audit": True,
            "route": "pull",
            "result": "done",
            "duration_ms": 1260,
        }
    ]


def test_a_failure_is_a_warning_with_its_reason(told: pytest.LogCaptureFixture) -> None:
    audit.tell_ended(PULL, replace(DONE, reason=Reason.TIMEOUT), "no byte came")
    (line,) = fields(told)
    assert (line["level"], line["result"]) == ("WARNING", "failed")
    assert "failed: Timeout: no byte came" in line["text"]


def test_what_we_cut_is_no_failure(told: pytest.LogCaptureFixture) -> None:
    audit.tell_ended(PULL, replace(DONE, is_cut=True), "")
    (line,) = fields(told)
    assert (line["level"], line["result"]) == ("INFO", "cut")


def test_a_fallback_names_route_reason_and_target(told: pytest.LogCaptureFixture) -> None:
    because = fault(Reason.REGISTRY_UNREACHABLE, "it refuses")
    audit.tell_fallback(Load(wish(), target(), info(), source(), because))
    (line,) = fields(told)
    assert (line["route"], line["result"]) == ("tar", "fallback")
    assert line["reason"] is Reason.REGISTRY_UNREACHABLE
    assert line["target"] == "dind-1"


def test_a_refusal_is_told_when_it_is_new_and_not_again(told: pytest.LogCaptureFixture) -> None:
    def refused(*images: str) -> RangeImagesStatus:
        rows = [
            TransferFailure(
                image=image, pod="dind-1", reason=Reason.HOST_NOT_ALLOWED, message="no", attempts=1
            )
            for image in images
        ]
        return RangeImagesStatus(failures=tuple(rows))

    audit.tell_refusals(KEY, RangeImagesStatus(), refused("a:1"))
    audit.tell_refusals(KEY, refused("a:1"), refused("a:1", "b:1"))
    assert [line["image"] for line in fields(told)] == ["a:1", "b:1"]
    assert {line["result"] for line in fields(told)} == {"refused"}


def test_an_outage_is_no_refusal(told: pytest.LogCaptureFixture) -> None:
    row = TransferFailure(image="a:1", reason=Reason.TIMEOUT, message="slow", attempts=2)
    audit.tell_refusals(KEY, RangeImagesStatus(), RangeImagesStatus(failures=(row,)))
    assert fields(told) == []


def test_only_the_refusal_that_stands_in_no_status_is_audited_by_its_event() -> None:
    assert audit.fields_of_event(Reason.HOST_NETWORK_REFUSED)["audit"] is True
    assert "audit" not in audit.fields_of_event(Reason.HOST_NOT_ALLOWED)


def test_a_line_names_object_image_and_target_and_no_address() -> None:
    known = about_object(KEY, None)
    assert known == {
        "object": {
            "apiVersion": "cyroid.io/v1alpha1",
            "kind": "RangeImages",
            "name": "r",
            "namespace": "default",
        }
    }
    about = about_action(PULL)
    assert set(about) == {"image", "digest", "target", "target_uid"}
    assert about["digest"] == str(stored().manifest.digest)
    assert PULL.target.endpoint.url not in str(about)
    assert about_action(Untag(PULL.target.endpoint, ())) == {}
