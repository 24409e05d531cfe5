"""From the documents of a catalog, a bundle or an old export to a blueprint; pure.

Each program and version nests the list of VMs elsewhere, so it is looked for at every place
that is known. Whatever else stands in a document is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from cyroid_images.blueprints.blueprint import (
    Blueprint,
    BlueprintImage,
    RefusedMachine,
    UnreadableBlueprint,
)
from cyroid_images.blueprints.machines import MachineImage, machine_image

LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a blueprint; the largest of the catalog has some 20 KB."""
LARGEST_YAML = 1024 * 1024
"""Bytes of a YAML document: reading it takes seconds for each megabyte."""
MOST_MACHINES = 4096
"""VMs of one blueprint."""
MOST_ALIASES = 1000
"""Aliases of one YAML document, and keys of one mapping with all that it merges: ten levels of
ten merges would be ten thousand million."""

_PLACES = (
    ("blueprint", "config", "vms"),
    ("blueprint", "vms"),
    ("config", "vms"),
    ("range", "vms"),
    ("vms",),
)
"""Where the list of VMs stands: bundles of version 4 and 3, exports of version 2, the catalog."""


def parsed(content: bytes, called: str) -> Mapping[str, Any]:
    """A JSON or YAML document; raises UnreadableBlueprint."""
    is_json = content.lstrip()[:1] == b"{"
    if len(content) > (LARGEST_DOCUMENT if is_json else LARGEST_YAML):
        raise UnreadableBlueprint(f"{called}: {len(content)} bytes are too many for a blueprint")
    try:
        document = json.loads(content) if is_json else yaml.load(content, _Loader)  # noqa: S506 - a SafeLoader
    except (ValueError, RecursionError, yaml.YAMLError) as exc:
        why = " ".join(str(exc).split())[:200]
        raise UnreadableBlueprint(f"{called}: neither JSON nor YAML: {why}") from exc
    if not isinstance(document, dict):
        raise UnreadableBlueprint(f"{called}: holds no fields, so it is no blueprint")
    return document


def blueprint_of(
    document: Mapping[str, Any], called: str, index: Mapping[str, Any] | None = None
) -> Blueprint:
    """The blueprint that a document holds; `called` names it in messages and where it has no name.

    `index` is what the catalog's `index.json` says of it. Raises UnreadableBlueprint for a
    document without VMs.
    """
    machines = _machines(document, called)
    found = [machine_image(each, number) for number, each in enumerate(machines, 1)]
    images, conflicts = _each_once(found)
    return Blueprint(
        name=_first_text(document, "name") or called,
        version=_first_text(document, "version") or "",
        machines=len(machines),
        images=images,
        refused=tuple(
            RefusedMachine(each.machine, each.wanted, each.why)
            for each in found
            if each.why is not None
        ),
        warnings=(
            *(warning for each in found for warning in each.odd),
            *conflicts,
            *_unused(index or {}, images),
        ),
    )


def project_of(document: Mapping[str, Any], folder: str) -> Blueprint:
    """The blueprint of one VM that a project's `image.yaml` (`tag`, `arch`) stands for."""
    tag, name = document.get("tag"), document.get("name") or folder
    machine = {"name": folder, "base_image_tag": tag, "arch": document.get("arch")}
    machine["base_image_name"] = str(name) if tag in (None, "", "latest") else None
    return blueprint_of({"name": folder, "vms": [machine]}, folder)


def index_entry(index: Mapping[str, Any], folder: str) -> Mapping[str, Any]:
    """What an `index.json` says of the blueprint in this folder; empty where it says nothing."""
    if "requires_images" in index or "requires_base_images" in index:
        return index
    for entries in index.values():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and folder in _ids(entry):
                return entry
    return {}


def _ids(entry: Mapping[str, Any]) -> Iterator[str]:
    for field in ("id", "name", "path", "slug"):
        if isinstance(text := entry.get(field), str):
            yield text.strip("/").rpartition("/")[2]


def _machines(document: Mapping[str, Any], called: str) -> list[Mapping[str, Any]]:
    for place in _PLACES:
        found: Any = document
        for step in place:
            found = found.get(step) if isinstance(found, dict) else None
        if isinstance(found, dict):  # by name
            found = [{"name": name, **each} for name, each in found.items() if _is_machine(each)]
        if isinstance(found, list) and found:
            if len(found) > MOST_MACHINES:
                raise UnreadableBlueprint(f"{called}: more than {MOST_MACHINES} VMs")
            if not all(_is_machine(each) for each in found):
                raise UnreadableBlueprint(f"{called}: its list of VMs holds something else")
            return found
    raise UnreadableBlueprint(
        f"{called}: lists no VMs (`vms`). Known are blueprint.yaml of the catalog, blueprint.json"
        " of a bundle (versions 3 and 4) and range.json (version 2); exports of version 1 hold"
        " templates and name no images"
    )


def _is_machine(value: object) -> bool:
    return isinstance(value, dict)


def _first_text(document: Mapping[str, Any], field: str) -> str | None:
    for holder in (document.get("blueprint"), document.get("range"), document):
        value = holder.get(field) if isinstance(holder, dict) else None
        if isinstance(value, str | int | float) and str(value).strip():
            return str(value).strip()[:200]
    return None


def _each_once(
    found: Iterable[MachineImage],
) -> tuple[tuple[BlueprintImage, ...], tuple[str, ...]]:
    """Each name once, and what cannot be had: an engine holds a name for one platform only."""
    images: dict[object, BlueprintImage] = {}
    conflicts = list[str]()
    for each in found:
        if each.why is not None:
            continue
        new = BlueprintImage(each.wanted, each.platform, (each.machine,))
        known = images.get(new.reference)
        if known is None:
            images[new.reference] = new
            continue
        if new.platform and known.platform and new.platform != known.platform:
            conflicts.append(
                f"{each.machine}: wants {new.image} for {new.platform}, {known.machines[0]} for"
                f" {known.platform}: an engine holds a name once, so {known.platform} is taken"
            )
        images[new.reference] = BlueprintImage(
            known.image, known.platform or new.platform, (*known.machines, each.machine)
        )
    return tuple(images.values()), tuple(conflicts)


def _unused(index: Mapping[str, Any], images: Iterable[BlueprintImage]) -> Iterator[str]:
    """What the index requires and no VM names: by the last part of the name, since entries are
    names of projects as well as references."""
    there = {_short(image.image) for image in images}
    for field in ("requires_images", "requires_base_images"):
        required = index.get(field)
        for each in required if isinstance(required, list) else ():
            if isinstance(each, str) and _short(each) not in there:
                yield f"index.json requires {each[:120]} ({field}), which no VM starts from"


def _short(name: str) -> str:
    return name.partition("@")[0].rpartition("/")[2].partition(":")[0]


class _Loader(yaml.SafeLoader):
    """Refuses documents whose aliases and merges would make far more of them than they are."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(stream)
        self._aliases = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            self._aliases += 1
            if self._aliases > MOST_ALIASES:
                raise yaml.YAMLError(f"more than {MOST_ALIASES} aliases")
        return super().compose_node(parent, index)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > MOST_ALIASES:
            raise yaml.YAMLError(f"a mapping with more than {MOST_ALIASES} keys")
