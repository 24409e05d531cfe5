"""Generated files equal what their sources make; if not, run the command that is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.api.command import openapi
from cyroid_images.crds import KINDS, CustomKind, definition, text_of, write

CRDS = Path(__file__).parents[1] / "crds"
PACKAGE = Path(__file__).parents[1] / "operator" / "cyroid_images"
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.plural)


@each_kind
def test_the_crd_file_is_what_the_models_generate(kind: CustomKind) -> None:
    stored = (CRDS / f"{kind.plural}.yaml").read_text()
    assert stored == text_of(kind), "run: python -m cyroid_images.crds"


def test_there_is_no_other_crd_file() -> None:
    assert {path.name for path in CRDS.iterdir()} == {f"{kind.plural}.yaml" for kind in KINDS}


def test_writing_makes_the_folder_and_one_file_per_kind(tmp_path: Path) -> None:
    paths = write(tmp_path / "new" / "crds")
    assert [path.name for path in paths] == ["imagecaches.yaml", "rangeimages.yaml"]
    assert all(path.read_text() for path in paths)


def test_the_description_of_the_rest_api_is_what_its_routes_generate() -> None:
    stored = (PACKAGE / "api" / "openapi.json").read_text()
    command = "python -m cyroid_images openapi > operator/cyroid_images/api/openapi.json"
    assert stored == openapi(), f"run: {command}"


@each_kind
def test_a_crd_stays_well_below_the_bound_of_annotations(kind: CustomKind) -> None:
    assert len(text_of(kind)) < 128 * 1024


@each_kind
def test_every_field_has_a_description(kind: CustomKind) -> None:
    bare = [
        path
        for path, node in _nodes(_schema(kind))
        if path and not path.endswith("[]") and not node.get("description")
    ]
    assert bare == []


@each_kind
def test_everything_that_can_grow_has_a_bound(kind: CustomKind) -> None:
    unbounded = [
        path
        for path, node in _nodes(_schema(kind))
        if (node["type"] == "array" and "maxItems" not in node)
        or (node["type"] == "array" and "x-kubernetes-list-type" not in node)
        or ("additionalProperties" in node and "maxProperties" not in node)
        or (node["type"] == "string" and not _is_bounded(node))
    ]
    assert unbounded == []


@each_kind
def test_no_item_of_a_list_has_a_default(kind: CustomKind) -> None:
    drifting = [path for path, node in _nodes(_schema(kind)) if "[]" in path and "default" in node]
    assert drifting == []


@each_kind
def test_an_object_that_nobody_looked_at_says_so(kind: CustomKind) -> None:
    assert _schema(kind)["properties"]["status"]["default"] == {"observedGeneration": -1}


def _is_bounded(node: Mapping[str, Any]) -> bool:
    return "maxLength" in node or "enum" in node or node.get("format") == "date-time"


def _schema(kind: CustomKind) -> dict[str, Any]:
    (version,) = definition(kind)["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def _nodes(schema: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every node below the schema with its path, such as `.spec.images[].image`."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from _nodes(field, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if key in schema:
            yield from _nodes(schema[key], f"{path}[]")
