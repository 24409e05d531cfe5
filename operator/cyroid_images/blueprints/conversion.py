"""A blueprint as objects of our two kinds, the same text for the same blueprint.

The RangeImages says which engines get the images; the ImageCache is a fragment (only what the
blueprint adds), which a server-side apply joins with what the cache lists already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from cyroid_images.blueprints.blueprint import Blueprint, BlueprintImage, UnreadableBlueprint
from cyroid_images.errors import InvalidSpec
from cyroid_images.model.kinds.metadata import LONGEST_NAME
from cyroid_images.model.kinds.range_images import RangeImagesSpec
from cyroid_images.overview.ranges import EVENT_LABEL

API_VERSION = "cyroid.io/v1alpha1"
RANGE_LABEL = "cyroid.io/range-id"
"""Label of the pods of one range."""
BUNDLES = "bundles"
"""Folder of the archive volume that bundles are put into, and the name of its source."""
MOST_LISTED = 128
"""Images that either kind lists."""

_LABEL_VALUE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", re.ASCII)
_FRAGMENT = (
    "# Only what the blueprint adds to this ImageCache. It is joined with the rest by\n"
    "#   kubectl apply --server-side --field-manager={manager} -f FILE\n"
    "# As any other manager, who made the cache would take back what is not listed here.\n"
)

KindDocument = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """What a blueprint does not say."""

    range_id: str | None = None
    """Value of the label `cyroid.io/range-id` of the range's pods; None: the object's name."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of the pods instead."""
    name: str | None = None
    """Name of the RangeImages; None: made of the blueprint's."""
    namespace: str | None = None
    """None: that of whoever applies it."""
    event: str | None = None
    """Event that the range belongs to."""
    cache: str | None = None
    """Write a fragment for this ImageCache, too; None: the range uses `default` as it is."""


def documents(
    blueprint: Blueprint, options: ConversionOptions, *, has_bundle: bool = False
) -> tuple[KindDocument, ...]:
    """The objects; raises UnreadableBlueprint where nothing is left, InvalidSpec for an option."""
    if not blueprint.images:
        raise UnreadableBlueprint(
            f"{blueprint.name}: none of its {blueprint.machines} VMs starts from an image that can"
            " be delivered"
        )
    if len(blueprint.images) > MOST_LISTED:
        raise UnreadableBlueprint(
            f"{blueprint.name}: {len(blueprint.images)} images, but a RangeImages lists"
            f" {MOST_LISTED} at most: split it over two"
        )
    ranges = _range_images(blueprint, options)
    RangeImagesSpec.read(ranges["spec"], at="spec")
    if options.cache is None:
        return (ranges,)
    return (_image_cache(blueprint.images, options.cache, has_bundle=has_bundle), ranges)


def as_yaml(written: Sequence[KindDocument]) -> str:
    """As a person applies it, with a word on how a fragment is applied."""
    return "---\n".join(_texts(written))


def object_name(text: str) -> str:
    """The nearest that Kubernetes takes for the name of an object."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return plain[:LONGEST_NAME].strip("-") or "blueprint"


def _texts(written: Sequence[KindDocument]) -> Iterator[str]:
    manager = next(
        (each["metadata"]["name"] for each in written if each["kind"] == "RangeImages"), "blueprint"
    )
    for each in written:
        text = yaml.safe_dump(dict(each), sort_keys=False, allow_unicode=False, width=1000)
        yield f"{_FRAGMENT.format(manager=manager)}{text}" if each["kind"] == "ImageCache" else text


def _range_images(blueprint: Blueprint, options: ConversionOptions) -> KindDocument:
    name = object_name(blueprint.name) if options.name is None else options.name
    labels = dict(options.labels) or {RANGE_LABEL: options.range_id or name}
    for key, value in labels.items():
        _check_label(key, value)
    metadata: dict[str, Any] = {"name": name}
    if options.namespace is not None:
        metadata["namespace"] = options.namespace
    if options.event is not None:
        _check_label(EVENT_LABEL, options.event)
        metadata["labels"] = {EVENT_LABEL: options.event}
    spec: dict[str, Any] = {"targets": {"selector": {"matchLabels": labels}}}
    if options.cache is not None:
        spec["imageCacheRef"] = {"name": options.cache}
    spec["images"] = _wishes(blueprint.images)
    return {"apiVersion": API_VERSION, "kind": "RangeImages", "metadata": metadata, "spec": spec}


def _image_cache(images: Sequence[BlueprintImage], name: str, *, has_bundle: bool) -> KindDocument:
    spec: dict[str, Any] = {}
    if has_bundle:
        spec["sources"] = [{"name": BUNDLES, "archive": {"path": BUNDLES}}]
    spec["images"] = _wishes(images)
    return {
        "apiVersion": API_VERSION,
        "kind": "ImageCache",
        "metadata": {"name": name},
        "spec": spec,
    }


def _wishes(images: Sequence[BlueprintImage]) -> list[dict[str, str]]:
    return [
        {"image": each.image, **({"platform": str(each.platform)} if each.platform else {})}
        for each in images
    ]


def _check_label(key: str, value: str) -> None:
    if not _LABEL_VALUE.fullmatch(value):
        raise InvalidSpec(
            key,
            "the value of a label has 1 to 63 of A-Z a-z 0-9 - _ . and begins and ends with a"
            " letter or digit",
        )
