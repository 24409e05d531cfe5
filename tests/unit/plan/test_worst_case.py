"""However much goes wrong at once, a status stays small: bytes as the API server stores them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Step, Wait
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import TarDelivery
from cyroid_images.model.observed import FailureKey, RangeDone, TargetSeen
from cyroid_images.model.offer import Offer, Offers
from cyroid_images.plan.status import cache_report, range_report
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    NOW,
    cache_body,
    cache_item,
    cache_seen,
    content,
    digest,
    range_body,
    range_item,
    range_seen,
    source,
    target,
    view,
    wish,
)

KIB = 1024
IMAGES, TARGETS = 128, 200
USUAL, LONGEST = 80, 512
"""Characters of an image's name: of long ones in use, and of the longest that there may be."""


def names(length: int) -> list[str]:
    return [f"r.example/{number:03}/".ljust(length - 2, "x") + ":1" for number in range(IMAGES)]


def size(kind: str, body: dict[str, Any], document: dict[str, Any]) -> int:
    """Bytes of a status that conforms."""
    assert_status_conforms({"kind": kind, "metadata": body["metadata"], "status": document})
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def everything_fails(item: RangeImages) -> dict[str, Any]:
    """Each image has failed in each target, by both routes, and many tars are on record."""
    because = Fault(Reason.TARGET_IDENTITY_MISMATCH, "why not " * 400)
    wishes = item.wishes
    targets = tuple(
        TargetSeen(replace(target(number % 250), uid=f"{number:036}", pod="p" * 253), view())
        for number in range(TARGETS)
    )
    steps: dict[str, tuple[Step, ...]] = {
        each.target.uid: tuple(Wait(wanted, because) for wanted in wishes) for each in targets
    }
    failures = {
        FailureKey(uid, wanted, route): Failure(because, 99, NOW)
        for uid in steps
        for wanted in wishes
        for route in Route
    }
    tars = tuple(
        TarDelivery(image=str(wanted.reference), uid=uid, digest=digest("x"),
                    layers=content().layers, time=NOW,
                    reason=Reason.REGISTRY_UNREACHABLE_FROM_TARGET)
        for uid in list(steps)[:2]
        for wanted in wishes
    )  # fmt: skip
    seen = range_seen(item, targets, failures=failures)
    return range_report.report(seen, RangeDone(steps, (), tars, {})).to_document()


@pytest.mark.slow
@pytest.mark.row("K8")
@pytest.mark.parametrize(("length", "most"), [(USUAL, 80 * KIB), (LONGEST, 128 * KIB)])
def test_a_range_where_everything_fails_tells_the_worst_and_counts_the_rest(
    length: int, most: int
) -> None:
    item = range_item(*names(length))
    document = everything_fails(item)
    assert size("RangeImages", range_body(), document) <= most
    assert document["targetsOmitted"] == TARGETS - len(document["targetStatuses"])
    assert document["missingOmitted"] == IMAGES - len(document["missing"])
    assert document["failuresOmitted"] == 2 * IMAGES * TARGETS - len(document["failures"])
    assert document["tarDeliveriesOmitted"] == 2 * IMAGES - len(document["tarDeliveries"])


@pytest.mark.row("K8")
@pytest.mark.parametrize(("length", "most"), [(USUAL, 80 * KIB), (LONGEST, 140 * KIB)])
def test_a_cache_where_everything_fails_tells_all_images(length: int, most: int) -> None:
    because = Fault(Reason.MANIFEST_DIGEST_MISMATCH, "why not " * 400)
    wishes = [wish(name) for name in names(length)]
    failures = {each: Failure(because, 99, NOW) for each in wishes}
    seen = cache_seen(
        cache_item(*names(length)), wishes=dict.fromkeys(wishes, True), failures=failures
    )
    steps = [Wait(each, because) for each in wishes]
    document = cache_report.report(seen, steps, ()).to_document()
    assert size("ImageCache", cache_body(), document) <= most
    assert len(document["imageStatuses"]) == IMAGES
    assert document["failuresOmitted"] == IMAGES - len(document["failures"])


@pytest.mark.parametrize(("length", "most"), [(USUAL, 360 * KIB), (LONGEST, 520 * KIB)])
def test_two_thousand_digests_stay_below_what_etcd_takes(length: int, most: int) -> None:
    """With all else that a status holds: 1.5 MB is the most for a whole object."""
    proven = {
        wish(f"r.example/{n:04}/".ljust(length - 2, "x") + ":1"): digest("x") for n in range(2500)
    }
    document = cache_report.report(cache_seen(anchors=proven), [], ()).to_document()
    assert len(json.dumps(document["digests"], separators=(",", ":"))) <= most
    assert document["digestsOmitted"] == 2500 - len(document["digests"])
    assert len(document["digests"]) == 2000 or length == LONGEST


@pytest.mark.parametrize(("length", "most"), [(USUAL, 90 * KIB), (LONGEST, 210 * KIB)])
def test_a_builder_full_of_images_none_of_which_can_be_pushed_stays_small(
    length: int, most: int
) -> None:
    """Each was tried in vain, which costs a reason in its row."""
    failed = Failure(Fault(Reason.MANIFEST_DIGEST_MISMATCH, "why not " * 400), 99, NOW)
    wishes = [
        wish(f"r.example/{number:03}/".ljust(length - 2, "x") + ":1") for number in range(256)
    ]
    offers = tuple(Offer(each, source(), failure=failed) for each in wishes)
    seen = cache_seen(cache_item(), wishes={}, offers=Offers(offers, 9))
    document = cache_report.report(seen, [], ()).to_document()
    assert size("ImageCache", cache_body(), document) <= most
    assert (len(document["sourceImages"]), document["sourceImagesOmitted"]) == (256, 9)
