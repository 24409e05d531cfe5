"""The files of a registry, written by hand: what distribution leaves, and what it never would."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cyroid_images.collect.tree import Tree
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST

OLD = 1_000_000_000.0
"""When everything was written, unless a test says otherwise; seconds since the epoch."""


class HandMadeTree:
    """A data root below a folder; what it writes is old."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.v2 = root / "docker/registry/v2"

    # -- content ----------------------------------------------------------------------

    def blob(self, content: bytes) -> Digest:
        """Store bytes; linked nowhere."""
        digest = Digest.of(content)
        _write(self.blob_file(digest), content)
        return digest

    def layer(self, repository: str, content: bytes) -> Digest:
        """Store bytes and link them as a layer of the repository."""
        digest = self.blob(content)
        self.link(self.folder(repository) / "_layers", digest)
        return digest

    def image(
        self, repository: str, layers: Sequence[bytes], config: bytes = b"{}", **more: Any
    ) -> Digest:
        """Store an image without a tag; the digest of its manifest."""
        stored = [self.layer(repository, each) for each in layers]
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor(OCI_CONFIG, self.layer(repository, config)),
            "layers": [_descriptor("application/x", each) for each in stored],
            **more,
        }
        return self.manifest(repository, document)

    def index(self, repository: str, children: Sequence[Digest], **more: Any) -> Digest:
        """Store an index of these manifests, without a tag."""
        listed = [_descriptor(OCI_MANIFEST, each) for each in children]
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed, **more}
        return self.manifest(repository, document)

    def manifest(self, repository: str, document: Mapping[str, Any] | bytes) -> Digest:
        """Store anything as a manifest of the repository."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        digest = self.blob(content)
        self.link(self.folder(repository) / "_manifests/revisions", digest)
        return digest

    def tag(self, repository: str, tag: str, digest: Digest) -> None:
        """Give a manifest a tag, as a push does: the older one stays in its history."""
        folder = self.folder(repository) / "_manifests/tags" / tag
        _write(folder / "current/link", str(digest).encode())
        self.link(folder / "index", digest)

    def upload(self, repository: str, name: str, content: bytes, at: float = OLD) -> Path:
        """An upload that never ended."""
        folder = self.folder(repository) / "_uploads" / name
        _write(folder / "data", content, at)
        _write(folder / "startedat", b"2020-01-01T00:00:00Z", at)
        os.utime(folder, (at, at))
        return folder

    def link(self, folder: Path, digest: Digest, at: float = OLD) -> None:
        """A link in this folder."""
        path = folder / digest.algorithm / digest.hex / "link"
        _write(path, str(digest).encode(), at)

    # -- what is there ----------------------------------------------------------------

    def folder(self, repository: str) -> Path:
        return self.v2 / "repositories" / repository

    def blob_file(self, digest: Digest) -> Path:
        return Tree(self.root).blob_file(digest)

    def has(self, digest: Digest) -> bool:
        """Is this blob or manifest stored?"""
        return self.blob_file(digest).exists()

    def links_layer(self, repository: str, digest: Digest) -> bool:
        """Would the registry say that it has this layer?"""
        folder = self.folder(repository) / "_layers" / digest.algorithm / digest.hex
        return (folder / "link").exists()

    def has_manifest(self, repository: str, digest: Digest) -> bool:
        """Would the registry give out this manifest?"""
        revisions = self.folder(repository) / "_manifests/revisions"
        path = revisions / digest.algorithm / digest.hex / "link"
        return path.exists() and self.has(digest)

    def lies(self) -> Iterator[str]:
        """Links of layers whose blobs are gone."""
        for path in self.v2.glob("repositories/**/_layers/*/*/link"):
            digest = Digest.parse(path.read_text())
            if not self.has(digest):
                yield f"{path.relative_to(self.v2)}"

    def broken(self, repository: str, tag: str) -> list[str]:
        """What a pull of this tag would miss."""
        folder = self.folder(repository) / "_manifests/tags" / tag
        return [*self._missing(repository, Digest.parse((folder / "current/link").read_text()))]

    def _missing(self, repository: str, digest: Digest) -> Iterator[str]:
        if not self.has_manifest(repository, digest):
            yield f"manifest {digest}"
            return
        document = json.loads(self.blob_file(digest).read_bytes())
        for child in document.get("manifests", ()):
            yield from self._missing(repository, Digest.parse(child["digest"]))
        for each in [*document.get("layers", ()), *filter(None, [document.get("config")])]:
            blob = Digest.parse(each["digest"])
            if not (self.has(blob) and self.links_layer(repository, blob)):
                yield f"blob {blob}"


def _write(path: Path, content: bytes, at: float = OLD) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (at, at))


def _descriptor(media_type: str, digest: Digest) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(digest), "size": 1}
