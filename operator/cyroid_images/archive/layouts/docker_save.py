"""The docker-save layout: `manifest.json` lists images by config, names and layer files.

Two forms, one list: before Docker 25 a layer is `<id>/layer.tar` (an ID that proves nothing,
and a symbolic link where a layer stands twice), since then `blobs/sha256/<diff ID>`. Layers
are uncompressed either way, so the digest of each is the diff ID that the config names at
its position. Only RepoTags give names. Sources: moby `image/tarexport/save.go`, v20.10 to
v28, and archives that engines wrote.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from cyroid_images.archive.contents import Contents
from cyroid_images.archive.damage import MOST_IMAGES, MOST_LAYERS, MOST_NAMES, invalid
from cyroid_images.archive.decoding import is_compressed
from cyroid_images.errors import InvalidReference, TransferError
from cyroid_images.model.archive import OCI_LAYER, ArchiveImage, LayerFile
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent, content_of_config
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.images.reference import Reference

LIST = "manifest.json"

_BY_DIGEST = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
"""Names of files that say the digest of their content."""


@dataclass(frozen=True, slots=True)
class SavedEntry:
    """One image as the list has it."""

    config: str
    names: frozenset[Reference]
    layers: tuple[str, ...]


def saved_entries(contents: Contents) -> tuple[SavedEntry, ...]:
    """The list; empty where there is none, or where `manifest.json` is something else's.

    Raises ArchiveInvalid for a list that is broken.
    """
    document = contents.json(LIST)
    if not isinstance(document, list):
        return ()
    if len(document) > MOST_IMAGES:
        raise invalid(contents.archive, f"{LIST} lists more than {MOST_IMAGES} images")
    return tuple(_entry(item, contents.archive) for item in document)


def saved_config(contents: Contents, entry: SavedEntry) -> tuple[bytes, ImageContent]:
    """The config of a listed image, and what it describes; raises ArchiveInvalid."""
    config = contents.document(entry.config)
    if config is None:
        raise invalid(contents.archive, f"{LIST} lists {entry.config}, which is missing")
    if (told := _BY_DIGEST.fullmatch(entry.config)) and told[1] != Digest.of(config).hex:
        raise invalid(contents.archive, f"the config {entry.config} does not have its digest")
    return config, described(contents.archive, config, entry.config)


def described(archive: str, config: bytes, name: str) -> ImageContent:
    """What an image config says; raises ArchiveInvalid."""
    try:
        return content_of_config(config, manifest=None)
    except TransferError as exc:
        raise invalid(archive, f"{name}: {exc.message}") from exc


def saved_layers(
    contents: Contents, entry: SavedEntry, content: ImageContent
) -> tuple[LayerFile, ...] | None:
    """The layer files; None where they are compressed, so that this list cannot tell more.

    Raises ArchiveInvalid for layers that are missing or are not those of the config.
    """
    if len(entry.layers) != len(content.diff_ids):
        raise invalid(
            contents.archive,
            f"{LIST} lists {len(entry.layers)} layers of {entry.config}, which names"
            f" {len(content.diff_ids)}",
        )
    files = [_file(contents, layer) for layer in entry.layers]
    if any(is_compressed(contents.read(file, 4)) for file in files):
        return None
    pairs = zip(content.diff_ids, files, strict=True)
    return tuple(_layer(contents, diff_id, file) for diff_id, file in pairs)


def saved_image(
    contents: Contents, entry: SavedEntry, config: bytes, layers: tuple[LayerFile, ...]
) -> ArchiveImage:
    """The image that a list and its files make; its manifest is ours to make."""
    content = described(contents.archive, config, entry.config)
    return ArchiveImage(contents.archive, entry.names, content, config, layers)


def names_in(texts: Any) -> frozenset[Reference]:
    """The references among these texts; what is none, nobody can ask for."""
    found: set[Reference] = set()
    for text in (texts or ())[:MOST_NAMES]:
        try:
            found.add(Reference.parse(str(text)))
        except InvalidReference:
            continue
    return frozenset(found)


def _entry(item: Any, archive: str) -> SavedEntry:
    try:
        layers = tuple(str(layer) for layer in item["Layers"] or ())
        entry = SavedEntry(str(item["Config"]), names_in(item.get("RepoTags")), layers)
    except (TypeError, KeyError, AttributeError) as exc:
        raise invalid(archive, f"{LIST} has an invalid entry: {exc!r}") from exc
    if len(layers) > MOST_LAYERS:
        raise invalid(archive, f"{LIST} lists more than {MOST_LAYERS} layers of one image")
    return entry


def _file(contents: Contents, layer: str) -> str:
    if (file := contents.find(layer)) is None:
        raise invalid(contents.archive, f"{LIST} lists the layer {layer}, which is missing")
    return file


def _layer(contents: Contents, diff_id: Digest, file: str) -> LayerFile:
    told = _BY_DIGEST.fullmatch(file)
    if told and told[1] != diff_id.hex:
        raise invalid(contents.archive, f"the layer {file} is not the {diff_id} of its config")
    return LayerFile(diff_id, Descriptor(OCI_LAYER, diff_id, contents.sizes[file]), file)
