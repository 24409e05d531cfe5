"""B1, of its kind: what an image is for the engine's own platform is asked for apart."""

from __future__ import annotations

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.range_images import Delivery
from cyroid_images.model.kinds.status import RangeImagesStatus
from cyroid_images.model.knowledge import CacheView, ImageRecord
from cyroid_images.model.observed import RangeDone, RangeSeen, TargetSeen
from cyroid_images.plan.cache import know
from cyroid_images.plan.delivery import Delivered, plan_image
from cyroid_images.plan.status import range_report
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
    NOW,
    cache_seen,
    content,
    info,
    range_item,
    source_seen,
    stored,
    target,
    view,
    wish,
)

VIEW = view({"nginx:1.25": content("arm", ARM64)}, about=info(ARM64))
SEEN = TargetSeen(target(), VIEW)
OWN = wish(platform=ARM64)
UNKNOWN = {
    "not-asked-yet": ImageRecord(),
    "its-source-is-away": ImageRecord(fault=Fault(Reason.SOURCE_UNREACHABLE, "refused")),
    "the-registry-is-away": ImageRecord(fault=Fault(Reason.REGISTRY_UNREACHABLE, "refused")),
}


def told_ready(known: ImageRecord) -> str:
    """What Ready says of an arm64 engine that was Ready, by what is known of its image now."""
    before = report(ImageRecord(content("arm", ARM64)), RangeImagesStatus())
    assert before.conditions[0].status == "True"
    return str(report(known, before).conditions[0].status)


def report(known: ImageRecord, before: RangeImagesStatus) -> RangeImagesStatus:
    """The status after a pass; of amd64 all is known."""
    images = {wish(): ImageRecord(content("one", AMD64), stored("one")), OWN: known}
    cache = CacheView("127.0.0.1:5000", looked=True, images=images)
    item = range_item(status=before.to_document() if before.conditions else None)
    seen = RangeSeen(item, (SEEN,), cache, None, {}, NOW)
    given = Delivered(SEEN.target, VIEW, cache, Delivery.REGISTRY_THEN_TAR, {}, NOW)
    steps = {SEEN.target.uid: tuple(plan_image(wished, given) for wished in seen.wishes)}
    return range_report.report(seen, RangeDone(steps, (), (), {}))


@pytest.mark.parametrize("known", UNKNOWN.values(), ids=UNKNOWN)
def test_b1_an_engine_of_another_platform_stays_ready_through_the_unknown(
    known: ImageRecord,
) -> None:
    assert told_ready(known) == "True"


def test_b1_what_nobody_has_for_the_engine_s_platform_is_told() -> None:
    nowhere = ImageRecord(fault=Fault(Reason.PLATFORM_MISMATCH, "only amd64"), is_unknown=False)
    assert told_ready(nowhere) == "False"


UNSEEN = {
    "refused": Fault(Reason.ENGINE_UNREACHABLE, "refused"),
    "certificate": Fault(Reason.TLS_REJECTED, "unknown authority"),
    "no-secret": Fault(Reason.SECRET_MISSING, "there is no Secret tls"),
    "not-looked-at": Fault(Reason.PROGRESSING, "not looked at yet"),
}


@pytest.mark.parametrize("unseen", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "last"])
def test_b1_one_source_that_cannot_be_seen_is_enough_not_to_know(
    unseen: Fault, is_first: bool
) -> None:
    """Another source has the image for another platform, which is an answer."""
    arm = source_seen(view({"nginx:1.25": content("arm", ARM64)}), "arm")
    away = source_seen(unseen, "away")
    wished = wish(platform=AMD64)
    sources = (away, arm) if is_first else (arm, away)
    known = know(wished, cache_seen(sources=sources, wishes={wished: True}))
    assert known.content is None
    assert known.is_unknown
    assert known.fault is not None
    assert "away" in known.fault.message
