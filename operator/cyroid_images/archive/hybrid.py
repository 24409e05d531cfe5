"""The tar that an engine of either store loads, built from the blobs of any origin.

It carries both lists: a classic engine reads `manifest.json`, the containerd store prefers
the OCI layout, and both find the same blobs. The lists come last, after every blob is
proven, and the exact length is known before the first byte: so a tar that is cut short or
holds a wrong blob is a hard error at the engine. That matters because the containerd store
takes blobs without comparing name and bytes. Where blobs come from is the caller's affair.
Source of the forms: OCI image-spec (image-layout.md) and moby (`image/tarexport`).
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    read_manifest,
)
from cyroid_images.model.images.reference import Reference

_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class HybridLayer:
    """One layer of the image; `is_left_out` where the engine has it already."""

    diff_id: Digest
    blob: Descriptor
    is_left_out: bool = False


@dataclass(frozen=True, slots=True)
class HybridTar:
    """What the tar holds, complete but for the bytes of the layers."""

    name: Reference
    """What the engine calls the image once it is loaded."""
    config: bytes = field(repr=False)
    layers: tuple[HybridLayer, ...]
    """In the order of the image, first layer first."""
    stored_manifest: bytes | None = field(default=None, repr=False)
    """The manifest of these very blobs; None: an OCI manifest is made (new digest)."""

    @property
    def manifest(self) -> bytes:
        """The manifest that the tar holds; made the same for the same image."""
        return self.stored_manifest or oci_manifest(
            Descriptor(OCI_CONFIG, Digest.of(self.config), len(self.config)),
            tuple(layer.blob for layer in self.layers),
        )

    @property
    def blobs(self) -> dict[Digest, Descriptor]:
        """What must be brought: each blob once, in the order of the layers."""
        return {layer.blob.digest: layer.blob for layer in self.layers if not layer.is_left_out}

    @property
    def length(self) -> int:
        """Bytes of the whole tar: the Content-Length."""
        carried = ((_path(blob.digest), blob.size) for blob in self.blobs.values())
        listed = ((name, len(content)) for name, content in self.lists())
        sizes = (len(_header(name, size)) + _padded(size) for name, size in (*carried, *listed))
        return sum(sizes) + len(_END)

    def lists(self) -> Iterator[tuple[str, bytes]]:
        """What stands after the layers: by these records the engine takes the image."""
        manifest = self.manifest
        parsed = _parsed(manifest)
        described = Descriptor(parsed.media_type, parsed.digest, len(manifest))
        yield _path(parsed.config.digest), self.config
        yield _path(parsed.digest), manifest
        yield "oci-layout", _json({"imageLayoutVersion": "1.0.0"})
        yield "index.json", _json(_index(described, self.name))
        yield "manifest.json", _json([self._docker_entry(parsed)])

    def _docker_entry(self, manifest: Manifest) -> dict[str, Any]:
        return {
            "Config": _path(manifest.config.digest),
            "RepoTags": [_full(self.name)],
            "Layers": [_path(layer.blob.digest) for layer in self.layers],
        }


def hybrid(plan: HybridTar, blobs: Iterable[tuple[Digest, Iterable[bytes]]]) -> Iterator[bytes]:
    """The bytes of the tar; `blobs` may come in any order, what is not needed is skipped.

    Raises TransferError before a list is written: DigestMismatch for other bytes than the
    digest says, BlobMissing for a blob that is too short or does not come.
    """
    awaited = plan.blobs
    coming = iter(blobs)
    while awaited and (arrived := next(coming, None)):
        digest, chunks = arrived
        if blob := awaited.pop(digest, None):
            yield _header(_path(digest), blob.size)
            yield from _proven(chunks, blob)
            if padding := -blob.size % tarfile.BLOCKSIZE:
                yield bytes(padding)
    for digest in awaited:
        why = f"blob {digest} of {plan.name} is missing from the input"
        raise TransferError(Reason.BLOB_MISSING, why)
    for name, content in plan.lists():
        yield _header(name, len(content)) + content.ljust(_padded(len(content)), b"\0")
    yield _END


def oci_manifest(config: Descriptor, layers: tuple[Descriptor, ...]) -> bytes:
    """The bytes of an OCI manifest, the same for the same blobs."""
    return _json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _described(config),
            "layers": [_described(layer) for layer in layers],
        }
    )


def _proven(chunks: Iterable[bytes], blob: Descriptor) -> Iterator[bytes]:
    """The same bytes; raises TransferError at their end when they are not the blob."""
    hashing, seen = hashlib.new(blob.digest.algorithm), 0
    for chunk in chunks:
        seen += len(chunk)
        if seen > blob.size:
            break
        hashing.update(chunk)
        yield chunk
    if seen < blob.size:
        said = f"blob {blob.digest}: received {seen} of {blob.size} bytes"
        raise TransferError(Reason.BLOB_MISSING, said)
    if seen > blob.size or hashing.hexdigest() != blob.digest.hex:
        said = f"blob {blob.digest}: content does not match the digest"
        raise TransferError(Reason.DIGEST_MISMATCH, said)


def _parsed(manifest: bytes) -> Manifest:
    parsed = read_manifest(manifest, OCI_MANIFEST)
    if not isinstance(parsed, Manifest):
        raise TransferError(Reason.PROTOCOL_ERROR, f"{parsed.digest} is an index, not one image")
    return parsed


def _index(manifest: Descriptor, name: Reference) -> dict[str, Any]:
    """containerd takes the name from the first annotation; other readers from the second."""
    annotations = {
        "io.containerd.image.name": _full(name),
        "org.opencontainers.image.ref.name": name.tag or "latest",
    }
    entry = {**_described(manifest), "annotations": annotations}
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}


def _described(blob: Descriptor) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": str(blob.digest), "size": blob.size}


def _full(name: Reference) -> str:
    return f"{name.name}:{name.tag or 'latest'}"


def _path(digest: Digest) -> str:
    return f"blobs/{digest.algorithm}/{digest.hex}"


def _header(name: str, size: int) -> bytes:
    """A GNU header: sizes over 8 GiB and names over 100 bytes (sha512) have a form in it."""
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


def _padded(size: int) -> int:
    return size + -size % tarfile.BLOCKSIZE


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
