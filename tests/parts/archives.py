"""Archives for tests, made by hand: each form an image can come in, small."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from cyroid_images.archive import Archives
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.images.digest import Digest
from tests.parts.save_tars import layer_tar, tar_of

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar"


KALI = "127.0.0.1:5000/cyroid/kali-attack:latest"
Pack = Callable[[bytes], bytes]
PACKED: dict[str, Pack] = {"plain": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def layer(text: str) -> bytes:
    """An uncompressed layer, another one for another text."""
    return layer_tar({"file": text.encode()})


def config_of(layers: Sequence[bytes], architecture: str = "amd64") -> bytes:
    """The config of an image of these uncompressed layers."""
    diff_ids = [f"sha256:{sha(content)}" for content in layers]
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    return json.dumps({"os": "linux", "architecture": architecture, "rootfs": rootfs}).encode()


def links_tar(members: Mapping[str, bytes | str]) -> bytes:
    """A tar of these members; a text is a symbolic link to it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            if isinstance(content, str):
                member.type, member.linkname = tarfile.SYMTYPE, content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def saved_list(config: str, layers: Sequence[str], *names: str) -> bytes:
    return json.dumps([{"Config": config, "RepoTags": names or None, "Layers": layers}]).encode()


def old_members(*names: str, layers: Sequence[bytes] = (layer("a"),)) -> dict[str, bytes | str]:
    """What Docker < 25 saves."""
    config, files = config_of(layers), [f"{n:064x}/layer.tar" for n in range(len(layers))]
    hexed = f"{sha(config)}.json"
    members: dict[str, bytes | str] = dict(zip(files, layers, strict=True))
    return members | {hexed: config, "manifest.json": saved_list(hexed, files, *names)}


def old_tar(*names: str, layers: Sequence[bytes] = (layer("a"),)) -> bytes:
    return links_tar(old_members(*names, layers=layers))


@dataclass(frozen=True)
class Layout:
    """An OCI layout: its files, and the manifest of the (first) image."""

    files: dict[str, bytes]
    manifest: bytes

    @property
    def tar(self) -> bytes:
        return tar_of(self.files)


def layout(
    annotations: Mapping[str, str],
    layers: Sequence[bytes] = (layer("a"),),
    *,
    architectures: Sequence[str] = ("amd64",),
    compressed: bool = True,
) -> Layout:
    """A layout with an index over these platforms and an attestation; one image each."""
    files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    stored = [gzip.compress(one, mtime=0) if compressed else one for one in layers]
    kind = f"{LAYER_TYPE}+gzip" if compressed else LAYER_TYPE
    children, manifests = [], []
    for architecture in architectures:
        config = config_of(layers, architecture)
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": _put(files, config, CONFIG_TYPE),
            "layers": [_put(files, blob, kind) for blob in stored],
        }
        manifests.append(json.dumps(document).encode())
        platform = {"os": "linux", "architecture": architecture}
        children.append(_put(files, manifests[-1], MANIFEST_TYPE) | {"platform": platform})
    statement = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _put(files, b"{}", CONFIG_TYPE),
        "layers": [_put(files, b'{"_type": "statement"}', "application/vnd.in-toto+json")],
    }
    attestation = _put(files, json.dumps(statement).encode(), MANIFEST_TYPE)
    unknown = {"os": "unknown", "architecture": "unknown"}
    index = {"schemaVersion": 2, "manifests": [*children, attestation | {"platform": unknown}]}
    root = _put(files, json.dumps(index).encode(), INDEX_TYPE)
    listed = {"schemaVersion": 2, "manifests": [root | {"annotations": dict(annotations)}]}
    files["index.json"] = json.dumps(listed).encode()
    return Layout(files, manifests[0])


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def names(image: ArchiveImage) -> set[str]:
    return {str(name) for name in image.names}


def look(root: Path, content: bytes, name: str = "x.tar") -> ArchiveView:
    """A look at an archive of this content, alone in its volume."""
    (root / name).write_bytes(content)
    return Archives(root).look(name)


def read_layers(root: Path, image: ArchiveImage, *wanted: Digest) -> dict[str, bytes]:
    """The stored bytes of an image's layers by member, in the archive's order."""
    found = Archives(root).blobs(image, wanted or None)
    return {layer.member: b"".join(chunks) for layer, chunks in found}


def _put(files: dict[str, bytes], content: bytes, media_type: str) -> dict[str, Any]:
    files[f"blobs/sha256/{sha(content)}"] = content
    return {"mediaType": media_type, "digest": f"sha256:{sha(content)}", "size": len(content)}
