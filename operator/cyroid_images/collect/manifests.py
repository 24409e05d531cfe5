"""What a manifest refers to, read from its bytes; whatever is not understood is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyroid_images.collect.tree import OddTree, Tree, read_file
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    LARGEST,
    MALFORMED,
    OCI_INDEX,
    OCI_MANIFEST,
)

MOST_REMEMBERED = 50_000
"""Manifests whose references are kept for the second look, some hundred bytes each."""

_MANIFESTS = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
_INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})


@dataclass(frozen=True, slots=True)
class Needs:
    """What one manifest needs besides itself."""

    blobs: tuple[Digest, ...] = ()
    manifests: tuple[Digest, ...] = ()
    subject: Digest | None = None
    """Of a signature and its like: the manifest that it speaks of."""


class Manifests:
    """Reads each manifest once: its digest says its content, so it never changes."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._known: dict[Digest, Needs] = {}

    @property
    def count(self) -> int:
        """How many were read."""
        return len(self._known)

    def needs(self, digest: Digest) -> Needs:
        """Raises FileNotFoundError where it is not stored, OddTree where it is not understood."""
        if digest in self._known:
            return self._known[digest]
        path = self._tree.blob_file(digest)
        try:
            content = read_file(path, LARGEST)
        except FileNotFoundError:
            raise
        except OSError as exc:
            raise OddTree(f"manifest {digest} cannot be read: {exc.strerror}") from exc
        found = _needs(content, digest, path)
        if len(self._known) < MOST_REMEMBERED:
            self._known[digest] = found
        return found


def _needs(content: bytes, digest: Digest, path: Path) -> Needs:
    if not _is(content, digest):
        raise OddTree(f"{path} is damaged: its content has another digest")
    try:
        return _read(json.loads(content))
    except MALFORMED as exc:
        raise OddTree(f"manifest {digest} is not understood: {exc!r:.120}") from exc


def _is(content: bytes, digest: Digest) -> bool:
    """Only sha256 is proven: nobody names manifests otherwise, and such a one is not trusted."""
    return digest.algorithm == "sha256" and Digest.of(content) == digest


def _read(document: dict[str, Any]) -> Needs:
    kind = document.get("mediaType")
    is_index, is_manifest = "manifests" in document, "layers" in document or "config" in document
    if is_index == is_manifest or document["schemaVersion"] != 2:
        raise ValueError("neither a manifest nor an index of version 2")
    if kind is not None and kind not in (_INDEXES if is_index else _MANIFESTS):
        raise ValueError(f"its type {kind!r:.80} is not known")
    subject = document.get("subject")
    about = None if subject is None else Digest.parse(subject["digest"])
    if not is_index:
        parts = [document["config"], *document["layers"]]
        return Needs(blobs=tuple(Digest.parse(each["digest"]) for each in parts), subject=about)
    children = document["manifests"]
    # Some caches of builders list layers in an index: those are blobs, and no manifests.
    inner = [each for each in children if each["mediaType"] in _MANIFESTS | _INDEXES]
    rest = [each for each in children if each["mediaType"] not in _MANIFESTS | _INDEXES]
    return Needs(
        blobs=tuple(Digest.parse(each["digest"]) for each in rest),
        manifests=tuple(Digest.parse(each["digest"]) for each in inner),
        subject=about,
    )
