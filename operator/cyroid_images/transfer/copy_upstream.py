"""Upstream to registry: every blob as it is, so the image keeps the digest it has upstream.

A blob moves only if neither our repository nor another one of ours has it. Its bytes go
from one connection to the other, a chunk at a time; nothing is stored here. The manifest
comes last, so an image that broke on the way is never there.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Generator

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.images.repository import pin_tag
from cyroid_images.model.knowledge import HeldByUpstream, Stored
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.registry.client import FetchedManifest, RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.layers.meter import Meter
from cyroid_images.transfer.layers.parallel import in_parallel
from cyroid_images.transfer.lookup import verify
from cyroid_images.transfer.lookup_upstream import as_source, refuse_what_cannot_be_copied
from cyroid_images.transfer.supervision import Supervision

_log = logging.getLogger(__name__)

MOST_BLOBS = 6
"""At a time: more gain nothing on one line, and each holds two connections."""
MOST_MOUNTS = 2
"""Repositories that are tried: where two forgot a blob, a third most likely has, too."""


def copy_upstream(
    action: Copy,
    upstream: RegistryClient,
    registry: RegistryClient,
    known: KnownLayers,
    under: Supervision,
) -> Stored:
    """Copy the image and prove it: manifest and blobs are asked for again.

    Raises TransferError: SourceChanged when the upstream has the manifest no more, and
    what stopped the first blob that failed. Whatever it raises, all threads have ended
    and what was begun is taken back; blobs that are whole stay and are found next time.
    """
    source = action.source
    if not isinstance(source, HeldByUpstream):
        raise TypeError(f"{action.wish} is not copied from an upstream")
    told = f"copy of {action.wish} from {source.source}"
    _log.info("%s started", told, extra={"step": Milestone.COPY_STARTED})
    stored = Stored(action.to.repository, source.stored.manifest, source.content)
    refuse_what_cannot_be_copied(stored.manifest, str(action.wish))
    with as_source():
        fetched = upstream.manifest(
            source.stored.repository, stored.manifest.digest, under.cancellation
        )
    if fetched is None:
        raise TransferError(
            Reason.SOURCE_CHANGED,
            f"{action.wish}: {source.upstream.host} no longer has {stored.manifest.digest}",
        )
    carrier = _Carrier(source, upstream, registry, stored.repository, known)
    carrier.carry(under)
    _log.info("%s: layers are in the registry", told, extra={"step": Milestone.LAYERS_SENT})
    _write(registry, action, fetched, under.cancellation)
    verify(registry, stored, under.cancellation)
    known.learn(registry.endpoint, stored)
    _log.info("%s finished", told, extra={"step": Milestone.COPIED})
    return stored


def _write(
    registry: RegistryClient, action: Copy, fetched: FetchedManifest, cancellation: CancelScope
) -> None:
    """The exact bytes, by digest first, then under both tags."""
    for reference in (fetched.digest, action.to.tag, pin_tag(fetched.digest)):
        registry.put_manifest(
            action.to.repository,
            reference,
            fetched.content,
            fetched.parsed.media_type,
            cancellation,
        )


class _Carrier:
    """Brings the blobs of one image into one repository of ours."""

    def __init__(
        self,
        source: HeldByUpstream,
        upstream: RegistryClient,
        registry: RegistryClient,
        repository: str,
        known: KnownLayers,
    ) -> None:
        self._source = source
        self._upstream = upstream
        self._registry = registry
        self._repository = repository
        self._known = known

    def carry(self, under: Supervision) -> None:
        """Every blob once, the largest first, since it decides when the last one ends."""
        manifest = self._source.stored.manifest
        blobs = {blob.digest: blob for blob in (manifest.config, *manifest.layers)}
        largest_first = sorted(blobs.values(), key=lambda blob: blob.size, reverse=True)
        meter = Meter(under.observer, sum(blob.size for blob in largest_first))

        def one(blob: Descriptor, cancellation: CancelScope) -> None:
            sent = 0 if self._is_here(blob, cancellation) else self._send(blob, meter, cancellation)
            meter.add(blob.size - sent)

        in_parallel(one, largest_first, under.cancellation, most=MOST_BLOBS)

    def _is_here(self, blob: Descriptor, cancellation: CancelScope) -> bool:
        """In our repository, or linked to it from another one without moving a byte."""
        places = self._known.repositories_of(self._registry.endpoint, blob.digest)
        others = [place for place in places if place != self._repository]
        if not others:
            return False  # the upload asks for the blob itself
        size = self._registry.blob_size(self._repository, blob.digest, cancellation)
        return size == blob.size or any(
            self._is_mounted(blob, place, cancellation) for place in others[:MOST_MOUNTS]
        )

    def _is_mounted(self, blob: Descriptor, place: str, cancellation: CancelScope) -> bool:
        # Whatever is wrong with it, the upload that follows shows it again.
        with contextlib.suppress(TransferError):
            return self._registry.mount(self._repository, blob.digest, place, cancellation)
        return False

    def _send(self, blob: Descriptor, meter: Meter, cancellation: CancelScope) -> int:
        """Bytes sent; 0 when the repository had the blob."""
        with contextlib.closing(self._bytes(blob, meter, cancellation)) as content:
            return self._registry.upload_blob(self._repository, blob, content, cancellation)

    def _bytes(
        self, blob: Descriptor, meter: Meter, cancellation: CancelScope
    ) -> Generator[bytes, None, None]:
        """Nothing is asked of the upstream before the first chunk is wanted."""
        repository = self._source.stored.repository
        with as_source(), self._upstream.open_blob(repository, blob, cancellation) as chunks:
            for chunk in chunks:
                meter.add(len(chunk))
                yield chunk
