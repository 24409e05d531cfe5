"""What a hybrid tar is built from: the blobs of an image in a registry or in an archive.

Both give the same parts, so that whoever loads need not know the origin. Nothing is stored
here: a blob is read when the engine takes it, and is proven by its digest on the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Generator, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from cyroid_images.archive.hybrid import HybridLayer, HybridTar
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.archive import ArchiveImage, LayerFile
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor, Manifest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import HeldByArchive, HeldByCache, HeldByUpstream, Stored
from cyroid_images.registry.client import FetchedManifest, RegistryClient
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope
from cyroid_images.transfer.lookup_upstream import as_source, upstream_registry
from cyroid_images.transfer.supervision import Supervision

Blobs = Generator[tuple[Digest, Iterator[bytes]], None, None]
"""Blobs in the order in which they can be had."""


class ArchiveReader(Protocol):
    """The archive volume, as far as a tar needs it: one pass over an archive's layers."""

    def blobs(
        self,
        image: ArchiveImage,
        wanted: Collection[Digest] | None = None,
        cancellation: CancelScope = NEVER,
    ) -> Iterator[tuple[LayerFile, Iterator[bytes]]]: ...


@dataclass(frozen=True, slots=True)
class TarParts:
    """An image in pieces: the plan of its tar, and how the pieces are had."""

    plan: HybridTar
    read: Callable[[Collection[Descriptor]], Blobs]
    """The bytes of these blobs, for one pass."""
    look_up: Callable[[Digest], Manifest | None]
    """A manifest of the same repository, if it is there: what other images are made of."""


HeldInParts = HeldByCache | HeldByUpstream | HeldByArchive


@contextlib.contextmanager
def taken_apart(
    held: HeldInParts, name: Reference, archives: ArchiveReader, under: Supervision
) -> Iterator[TarParts]:
    """The parts of this image, to be loaded as `name`; good for as long as the `with`."""
    match held:
        case HeldByArchive():
            yield _of_archive(held.image, name, archives, under.cancellation)
        case HeldByUpstream():
            on_request = under.on_requests.registries
            with upstream_registry(held.upstream, on_request=on_request) as upstream, as_source():
                parts = _of_registry(upstream, held.stored, name, under.cancellation)
                # Each manifest asked for there would count against its rate limit.
                yield replace(parts, look_up=lambda _: None)
        case HeldByCache():
            stall, on_request = under.limits.stall_seconds, under.on_requests.registries
            with RegistryClient(
                held.registry, stall_seconds=stall, on_request=on_request
            ) as registry:
                yield _of_registry(registry, held.stored, name, under.cancellation)


def _of_registry(
    registry: RegistryClient, stored: Stored, name: Reference, cancellation: CancelScope
) -> TarParts:
    manifest, repository = stored.manifest, stored.repository
    fetched = registry.manifest(repository, manifest.digest, cancellation)
    if fetched is None:
        raise TransferError(
            Reason.IMAGE_NOT_FOUND,
            f"{repository} at {registry.endpoint.host} no longer has {manifest.digest}",
        )
    config = registry.config(repository, manifest.config, cancellation)
    plan = HybridTar(name, config, _layers(stored), fetched.content)

    def read(blobs: Collection[Descriptor]) -> Blobs:
        for blob in blobs:
            with registry.open_blob(repository, blob, cancellation) as chunks:
                yield blob.digest, chunks

    def look_up(digest: Digest) -> Manifest | None:
        return _one_image(registry.manifest(repository, digest, cancellation))

    return TarParts(plan, read, look_up)


def _layers(stored: Stored) -> tuple[HybridLayer, ...]:
    diff_ids, blobs = stored.content.diff_ids, stored.manifest.layers
    if len(diff_ids) != len(blobs):
        raise TransferError(
            Reason.PROTOCOL_ERROR,
            f"{stored.manifest.digest} has {len(blobs)} layers, its config {len(diff_ids)}",
        )
    return tuple(HybridLayer(*pair) for pair in zip(diff_ids, blobs, strict=True))


def _one_image(found: FetchedManifest | None) -> Manifest | None:
    return found.parsed if found and isinstance(found.parsed, Manifest) else None


def _of_archive(
    image: ArchiveImage, name: Reference, archives: ArchiveReader, cancellation: CancelScope
) -> TarParts:
    layers = tuple(HybridLayer(layer.diff_id, layer.blob) for layer in image.layers)

    def read(blobs: Collection[Descriptor]) -> Blobs:
        wanted = {blob.digest for blob in blobs}
        for layer, chunks in archives.blobs(image, wanted, cancellation):
            yield layer.blob.digest, chunks

    return TarParts(HybridTar(name, image.config, layers, image.manifest), read, lambda _: None)
