"""Manifests and indexes as values, read from the exact bytes that a registry serves.

Source of the forms: OCI image-spec (manifest.md, image-index.md) and distribution
"Image Manifest Version 2, Schema 2". Anything else (schema 1, no manifest at all, or one
that claims to be a manifest and an index at once, CVE-2021-41190) is refused with
ProtocolError by `read_manifest`; an artifact without an image config by whoever reads its
config (`content_of_config`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
ACCEPT = f"{OCI_MANIFEST}, {OCI_INDEX}, {DOCKER_MANIFEST}, {DOCKER_LIST}"
"""All four at once, or a registry answers 404 or another digest (distribution #2076)."""

LARGEST = 4 * 1024 * 1024
"""Bytes of a manifest: the bound that registries themselves set (distribution: 4 MiB)."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A pointer to bytes: what they are, their digest and their size in bytes."""

    media_type: str
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """One platform's image: its config and its layers, first layer first."""

    digest: Digest
    media_type: str
    config: Descriptor
    layers: tuple[Descriptor, ...]

    @property
    def size(self) -> int:
        """Bytes of config and layers as stored."""
        return self.config.size + sum(layer.size for layer in self.layers)

    @property
    def has_zstd(self) -> bool:
        return any("zstd" in layer.media_type for layer in self.layers)


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One child of an index; `platform` is None for what is no image (attestations)."""

    descriptor: Descriptor
    platform: Platform | None


@dataclass(frozen=True, slots=True)
class Index:
    """A list of manifests, one per platform."""

    digest: Digest
    media_type: str
    entries: tuple[IndexEntry, ...]

    def choose(self, platform: Platform) -> Descriptor | None:
        """The child for this platform; None when there is none, never another one."""
        matches = [entry.descriptor for entry in self.entries if entry.platform == platform]
        return matches[0] if matches else None


MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,  # JSON nested a thousand times
    InvalidReference,
)
"""What reading a document of unknown shape can raise; a reader makes ProtocolError of it."""


def read_manifest(content: bytes, media_type: str) -> Manifest | Index:
    """Parse the exact bytes of a manifest; its digest is computed from them.

    Raises TransferError(ProtocolError) for what is not a manifest of an image.
    """
    try:
        return _read(content, media_type)
    except MALFORMED as exc:
        raise TransferError(
            Reason.PROTOCOL_ERROR, f"not a manifest of an image ({media_type[:80]}): {exc!r:.120}"
        ) from exc


def _read(content: bytes, media_type: str) -> Manifest | Index:
    document = json.loads(content)
    kind = str(document.get("mediaType") or media_type.partition(";")[0].strip())
    if kind in (OCI_INDEX, DOCKER_LIST) or "manifests" in document:
        if "layers" in document or "config" in document:
            raise ValueError("a manifest and an index at once")
        entries = tuple(_entry(item) for item in document["manifests"])
        return Index(Digest.of(content), kind, entries)
    layers = tuple(_descriptor(item) for item in document["layers"])
    return Manifest(Digest.of(content), kind, _descriptor(document["config"]), layers)


def _descriptor(item: dict[str, Any]) -> Descriptor:
    size = int(item["size"])
    if size < 0:
        raise ValueError("a negative size")
    return Descriptor(str(item["mediaType"]), Digest.parse(item["digest"]), size)


def _entry(item: dict[str, Any]) -> IndexEntry:
    platform = item.get("platform") or {}
    if platform.get("os", "unknown") == "unknown":
        return IndexEntry(_descriptor(item), None)
    return IndexEntry(
        _descriptor(item),
        Platform.of(platform["os"], platform["architecture"], platform.get("variant", "")),
    )
