"""The operator is replaced by another version, and back: what was ready stays ready.

There is no other version yet, so these are documents as one could have left them: an older
one that knew less, and a newer one with fields, words and conditions of its own.
"""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.store.keys import Kind
from tests.unit.plan.examples import cache_body, content, range_body, stored, view
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.stage import (
    CACHE,
    CACHED,
    DIND,
    RANGE,
    REPOSITORY,
    SOURCES,
    TARGETS,
    Stage,
    tried,
)

SINCE = "2026-04-01T08:00:00Z"


def told(kind: str, status: str, reason: str, **more: Any) -> dict[str, Any]:
    """A condition that turned long ago."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": "as it was told then",
        "observedGeneration": 3,
        "lastTransitionTime": SINCE,
        **more,
    }


RECORD = {
    "image": "nginx:1.25",
    "uid": "uid of dind",
    "digest": str(content().identity),
    "reason": "RegistryUnreachable",
    "time": SINCE,
}
OLDER = {
    "observedGeneration": 3,
    "conditions": [
        told("Ready", "True", "AllImagesPresent"),
        told("TarFallback", "True", "RegistryUnreachable"),
    ],
    "tarDeliveries": [RECORD],
}
NEWER = {
    "observedGeneration": 3,
    "shards": {"count": 3},
    "summary": {"images": "1/1", "targets": "1/1", "bytes": "5 GiB"},
    "images": {"desired": 1, "present": 1, "failed": 0, "viaTar": 1, "viaPeer": 0},
    "targets": {"matched": 1, "ready": 1, "asleep": 0},
    "targetStatuses": [
        {"pod": "dind", "uid": "uid of dind", "present": 1, "failed": 0, "viaTar": 1, "mood": "ok"}
    ],
    "tarDeliveries": [{**RECORD, "peer": "dind-2"}, {**RECORD, "reason": "PeerUnreachable"}],
    "conditions": [
        told("Ready", "True", "AllImagesPresent", severity="none"),
        told("TargetsAvailable", "True", "Available"),
        told("RegistryAvailable", "True", "Available"),
        told("PeersAvailable", "True", "EveryPeerAnswers"),
        told("TarFallback", "True", "RegistryUnreachable"),
    ],
}
CACHE_OF_NEWER = {
    "observedGeneration": 3,
    "images": {"desired": 1, "cached": 1, "failed": 0, "mirrored": 1},
    "summary": {"images": "1/1", "mirrors": "2/2"},
    "imageStatuses": [{"image": "nginx:1.25", "digest": str(content().identity), "mirrors": 2}],
    "conditions": [
        told("Ready", "True", "AllImagesCached"),
        told("RegistryAvailable", "True", "AllMirrorsAnswer"),
        told("SourceAvailable", "True", "Available"),
    ],
}


@pytest.mark.row("O5")
@pytest.mark.parametrize("left", [OLDER, NEWER], ids=["an-older-version", "a-newer-version"])
def test_a_ready_range_of_another_version_stays_ready_and_keeps_its_record(
    left: dict[str, Any],
) -> None:
    async def scenario(stage: Stage) -> None:
        stage.engines.views[DIND] = view({"nginx:1.25": content()})
        stage.registries.held[REPOSITORY] = stored()
        stage.cluster.listed[Kind.RANGE_IMAGES] = [range_body(status=left, targets=TARGETS)]
        await stage.loop.start()
        await until(lambda: stage.told().get("RegistryAvailable") == "True/Available")

    stage = tried(scenario)
    written = [status for key, _, status in stage.cluster.statuses if key == RANGE]
    for status in written:
        conditions = {each["type"]: each for each in status["conditions"]}
        for kind, reason in (("Ready", "AllImagesPresent"), ("TarFallback", "RegistryUnreachable")):
            assert conditions[kind]["status"] == "True"
            assert conditions[kind]["reason"] == reason
            assert conditions[kind]["lastTransitionTime"] == SINCE
        assert status["tarDeliveries"] == [RECORD]
        assert status["observedGeneration"] == 3
    assert stage.movers.moves == []


@pytest.mark.row("O5")
def test_a_ready_cache_of_another_version_stays_ready() -> None:
    async def scenario(stage: Stage) -> None:
        stage.registries.held[REPOSITORY] = stored()
        images = [{"image": "nginx:1.25"}]
        body = cache_body(status=CACHE_OF_NEWER, sources=SOURCES, images=images)
        stage.cluster.listed[Kind.IMAGE_CACHE] = [body]
        stage.cluster.listed[Kind.RANGE_IMAGES] = []
        await stage.loop.start()
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)

    written = [status for key, _, status in tried(scenario).cluster.statuses if key == CACHE]
    assert {status["conditions"][0]["status"] for status in written} == {"True"}
    assert {status["conditions"][0]["lastTransitionTime"] for status in written} == {SINCE}
