"""A blueprint becomes objects that the kinds accept, the same text each time."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from cyroid_images.blueprints.blueprint import UnreadableBlueprint
from cyroid_images.blueprints.conversion import (
    ConversionOptions,
    as_yaml,
    documents,
    object_name,
)
from cyroid_images.blueprints.reading import blueprint_of
from cyroid_images.errors import InvalidSpec
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from tests.parts.catalog import AMAZING, CATALOG, ICS, CatalogBlueprint

STORED = {
    "uid": "u",
    "generation": 1,
    "resourceVersion": "1",
    "creationTimestamp": "2026-01-01T00:00:00Z",
}
REGISTRY = {"pushURL": "https://registry.example:5001", "pullHost": "registry.example:5000"}


def written(blueprint: CatalogBlueprint, **options: Any) -> str:
    found = blueprint_of(blueprint.document(), blueprint.name)
    return as_yaml(documents(found, ConversionOptions(**options)))


def read(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


@pytest.mark.parametrize("blueprint", CATALOG, ids=lambda each: each.name)
def test_each_blueprint_becomes_both_kinds(blueprint: CatalogBlueprint) -> None:
    cache, ranges = read(written(blueprint, cache="default", event="spring", namespace="range-01"))
    parsed = RangeImages.parse({**ranges, "metadata": ranges["metadata"] | STORED})
    assert [each.image for each in parsed.spec.images] == list(blueprint.images)
    assert parsed.metadata.namespace == "range-01"
    assert parsed.metadata.labels == {"cyroid.io/event": "spring"}
    assert ranges["spec"]["targets"]["selector"]["matchLabels"] == {
        "cyroid.io/range-id": blueprint.name
    }
    whole = {"registry": REGISTRY, **cache["spec"]}
    filled = ImageCache.parse({"metadata": cache["metadata"] | STORED, "spec": whole})
    assert [each.image for each in filled.spec.images] == list(blueprint.images)


def test_without_a_cache_only_the_range_is_written() -> None:
    (ranges,) = read(written(ICS, range_id="r01"))
    assert ranges == {
        "apiVersion": "cyroid.io/v1alpha1",
        "kind": "RangeImages",
        "metadata": {"name": "ics-power-grid-defense-lab"},
        "spec": {
            "targets": {"selector": {"matchLabels": {"cyroid.io/range-id": "r01"}}},
            "images": [{"image": image} for image in ICS.images],
        },
    }


def test_a_platform_is_written_where_the_blueprint_has_one() -> None:
    (ranges,) = read(written(AMAZING))
    platforms = [each.get("platform") for each in ranges["spec"]["images"]]
    assert platforms == ["linux/amd64", None, "linux/amd64", "linux/amd64"]


def test_the_text_is_the_same_each_time() -> None:
    assert written(ICS, cache="lab") == written(ICS, cache="lab")


def test_a_bundle_adds_its_source_and_the_fragment_says_how_it_is_applied() -> None:
    found = blueprint_of(ICS.document(), "x")
    text = as_yaml(documents(found, ConversionOptions(cache="default"), has_bundle=True))
    cache, _ = read(text)
    assert cache["spec"]["sources"] == [{"name": "bundles", "archive": {"path": "bundles"}}]
    assert "kubectl apply --server-side --field-manager=ics-power-grid-defense-lab" in text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Red Team: Lab (v2)", "red-team-lab-v2"),
        ("__", "blueprint"),
        ("Ä" * 5, "blueprint"),
        ("a" * 62 + "-bc", "a" * 62),
    ],
)
def test_a_name_that_kubernetes_takes(text: str, name: str) -> None:
    assert object_name(text) == name


@pytest.mark.parametrize("options", [{"range_id": "a b"}, {"event": "-x"}, {"range_id": "x" * 64}])
def test_a_label_that_kubernetes_would_refuse_is_refused_here(options: dict[str, str]) -> None:
    with pytest.raises(InvalidSpec, match="the value of a label"):
        written(ICS, **options)


def test_a_blueprint_without_an_image_that_can_be_delivered_is_no_object() -> None:
    found = blueprint_of({"vms": [{"base_image_tag": "iso:https://x"}]}, "lab")
    with pytest.raises(UnreadableBlueprint, match="none of its 1 VMs"):
        documents(found, ConversionOptions())


def test_more_images_than_a_range_lists_are_refused() -> None:
    found = blueprint_of({"vms": [{"base_image_tag": f"a:{n}"} for n in range(129)]}, "lab")
    with pytest.raises(UnreadableBlueprint, match="lists 128 at most"):
        documents(found, ConversionOptions())
