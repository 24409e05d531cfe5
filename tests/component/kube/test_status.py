"""Status as server-side apply: what the API server does with what we write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.errors import StatusConflict, StatusRejected
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart
from tests.parts.asking import ask

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Key:
    """As the loop names an object."""

    kind: str
    namespace: str
    name: str


READY = Key("RangeImages", "default", "status-of-range")


def condition(kind: str, status: str = "True") -> dict[str, Any]:
    """A complete condition."""
    return {
        "type": kind,
        "status": status,
        "reason": "Progressing",
        "message": "under way",
        "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def status_of(*conditions: str) -> dict[str, Any]:
    return {"observedGeneration": 1, "conditions": [condition(kind) for kind in conditions]}


@pytest.fixture
def stored(crds: ApiServerPart) -> Iterator[dict[str, Any]]:
    """A RangeImages that was just made."""
    body = objects.range_images(READY.name)
    yield objects.create(crds, body)
    crds.request("DELETE", objects.path_of(body))


def version(stored: Mapping[str, Any]) -> str:
    return str(stored["metadata"]["resourceVersion"])


def conditions_in(part: ApiServerPart) -> list[str]:
    body = part.call("GET", objects.path_of(objects.range_images(READY.name)))
    return [item["type"] for item in body.get("status", {}).get("conditions", [])]


def test_a_status_is_stored_and_raises_the_version(
    crds: ApiServerPart, operator: Path, stored: dict[str, Any]
) -> None:
    after = ask(operator, lambda c: c.apply_status(READY, version(stored), status_of("Ready")))
    body = crds.call("GET", objects.path_of(stored))
    assert after == version(body) != version(stored)
    assert body["status"]["conditions"] == [condition("Ready")]
    assert body["metadata"]["generation"] == 1


def test_an_equal_status_raises_no_version(operator: Path, stored: dict[str, Any]) -> None:
    first = ask(operator, lambda c: c.apply_status(READY, version(stored), status_of("Ready")))
    assert first is not None
    again = ask(operator, lambda c: c.apply_status(READY, first, status_of("Ready")))
    assert again == first


def test_a_condition_that_is_left_out_is_removed(
    crds: ApiServerPart, operator: Path, stored: dict[str, Any]
) -> None:
    both = status_of("Ready", "Reconciling")
    after = ask(operator, lambda c: c.apply_status(READY, version(stored), both))
    assert after is not None
    ask(operator, lambda c: c.apply_status(READY, after, status_of("Ready")))
    assert conditions_in(crds) == ["Ready"]


def test_an_object_edited_since_is_a_conflict(
    crds: ApiServerPart, operator: Path, stored: dict[str, Any]
) -> None:
    merge = {"content_type": "application/merge-patch+json"}
    crds.call("PATCH", objects.path_of(stored), {"spec": {"suspend": True}}, **merge)
    with pytest.raises(StatusConflict, match="status-of-range"):
        ask(operator, lambda c: c.apply_status(READY, version(stored), status_of("Ready")))
    assert conditions_in(crds) == []


def test_an_object_made_again_under_its_name_is_not_hit(
    crds: ApiServerPart, operator: Path, stored: dict[str, Any]
) -> None:
    crds.call("DELETE", objects.path_of(stored))
    objects.create(crds, objects.range_images(READY.name))
    with pytest.raises(StatusConflict):
        ask(operator, lambda c: c.apply_status(READY, version(stored), status_of("Ready")))
    assert conditions_in(crds) == []


def test_the_status_of_an_object_that_is_gone_is_nobodys(
    crds: ApiServerPart, operator: Path, stored: dict[str, Any]
) -> None:
    crds.call("DELETE", objects.path_of(stored))
    done = ask(operator, lambda c: c.apply_status(READY, version(stored), status_of("Ready")))
    assert done is None
    assert crds.request("GET", objects.path_of(stored)).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"conditions": [condition("Ready", "Maybe")]}, id="a-value-out-of-the-enum"),
        pytest.param({"observedGeneration": "one"}, id="a-text-for-a-number"),
        pytest.param({"unheardOf": 1}, id="a-field-that-an-older-schema-lacks"),
    ],
)
def test_what_is_no_status_is_rejected(
    operator: Path, stored: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with pytest.raises(StatusRejected, match="status-of-range"):
        ask(operator, lambda c: c.apply_status(READY, version(stored), wrong))


def test_a_kind_of_the_cluster_has_a_status_too(crds: ApiServerPart, operator: Path) -> None:
    stored = objects.create(crds, objects.image_cache("status-of-cache"))
    key = Key("ImageCache", "", "status-of-cache")
    ask(operator, lambda c: c.apply_status(key, version(stored), status_of("Ready")))
    body = crds.call("GET", objects.path_of(stored))
    assert [item["type"] for item in body["status"]["conditions"]] == ["Ready"]
    crds.call("DELETE", objects.path_of(stored))
