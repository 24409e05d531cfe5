"""Source engine to registry: by the engine itself where that is fast, else by a stream of ours.

A containerd store holds layers compressed, so its own push is a pure copy and the bytes never
pass through us. A classic store would gzip them one thread per layer: there our stream is
faster. Where the engine's push does not serve (it cannot reach or does not trust the push
listener, it has layers uncompressed or only part of an index), ours takes over.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from cyroid_images.engine import Engine, UnwantedBlob
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Push
from cyroid_images.model.engine import ImageStore
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import pin_tag
from cyroid_images.model.knowledge import Stored
from cyroid_images.model.pushed import How, Pushed
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer.entry import proven
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.stream_push import StreamPush
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.transfer.transport_names import carrying

_log = logging.getLogger(__name__)

_OURS_MAY_SERVE = frozenset(
    {
        Reason.REGISTRY_NOT_TRUSTED,
        Reason.REGISTRY_UNREACHABLE,
        Reason.REGISTRY_UNREACHABLE_FROM_TARGET,
        Reason.TLS_REJECTED,
        Reason.TIMEOUT,  # packets that are too big for the way between them just vanish
        # A registry that is full: a containerd store tells the status only, ours its words.
        Reason.SERVER_ERROR,
        Reason.BLOB_MISSING,
        Reason.PUSH_FAILED,  # "missing content" of Docker 26, and what nobody knows yet
    }
)
"""Failures between the engine and the registry; the operator goes another way."""

_LACKS_A_CHILD = "missing content"
"""In the words of Docker 26, which pushes a whole index or nothing; 27 pushes what it has."""
_IS_CLASSIC = "the engine has a classic store, which would compress the layers itself"
_IS_COMPRESSED = "the engine holds the layers compressed"
_IS_PLAIN = "the engine holds layers uncompressed"


def push(
    action: Push,
    engine: Engine,
    registry: RegistryClient,
    known: KnownLayers,
    under: Supervision,
) -> Pushed:
    """Push the image by its ID and prove it: manifest and blobs are asked for again.

    The source keeps its image and its tags; no transport name stays, whatever happens.
    Raises TransferError, SourceChanged when what was pushed is not what was seen.
    """
    started = time.monotonic()
    told = f"push of {action.wish} from {action.source.source}"
    _log.info("%s started", told, extra={"step": Milestone.PUSH_STARTED})
    pushed = _pushed(action, engine, registry, known, under)
    known.learn(registry.endpoint, pushed.stored)
    _log.info(
        "%s from %s %s (%s): %s of %d bytes sent by the operator, %.1f s",
        action.wish,
        action.source.source,
        pushed.how,
        pushed.why,
        "none" if pushed.sent_bytes is None else pushed.sent_bytes,
        pushed.stored.manifest.size,
        time.monotonic() - started,
        extra={"step": Milestone.PUSHED},
    )
    return pushed


def _pushed(
    action: Push,
    engine: Engine,
    registry: RegistryClient,
    known: KnownLayers,
    under: Supervision,
) -> Pushed:
    stream = StreamPush(action, engine, registry, known, under)
    if action.source.info.store is ImageStore.CLASSIC:
        return stream.run(_IS_CLASSIC)
    # The engine has sent whole layers by the time its push is stopped: one time is enough.
    if known.is_plain(action.source):
        return stream.run(_IS_PLAIN)
    try:
        stored = _pushed_by_engine(action, engine, registry, under)
    except UnwantedBlob:
        stored = None
    except TransferError as exc:
        under.cancellation.raise_if_cancelled()
        if exc.reason not in _OURS_MAY_SERVE:
            raise
        ours = stream.run(f"the engine's own push failed: {exc.message}")
        return replace(ours, is_partial=_LACKS_A_CHILD in exc.message)
    if stored is None:
        known.learn_plain(action.source)
        return stream.run(_IS_PLAIN)
    whole = {stored.manifest.digest, *stored.content.aliases}
    return Pushed(stored, How.ENGINE, _IS_COMPRESSED, is_partial=action.source.id not in whole)


def _pushed_by_engine(
    action: Push, engine: Engine, registry: RegistryClient, under: Supervision
) -> Stored | None:
    """What the engine itself pushed; None when that has plain layers.

    Raises UnwantedBlob as soon as the engine tells of one.
    """
    transport = Reference(action.to.registry.host.lower(), action.to.repository, action.to.tag)
    wanted = action.source.content
    with carrying(engine, action.source.id, transport):
        digest = engine.push(
            transport,
            action.to.registry.credentials,
            under.observer,
            limits=under.limits,
            cancellation=under.cancellation,
            # A blob that is called as the layer is uncompressed: the layer itself.
            unwanted=frozenset(diff_id.short for diff_id in wanted.diff_ids),
        )
    stored = proven(registry, action.to.repository, digest, wanted, under.cancellation)
    if _is_plain(stored):
        return None
    _pin(registry, stored, under)
    return stored


def _is_plain(stored: Stored) -> bool:
    """Has any layer come uncompressed? The stream of the push may have kept silent about it.

    By digest, as media types are only claims: a blob that is called as the layer is plain.
    """
    return any(layer.digest in stored.content.diff_ids for layer in stored.manifest.layers)


def _pin(registry: RegistryClient, stored: Stored, under: Supervision) -> None:
    """Give the manifest a tag of its own, so that a moved tag never leaves it untagged."""
    digest = stored.manifest.digest
    manifest = registry.manifest(stored.repository, digest, under.cancellation)
    if manifest is not None:
        registry.put_manifest(
            stored.repository,
            pin_tag(digest),
            manifest.content,
            stored.manifest.media_type,
            under.cancellation,
        )
