"""The OCI image layout: `index.json` leads by digests to manifests, configs and layers.

Where layers are stored compressed, the manifest is kept byte for byte; where all of them are
uncompressed it is given up, because a better one is made of them. An index may name platforms
that are not in the archive (an engine saves what it has): those are simply not there.
Attestations and artifacts are no images. Sources: OCI image-spec (image-layout.md,
annotations.md); containerd `images/archive`, which names images by annotations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cyroid_images.archive.contents import Contents
from cyroid_images.archive.damage import MOST_IMAGES, MOST_LAYERS, invalid
from cyroid_images.archive.layouts.docker_save import described, names_in
from cyroid_images.errors import TransferError
from cyroid_images.model.archive import ArchiveImage, LayerFile
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    MALFORMED,
    OCI_CONFIG,
    Descriptor,
    Index,
    Manifest,
    read_manifest,
)
from cyroid_images.model.images.reference import Reference

INDEX = "index.json"
MARK = "oci-layout"

_FULL_NAME = "io.containerd.image.name"
_ANY_NAME = "org.opencontainers.image.ref.name"
"""Often a tag alone: a name only where it begins with its host."""
_CONFIGS = (OCI_CONFIG, "application/vnd.docker.container.image.v1+json")
_DEEPEST = 4
"""Indexes within indexes."""


def layout_images(contents: Contents) -> Iterator[ArchiveImage | TransferError]:
    """Each image of the layout, or what is wrong with it; nothing where it is no layout.

    Raises ArchiveInvalid for an `index.json` that is broken.
    """
    document = contents.json(INDEX)
    if document is None:
        return
    try:
        roots = [_root(item) for item in document["manifests"][:MOST_IMAGES]]
    except MALFORMED as exc:
        raise invalid(contents.archive, f"{INDEX} is not an OCI index: {exc!r}") from exc
    named: dict[Descriptor, frozenset[Reference]] = {}  # an image stands once for each name
    for descriptor, names in (root for root in roots if root):
        named[descriptor] = named.get(descriptor, frozenset()) | names
    for descriptor, names in named.items():
        yield from _Reader(contents, names).images(descriptor)


def _root(item: Any) -> tuple[Descriptor, frozenset[Reference]] | None:
    """An entry of `index.json` and its names; None for what is no image."""
    if (item.get("platform") or {}).get("os") == "unknown":
        return None
    notes = item.get("annotations") or {}
    any_name = str(notes.get(_ANY_NAME, ""))
    full = frozenset(
        name for name in names_in([any_name]) if any_name.lower().startswith(f"{name.host}/")
    )
    names = full | names_in([notes[_FULL_NAME]] if _FULL_NAME in notes else [])
    return Descriptor(
        str(item["mediaType"]), Digest.parse(item["digest"]), int(item["size"])
    ), names


class _Reader:
    """Follows one entry of the list down to its images."""

    def __init__(self, contents: Contents, names: frozenset[Reference]) -> None:
        self._contents = contents
        self._names = names

    def images(self, root: Descriptor) -> list[ArchiveImage | TransferError]:
        """Its images, or what is wrong; empty for an artifact."""
        try:
            found = list(self._below(root, ()))
        except TransferError as exc:
            return [exc]
        return found

    def _below(
        self, descriptor: Descriptor, indexes: tuple[Digest, ...]
    ) -> Iterator[ArchiveImage | TransferError]:
        blob = self._blob(descriptor)
        if blob is None and not indexes:
            raise self._invalid(f"{INDEX} names {descriptor.digest}, which is missing")
        if blob is None:
            return  # a platform that was not saved
        parsed = self._parsed(blob, descriptor)
        if isinstance(parsed, Manifest):
            yield from self._image(parsed, blob, indexes)
            return
        if len(indexes) >= _DEEPEST:
            raise self._invalid(f"indexes nested more than {_DEEPEST} deep")
        children = self._children(parsed, (*indexes, descriptor.digest))
        if not indexes and not children:
            raise self._invalid(f"index {descriptor.digest}: the archive has none of its platforms")
        yield from children

    def _children(
        self, index: Index, indexes: tuple[Digest, ...]
    ) -> list[ArchiveImage | TransferError]:
        """One broken child does not hide the others."""
        found: list[ArchiveImage | TransferError] = []
        for entry in index.entries[:MOST_IMAGES]:
            if entry.platform is None:
                continue
            try:
                found += self._below(entry.descriptor, indexes)
            except TransferError as exc:
                found.append(exc)
        return found

    def _image(
        self, manifest: Manifest, raw: bytes, indexes: tuple[Digest, ...]
    ) -> Iterator[ArchiveImage]:
        if manifest.config.media_type not in _CONFIGS:
            return
        config = self._blob(manifest.config)
        if config is None and indexes:
            return  # of a platform that was not saved, the manifest alone may be there
        if config is None:
            raise self._invalid(f"the config {manifest.config.digest} is missing")
        archive = self._contents.archive
        content = described(archive, config, str(manifest.config.digest))
        layers = self._layers(manifest, content.diff_ids)
        aliases = frozenset(indexes)
        if layers and not any(layer.is_compressed for layer in layers):
            content = replace(content, aliases=aliases | {manifest.digest})
            yield ArchiveImage(archive, self._names, content, config, layers)
            return
        content = replace(content, aliases=aliases, manifest=manifest.digest)
        yield ArchiveImage(archive, self._names, content, config, layers, raw)

    def _layers(self, manifest: Manifest, diff_ids: tuple[Digest, ...]) -> tuple[LayerFile, ...]:
        if len(manifest.layers) != len(diff_ids) or len(diff_ids) > MOST_LAYERS:
            raise self._invalid(
                f"{manifest.digest} has {len(manifest.layers)} layers, its config"
                f" {len(diff_ids)} (at most {MOST_LAYERS})"
            )
        pairs = zip(manifest.layers, diff_ids, strict=True)
        return tuple(self._layer(blob, diff_id) for blob, diff_id in pairs)

    def _layer(self, blob: Descriptor, diff_id: Digest) -> LayerFile:
        file = self._contents.find(_path(blob.digest))
        if file is None:
            raise self._invalid(f"the layer {blob.digest} is missing")
        self._check_size(blob, file)
        return LayerFile(diff_id, blob, file)

    def _blob(self, descriptor: Descriptor) -> bytes | None:
        """A document by its digest, proven."""
        path = _path(descriptor.digest)
        if (content := self._contents.document(path)) is None:
            return None
        self._check_size(descriptor, path)
        digest = descriptor.digest
        if hashlib.new(digest.algorithm, content).hexdigest() != digest.hex:
            raise self._invalid(f"{path} does not have its digest")
        return content

    def _check_size(self, descriptor: Descriptor, path: str) -> None:
        file = self._contents.find(path)
        if file is not None and (size := self._contents.sizes[file]) != descriptor.size:
            raise self._invalid(f"{path} has {size} bytes instead of {descriptor.size}")

    def _parsed(self, blob: bytes, descriptor: Descriptor) -> Manifest | Index:
        try:
            return read_manifest(blob, descriptor.media_type)
        except TransferError as exc:
            raise self._invalid(f"{descriptor.digest}: {exc.message}") from exc

    def _invalid(self, why: str) -> TransferError:
        return invalid(self._contents.archive, why)


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"
