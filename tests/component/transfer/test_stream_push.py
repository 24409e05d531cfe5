"""Pushes by stream between real parts: every engine, both compressions, nothing moved twice."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from cyroid_images.model.actions import Push, Slot
from cyroid_images.model.engine import ImageStore
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import repository_of
from cyroid_images.model.kinds.image_cache import Compression
from cyroid_images.model.knowledge import HeldByEngine, Wish
from cyroid_images.model.pushed import How, Pushed
from cyroid_images.model.telemetry.progress import ProgressObserver, ignore
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope
from cyroid_images.transfer import push
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.stream_push import StreamPush
from cyroid_images.transfer.supervision import Supervision
from tests.component.transfer.moving import LIMITS, Moving, image_in
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise

pytestmark = pytest.mark.slow
COMPRESSIONS = pytest.mark.parametrize("compression", list(Compression))
BASE = {"base": noise(200_000, 5) + b"text " * 100_000}


@dataclass
class Streaming:
    """One image of a source, pushed as often as a test likes, with one book of layers."""

    name: str
    source: EnginePart
    registry: RegistryPart
    compression: Compression = Compression.ZSTD
    known: KnownLayers = field(default_factory=KnownLayers)

    def fill(self, *extra: dict[str, bytes], command: str = "/x") -> None:
        # Of its own: a store that pulled it before would take the blob that it has.
        own = BASE | {"of": self.name.encode()}
        self.source.load_image(self.name, (own, *extra), {"Cmd": [command]})

    def action(self) -> Push:
        image, info = image_in(self.source, self.name), self.source.engine.info()
        assert image is not None
        held = HeldByEngine(
            "builder", self.source.endpoint, info, image.id, image.content, image.size
        )
        reference = Reference.parse(self.name)
        repository, tag = repository_of(reference, ()), reference.tag or "latest"
        slot = Slot(self.registry.push_endpoint, repository, tag, self.compression)
        return Push(Wish(reference), held, slot)

    def push(
        self,
        action: Push | None = None,
        cancellation: CancelScope = NEVER,
        observer: ProgressObserver = ignore,
    ) -> Pushed:
        """As the operator does it."""
        under = Supervision(LIMITS, observer, cancellation)
        with RegistryClient(self.registry.push_endpoint) as registry:
            return push.push(
                action or self.action(), self.source.engine, registry, self.known, under
            )

    def stream(self, cancellation: CancelScope = NEVER) -> Pushed:
        """By stream, whatever the store."""
        under = Supervision(LIMITS, ignore, cancellation)
        with RegistryClient(self.registry.push_endpoint) as registry:
            made = StreamPush(self.action(), self.source.engine, registry, self.known, under)
            return made.run("a test wants it so")


@COMPRESSIONS
def test_what_is_streamed_is_what_the_source_had(
    any_engine: EnginePart,
    registry: RegistryPart,
    containerd_engine: EnginePart,
    old_engine: EnginePart,
    compression: Compression,
) -> None:
    name = f"stream.example/{compression.lower()}-{any_engine.port}:1"
    one = Streaming(name, any_engine, registry, compression)
    one.fill({"more": name.encode()})
    action = one.action()
    pushed = one.push(action)
    assert pushed.how is How.STREAM
    stored = pushed.stored
    assert stored.content.diff_ids == action.source.content.diff_ids
    assert all(layer.media_type.endswith(compression.lower()) for layer in stored.manifest.layers)
    assert pushed.sent_bytes == sum(layer.size for layer in stored.manifest.layers)
    if any_engine.engine.info().store is ImageStore.CLASSIC:
        assert stored.content.config == action.source.id
    for target in {containerd_engine, old_engine} - {any_engine}:
        if target is old_engine and compression is Compression.ZSTD:
            continue
        moving = Moving(name, any_engine, registry, target)
        moving.pull(stored)
        arrived = moving.arrived()
        assert arrived is not None
        assert arrived.holds(stored.content)
    again = one.push(action)
    assert again.stored.manifest == stored.manifest
    assert again.sent_bytes == 0
