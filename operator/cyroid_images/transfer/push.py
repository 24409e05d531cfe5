"""Source engine to registry by the engine's own push: the bytes never pass through us."""

from __future__ import annotations

from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Push
from cyroid_images.model.cancellation import Cancellation
from cyroid_images.model.knowledge import Stored
from cyroid_images.model.reference import Reference
from cyroid_images.model.repository import pin_tag
from cyroid_images.registry.client import Registry
from cyroid_images.transfer.lookup import describe, verify
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.transfer.transport import carrying


def push(action: Push, engine: Engine, registry: Registry, under: Supervision) -> Stored:
    """Push the image by its ID and prove it: manifest and blobs are asked for again.

    The source keeps its image and its tags; the transport name is dropped whatever
    happens. Raises TransferError, SourceChanged when what was pushed is not what was seen.
    """
    transport = Reference(action.to.registry.host.lower(), action.to.repository, action.to.tag)
    with carrying(engine, action.source.id, transport):
        digest = engine.push(
            transport,
            action.to.registry.credentials,
            under.observer,
            limits=under.limits,
            cancellation=under.cancellation,
        )
    fetched = registry.manifest(action.to.repository, digest, under.cancellation)
    if fetched is None:
        raise TransferError(
            Reason.PUSH_NOT_DURABLE,
            f"the registry took {action.wish} as {digest} and does not have it",
        )
    wanted = action.source.content
    stored = describe(registry, action.to.repository, fetched, wanted.platform, under.cancellation)
    if stored is None or not stored.content.is_same(wanted):
        raise TransferError(
            Reason.SOURCE_CHANGED,
            f"{action.wish}: {action.source.source} pushed {digest}, not what was seen there",
        )
    verify(registry, stored, under.cancellation)
    _pin(registry, stored, under.cancellation)
    return stored


def _pin(registry: Registry, stored: Stored, cancellation: Cancellation) -> None:
    """Give the manifest a tag of its own, so that a moved tag never leaves it untagged."""
    manifest = registry.manifest(stored.repository, stored.manifest.digest, cancellation)
    if manifest is not None:
        registry.put_manifest(
            stored.repository,
            pin_tag(stored.manifest.digest),
            manifest.content,
            stored.manifest.media_type,
            cancellation,
        )
