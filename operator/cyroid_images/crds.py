"""The two CustomResourceDefinitions, generated from the models of the kinds.

`python -m cyroid_images.crds [folder]` writes `crds/`. What the models say as pydantic
(bounds, patterns, choices, descriptions, CEL rules) is turned into a structural schema;
nothing is said here about single fields. Source of the form: Kubernetes documentation,
"Extend the Kubernetes API with CustomResourceDefinitions", structural schemas.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cyroid_images.model.kinds.fields import Part
from cyroid_images.model.kinds.image_cache import ImageCacheSpec
from cyroid_images.model.kinds.metadata import LONGEST_NAME
from cyroid_images.model.kinds.range_images import RangeImagesSpec
from cyroid_images.model.kinds.resources import GROUP, VERSION
from cyroid_images.model.kinds.status import ImageCacheStatus, RangeImagesStatus, Status

Schema = dict[str, Any]

_KEPT = (
    "type",
    "format",
    "description",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
    "required",
)
"""What a structural schema and JSON schema have in common and the models use."""

_NAME_RULE = {
    "rule": f"self.metadata.name.size() <= {LONGEST_NAME}",
    "message": f"the name must fit a label value ({LONGEST_NAME} characters)",
}


@dataclass(frozen=True, slots=True)
class CustomKind:
    """One kind: its names, its scope, its models and its columns (name, path)."""

    name: str
    plural: str
    short: str
    scope: str
    about: str
    spec: type[Part]
    status: type[Status]
    columns: tuple[tuple[str, str], ...]
    wide: tuple[tuple[str, str], ...]
    """Columns of `kubectl get -o wide`, before the message."""


def _condition(kind: str, field: str) -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'


_READY = ("Ready", _condition("Ready", "status"))
_IMAGES = ("Images", ".status.summary.images")
_REASON = ("Reason", _condition("Ready", "reason"))

KINDS = (
    CustomKind(
        name="ImageCache",
        plural="imagecaches",
        short="cic",
        scope="Cluster",
        about=(
            "One registry: how the operator pushes to it, how engines name it, where its images"
            " come from, and which it holds in advance."
        ),
        spec=ImageCacheSpec,
        status=ImageCacheStatus,
        columns=(
            _READY,
            _IMAGES,
            ("Registry", _condition("RegistryAvailable", "status")),
            _REASON,
        ),
        wide=(
            ("On-Demand", ".status.onDemand.wanted"),
            ("Missing", ".status.onDemand.missing"),
        ),
    ),
    CustomKind(
        name="RangeImages",
        plural="rangeimages",
        short="rimg",
        scope="Namespaced",
        about="Which images the Docker engines of which pods must hold.",
        spec=RangeImagesSpec,
        status=RangeImagesStatus,
        columns=(
            _READY,
            _IMAGES,
            ("Targets", ".status.summary.targets"),
            ("Fallback", _condition("TarFallback", "status")),
            _REASON,
        ),
        wide=(("Failed", ".status.images.failed"),),
    ),
)
"""Both kinds, in the order of their plural names."""


def main(arguments: list[str]) -> None:
    """Write the CRDs into the folder that is named, or `crds` in the current one."""
    write(Path(arguments[0] if arguments else "crds"))


def write(folder: Path) -> tuple[Path, ...]:
    """Write one file per kind; returns their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / f"{kind.plural}.yaml" for kind in KINDS)
    for kind, path in zip(KINDS, paths, strict=True):
        path.write_text(text_of(kind), encoding="utf-8")
    return paths


def text_of(kind: CustomKind) -> str:
    """The file of one kind, as YAML."""
    head = "# Generated from operator/cyroid_images/model by `python -m cyroid_images.crds`.\n---\n"
    body = yaml.safe_dump(definition(kind), sort_keys=False, width=100, allow_unicode=True)
    return head + body


def definition(kind: CustomKind) -> dict[str, Any]:
    """The CustomResourceDefinition of one kind."""
    singular = kind.name.lower()
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": kind.scope,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": kind.plural,
                "singular": singular,
                "shortNames": [kind.short],
                "categories": ["cyroid"],
            },
            "versions": [_version(kind)],
        },
    }


def _version(kind: CustomKind) -> dict[str, Any]:
    status = structural(kind.status, with_defaults=False)
    # Without it kstatus (Helm --wait, Flux) takes an object nobody has looked at for done.
    status["default"] = {"observedGeneration": -1}
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _columns(kind),
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": kind.about,
                "required": ["spec"],
                "properties": {"spec": structural(kind.spec), "status": status},
                "x-kubernetes-validations": [_NAME_RULE],
            }
        },
    }


def _columns(kind: CustomKind) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = [
        {"name": name, "type": "string", "jsonPath": path} for name, path in kind.columns
    ]
    age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}
    wide: list[dict[str, Any]] = [
        {"name": name, "type": "integer", "jsonPath": path, "priority": 1}
        for name, path in kind.wide
    ]
    message = {"name": "Message", "type": "string", "jsonPath": _condition("Ready", "message")}
    return [*columns, age, *wide, {**message, "priority": 1}]


def structural(model: type[Part], *, with_defaults: bool = True) -> Schema:
    """The structural schema of a model: no references, no titles, no null."""
    schema = model.model_json_schema(by_alias=True)
    return _structural(schema, schema.get("$defs", {}), with_defaults=with_defaults)


def _structural(
    schema: Mapping[str, Any], named: Mapping[str, Any], *, with_defaults: bool
) -> Schema:
    """One node and what is below it."""
    node = _resolved(schema, named)
    made = {key: node[key] for key in _KEPT if key in node}
    if "description" in made:
        made["description"] = " ".join(made["description"].split())
    if made["type"] == "integer":
        made["format"] = "int64"
    if "properties" in node:
        made["properties"] = {
            name: _structural(field, named, with_defaults=with_defaults)
            for name, field in node["properties"].items()
        }
    if with_defaults and (default := _default(node, made)) is not None:
        made["default"] = default
    if "items" in node:
        # No defaults inside lists: GitOps tools show them as drift.
        made["items"] = _structural(node["items"], named, with_defaults=False)
        # The description of a class would repeat what the list already says.
        made["items"].pop("description", None)
    if isinstance(node.get("additionalProperties"), Mapping):
        values = _structural(node["additionalProperties"], named, with_defaults=False)
        made["additionalProperties"] = values
    return made | {key: node[key] for key in node if key.startswith("x-kubernetes-")}


def _resolved(schema: Mapping[str, Any], named: Mapping[str, Any]) -> Schema:
    """The schema itself instead of a reference to it, or of a choice between it and null."""
    node = dict(schema)
    if "anyOf" in node:
        (choice,) = (each for each in node.pop("anyOf") if each != {"type": "null"})
        node = {**choice, **node}
    if "$ref" in node:
        target = dict(named[node.pop("$ref").rpartition("/")[2]])
        rules = [
            *target.get("x-kubernetes-validations", ()),
            *node.get("x-kubernetes-validations", ()),
        ]
        node = {**target, **node, **({"x-kubernetes-validations": rules} if rules else {})}
    return node


def _default(node: Mapping[str, Any], made: Schema) -> Any:
    """The default to write, or None: absence speaks for itself where it means False or empty.

    That of an object holds only what its fields do not default by themselves.
    """
    default = node.get("default")
    if not isinstance(default, Mapping):
        return default or None
    own = {name: value for name, value in default.items() if name in node.get("required", ())}
    has_defaults_below = any("default" in field for field in made.get("properties", {}).values())
    return own if own or has_defaults_below else None


if __name__ == "__main__":
    main(sys.argv[1:])
