"""Archive to registry: plain layers are compressed on their way, compressed ones stay as they are.

Where all layers of an image are stored compressed, its manifest stays too; else the config
stays and the manifest is ours, as in a push by stream.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from cyroid_images.archive import Archives
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy
from cyroid_images.model.archive import ArchiveImage, LayerFile
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.knowledge import HeldByArchive, Stored
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer.entry import Entry, enter
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.layers.meter import Meter
from cyroid_images.transfer.layers.packing import Layer, Packing
from cyroid_images.transfer.supervision import Supervision

_log = logging.getLogger(__name__)


def copy_archive(
    action: Copy,
    archives: Archives,
    registry: RegistryClient,
    known: KnownLayers,
    under: Supervision,
) -> Stored:
    """Bring an image of an archive into the registry and prove it there.

    Only layers that the registry lacks are read. Raises TransferError, ArchiveInvalid for
    bytes that are not what the archive says.
    """
    held = action.source
    if not isinstance(held, HeldByArchive):
        raise TransferError(Reason.PUSH_FAILED, f"{action.wish}: {held.source} is not an archive")
    told = f"copy of {action.wish} from {held.source}"
    _log.info("%s started", told, extra={"step": Milestone.COPY_STARTED})
    registry.ping(under.cancellation)
    image = held.image
    with Packing(registry, action.to, known, under.cancellation) as packing:
        blobs = {layer.diff_id: blob for layer in image.layers if (blob := _there(packing, layer))}
        missing = {layer.member: layer for layer in image.layers if layer.diff_id not in blobs}
        meter = Meter(under.observer, sum(layer.blob.size for layer in missing.values()))
        sent: dict[Digest, Layer] = {}
        wanted = {layer.blob.digest for layer in missing.values()}
        for layer, chunks in archives.blobs(image, wanted, packing.reading) if wanted else ():
            counted = meter.counted(chunks)
            if layer.is_compressed:
                sent[layer.diff_id] = packing.copy(layer.blob, counted)
            else:
                sent[layer.diff_id] = packing.pack(counted)
        packing.wait()
    blobs |= {diff_id: layer.result() for diff_id, layer in sent.items()}
    stored = enter(registry, action.to, _entry(image, blobs), held.content, under.cancellation)
    known.learn(registry.endpoint, stored)
    meter.finish()
    _log.info("%s finished", told, extra={"step": Milestone.COPIED})
    return stored


def _there(packing: Packing, layer: LayerFile) -> Descriptor | None:
    """The layer in the registry: as it is stored here, so that its manifest can stay."""
    if not layer.is_compressed:
        return packing.find(layer.diff_id)
    return layer.blob if packing.has(layer.blob) else None


def _entry(image: ArchiveImage, blobs: Mapping[Digest, Descriptor]) -> Entry:
    layers = tuple(blobs[layer.diff_id] for layer in image.layers)
    as_stored = all(layer.is_compressed for layer in image.layers)
    return Entry(image.config, layers, image.manifest if as_stored else None)
