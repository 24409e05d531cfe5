"""An image's entry in our registry once its layers are there: config, manifest, tags, proof."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Slot
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent, content_of_config
from cyroid_images.model.images.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor, read_manifest
from cyroid_images.model.images.repository import pin_tag
from cyroid_images.model.knowledge import Stored
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.transfer.lookup import describe, not_durable, telling_what_helps, verify

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be entered: the exact bytes of the config, and the layers as stored."""

    config: bytes = field(repr=False)
    layers: tuple[Descriptor, ...]
    manifest: bytes | None = field(default=None, repr=False)
    """The manifest that already names exactly these; None: one is made."""


def enter(
    registry: RegistryClient,
    to: Slot,
    entry: Entry,
    wanted: ImageContent,
    cancellation: CancelScope,
) -> Stored:
    """Write config, then manifest by digest, tag and pin tag; ask for all of it again.

    The config stays as it is, so the image keeps its ID on classic engines. Raises
    TransferError, SourceChanged when the config is not that of the wanted content.
    """
    manifest = entry.manifest or manifest_of(entry.config, entry.layers)
    digest = Digest.of(manifest)
    if not content_of_config(entry.config, manifest=digest).is_same(wanted):
        raise TransferError(
            Reason.SOURCE_CHANGED,
            f"{to.repository}: the image changed at the source during the transfer",
        )
    said = {"step": Milestone.LAYERS_SENT}
    _log.info("layers of %s@%s are in the registry", to.repository, digest, extra=said)
    kind = read_manifest(manifest, OCI_MANIFEST).media_type
    config = Descriptor(OCI_CONFIG, Digest.of(entry.config), len(entry.config))
    registry.upload_blob(to.repository, config, [entry.config], cancellation)
    for reference in (digest, pin_tag(digest), to.tag):  # who is found by its tag is pinned, too
        registry.put_manifest(to.repository, reference, manifest, kind, cancellation)
    return proven(registry, to.repository, digest, wanted, cancellation)


def proven(
    registry: RegistryClient,
    repository: str,
    digest: Digest,
    wanted: ImageContent,
    cancellation: CancelScope,
) -> Stored:
    """What the registry has under this digest, read back whole.

    Raises PushNotDurable when it has nothing, BlobMissing for lost blobs and SourceChanged
    when it is other content.
    """
    with telling_what_helps():
        fetched = registry.manifest(repository, digest, cancellation)
        if fetched is None:
            raise not_durable(repository, digest)
    stored = describe(registry, repository, fetched, wanted.platform, cancellation)
    if stored is None or not stored.content.is_same(wanted):
        raise TransferError(
            Reason.SOURCE_CHANGED,
            f"{repository}@{digest} is not the image seen at the source",
        )
    verify(registry, stored, cancellation)
    return stored


def manifest_of(config: bytes, layers: Sequence[Descriptor]) -> bytes:
    """The bytes of an OCI manifest, the same for the same parts (image-spec, manifest.md)."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": _json(Descriptor(OCI_CONFIG, Digest.of(config), len(config))),
        "layers": [_json(layer) for layer in layers],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _json(blob: Descriptor) -> dict[str, str | int]:
    return {"mediaType": blob.media_type, "digest": str(blob.digest), "size": blob.size}
