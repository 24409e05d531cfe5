"""Source engine to registry by a stream of ours: `save` in, compressed layers out, at once.

For classic engines it is the fast way (their own push gzips with one thread per layer at
28 MB/s), for all others what remains when they cannot push themselves. Layers that the
registry is known to have are only hashed; Docker < 25 does not name a layer's diff ID
before its bytes, so from there each layer is compressed and sent, unless all are known.
The source image is asked for by ID: a tag that moves changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from cyroid_images.archive.saved import PassingLayer, SavedImage, SaveStream
from cyroid_images.archive.tar import members
from cyroid_images.engine import Engine
from cyroid_images.model.actions import Push
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.pushed import How, Pushed
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer.entry import Entry, enter
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.layers.meter import Meter
from cyroid_images.transfer.layers.packing import Layer, Packing
from cyroid_images.transfer.layers.pipe import batched
from cyroid_images.transfer.supervision import Supervision

There = Mapping[Digest, Descriptor]
"""By diff ID: the layers that the repository has already."""


class StreamPush:
    """Streams one image; made for one call of `run`."""

    def __init__(
        self,
        action: Push,
        engine: Engine,
        registry: RegistryClient,
        known: KnownLayers,
        under: Supervision,
    ) -> None:
        self._action = action
        self._engine = engine
        self._registry = registry
        self._known = known
        self._under = under
        self._meter = Meter(under.observer, action.source.size)

    def run(self, why: str) -> Pushed:
        """Stream the image into the registry and prove it there.

        Raises TransferError with the reason of whichever side failed first; SourceChanged
        when the engine saved another image than was seen.
        """
        # Before the engine stages gigabytes on its disk: is there anybody to send them to?
        self._registry.ping(self._under.cancellation)
        content = self._action.source.content
        to, cancellation = self._action.to, self._under.cancellation
        with Packing(self._registry, to, self._known, cancellation) as packing:
            there = _found(packing, content.diff_ids)
            entry = self._known_whole(packing, there)
            how = How.KNOWN if entry else How.STREAM
            entry = entry or self._streamed(packing, there)
        stored = enter(self._registry, to, entry, content, cancellation)
        self._meter.finish()
        return Pushed(stored, how, why, packing.sent_bytes)

    def _known_whole(self, packing: Packing, there: There) -> Entry | None:
        """The entry without a byte from the source: all its blobs are in the registry."""
        content = self._action.source.content
        if content.config is None or any(diff_id not in there for diff_id in content.diff_ids):
            return None
        config = packing.config(content.config)
        layers = tuple(there[diff_id] for diff_id in content.diff_ids)
        return Entry(config, layers) if config else None

    def _streamed(self, packing: Packing, there: There) -> Entry:
        source, limits = self._action.source, self._under.limits
        layers: dict[str, Layer] = {}
        with self._engine.save(source.id, limits=limits, cancellation=packing.reading) as tar:
            save = SaveStream(members(batched(tar)), source.content.diff_ids)
            for layer in save.layers():
                layers[layer.member] = self._placed(packing, there, layer)
        image = save.image()
        packing.wait()
        return _entry(image, {member: layer.result() for member, layer in layers.items()})

    def _placed(self, packing: Packing, there: There, layer: PassingLayer) -> Layer:
        """Send a layer, unless the registry has it: then its bytes are only hashed."""
        chunks = self._meter.counted(layer.chunks)
        if layer.is_compressed and layer.digest:
            blob = Descriptor(layer.media_type, layer.digest, layer.size)
            return packing.hashed(blob, chunks) if packing.has(blob) else packing.copy(blob, chunks)
        here = there.get(layer.digest) if layer.digest else None
        return packing.hashed(here, chunks) if here else packing.pack(chunks)


def _found(packing: Packing, diff_ids: tuple[Digest, ...]) -> There:
    found = ((diff_id, packing.find(diff_id)) for diff_id in dict.fromkeys(diff_ids))
    return {diff_id: blob for diff_id, blob in found if blob}


def _entry(image: SavedImage, blobs: Mapping[str, Descriptor]) -> Entry:
    """The manifest stays where every layer is stored as it was in the engine."""
    layers = tuple(blobs[member] for member in image.layers)
    return Entry(image.config, layers, image.manifest if image.is_compressed else None)
