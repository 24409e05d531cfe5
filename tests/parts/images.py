"""Tiny images made by hand: real tars, real digests, a few hundred bytes each.

The same arguments give the same digests, so two tests that push "the same image" do.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    read_manifest,
)

OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DEFAULT_FILES: tuple[Mapping[str, bytes], ...] = ({"greeting": b"hello\n"}, {"etc/motd": b"hi\n"})

Files = Mapping[str, bytes]
"""A layer as its files: path to content."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer in both forms: the plain tar, and the blob that is stored."""

    tar: bytes = field(repr=False)
    blob: bytes = field(repr=False)
    descriptor: Descriptor

    @property
    def diff_id(self) -> Digest:
        return Digest.of(self.tar)


@dataclass(frozen=True, slots=True)
class TinyImage:
    """One platform's image with all its bytes."""

    layers: tuple[Layer, ...]
    config: bytes
    manifest: bytes

    @property
    def parsed(self) -> Manifest:
        parsed = read_manifest(self.manifest, OCI_MANIFEST)
        assert isinstance(parsed, Manifest)
        return parsed

    @property
    def digest(self) -> Digest:
        """Of the manifest."""
        return Digest.of(self.manifest)


def tiny_image(
    files: Sequence[Files] = DEFAULT_FILES,
    config: Mapping[str, Any] | None = None,
    *,
    architecture: str = "amd64",
    compressed: bool = True,
) -> TinyImage:
    """An image of these layers; `config` is what stands in its config's `config` (Cmd, Env)."""
    layers = tuple(layer_of(content, compressed=compressed) for content in files)
    document = {
        "architecture": architecture,
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": dict(config or {}),
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id) for layer in layers]},
        "history": [{"created_by": f"layer {number}"} for number, _ in enumerate(layers)],
    }
    content = json.dumps(document).encode()
    descriptor = Descriptor(OCI_CONFIG, Digest.of(content), len(content))
    return TinyImage(layers, content, manifest_of(descriptor, [one.descriptor for one in layers]))


def layer_of(files: Files, *, compressed: bool = True) -> Layer:
    """A layer with these files, gzip or plain."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    tar = plain.getvalue()
    blob = gzip.compress(tar, mtime=0) if compressed else tar
    media_type = f"{OCI_LAYER}+gzip" if compressed else OCI_LAYER
    return Layer(tar, blob, Descriptor(media_type, Digest.of(blob), len(blob)))


def manifest_of(config: Descriptor, layers: Sequence[Descriptor]) -> bytes:
    """The bytes of an OCI manifest."""
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _json(config),
            "layers": [_json(layer) for layer in layers],
        }
    ).encode()


def index_of(images: Mapping[str, TinyImage]) -> bytes:
    """The bytes of an OCI index: `os/architecture` to image."""
    entries = []
    for platform, image in images.items():
        os, _, architecture = platform.partition("/")
        child = Descriptor(OCI_MANIFEST, image.digest, len(image.manifest))
        known = {"os": os, "architecture": architecture}
        entries.append({**_json(child), "platform": known})
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return json.dumps(document).encode()


def _json(descriptor: Descriptor) -> dict[str, Any]:
    return {
        "mediaType": descriptor.media_type,
        "digest": str(descriptor.digest),
        "size": descriptor.size,
    }
