"""Reads an image as an engine does, with a proof of every byte."""

from __future__ import annotations

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Manifest
from cyroid_images.registry.client import RegistryClient
from tests.parts.registry import RegistryPart


def pull(part: RegistryPart, repository: str, reference: str | Digest) -> int:
    """Read an image whole by the pull listener; the bytes of its blobs."""
    size = 0
    with RegistryClient(part.pull_endpoint) as registry:
        found = registry.manifest(repository, reference)
        assert found is not None, f"{repository}:{reference} is gone"
        assert isinstance(found.parsed, Manifest)
        for each in (found.parsed.config, *found.parsed.layers):
            with registry.open_blob(repository, each) as blob:
                content = b"".join(blob)
            assert Digest.of(content) == each.digest
            size += len(content)
    return size
