"""A range as YAML to copy: what is read back asks for the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.overview.ranges import range_detail

SELECTOR = {"selector": {"matchLabels": {"cyroid.io/range-id": "42"}}}
IMAGES = [{"image": "nginx:1.27"}, {"image": "cyroid/kali-attack", "platform": "linux/arm64"}]


def body(**spec: Any) -> dict[str, Any]:
    return {
        "metadata": {
            "name": "range-01",
            "namespace": "spring",
            "uid": "0b2f",
            "generation": 3,
            "resourceVersion": "71",
            "creationTimestamp": "2026-02-01T10:00:00Z",
            "labels": {"cyroid.io/event": "spring"},
            "managedFields": [{"manager": "kubectl"}],
        },
        "spec": {"targets": SELECTOR, "images": IMAGES, **spec},
        "status": {"observedGeneration": 3},
    }


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"suspend": True, "delivery": "TarOnly", "interval": "90s"},
        {"imageCacheRef": {"name": "other"}, "timeouts": {"stall": "30s", "total": "2h"}},
        {"targets": {**SELECTOR, "docker": {"port": 2400, "serverName": "engine"}}},
    ],
)
def test_what_is_copied_asks_for_the_same(spec: dict[str, Any]) -> None:
    item = RangeImages.parse(body(**spec))
    said = yaml.safe_load(range_detail(item).yaml or "")
    assert (said["apiVersion"], said["kind"]) == ("cyroid.io/v1alpha1", "RangeImages")
    again = RangeImages.parse({**said, "metadata": {**body()["metadata"], **said["metadata"]}})
    assert again.spec == item.spec
    assert again.metadata.labels == item.metadata.labels


def test_what_the_api_server_adds_is_left_out() -> None:
    said = yaml.safe_load(range_detail(RangeImages.parse(body())).yaml or "")
    assert set(said) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(said["metadata"]) == {"name", "namespace", "labels"}
    assert set(said["spec"]) == {"targets", "images"}
