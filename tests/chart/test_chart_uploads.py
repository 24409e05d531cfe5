"""Bundles can be uploaded once API and operator mount one volume; nothing else is to be set."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, manifests, one

pytestmark = pytest.mark.slow

API = CHART / "ci" / "api-values.yaml"
BUNDLES = {"name": "bundles", "archive": {"path": "bundles"}}


def sources(*flags: str) -> list[dict[str, Any]]:
    """Of the ImageCache `default` that the chart makes."""
    made = one(manifests(API, *flags), "ConfigMap", "cyroid-default-cache")
    spec = yaml.safe_load(made["data"]["image-cache.yaml"])["spec"]
    found: list[dict[str, Any]] = spec["sources"] or []
    return found


def test_the_default_cache_looks_at_what_is_uploaded() -> None:
    assert sources() == [BUNDLES]


@pytest.mark.parametrize(
    "flag",
    [
        "--set=defaultCache.sources[0].name=other,defaultCache.sources[0].archive.path=other",
        "--set=defaultCache.sources[0].name=bundles,defaultCache.sources[0].archive.path=x",
    ],
)
def test_a_source_of_the_values_is_enough(flag: str) -> None:
    assert BUNDLES not in sources(flag)


@pytest.mark.parametrize(
    "flag", ["api.archives=null", "operator.archives=null", "api.enabled=false"]
)
def test_without_a_volume_of_both_there_is_none(flag: str) -> None:
    assert sources(f"--set={flag}") == []


def test_the_api_writes_to_the_volume_that_the_operator_reads() -> None:
    found = manifests(API)
    mounts = {}
    for name in ("cyroid-api", "cyroid-operator"):
        pod = one(found, "Deployment", name)["spec"]["template"]["spec"]
        (mount,) = [
            each for each in pod["containers"][0]["volumeMounts"] if each["name"] == "archives"
        ]
        (volume,) = [each for each in pod["volumes"] if each["name"] == "archives"]
        assert volume["persistentVolumeClaim"] == {"claimName": "bundles"}
        assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsUser"]
        mounts[name] = (mount["mountPath"], mount.get("readOnly", False))
    assert mounts == {"cyroid-api": ("/archives", False), "cyroid-operator": ("/archives", True)}
