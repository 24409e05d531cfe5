"""What real engines and stand-ins have in common: an engine that images are brought to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.save_tars import SavedImage, saved_image

LIMITS = StreamLimits(stall_seconds=30, first_byte_seconds=60, reply_seconds=60)


class RangeEngine:
    """One engine, asked and filled by our own leaf."""

    def __init__(self, address: str, port: int, *, asked_at: EngineEndpoint | None = None) -> None:
        """`asked_at`: where the leaf asks it, if not at this address without TLS."""
        self.address, self.port = address, port
        self.endpoint = EngineEndpoint(f"tcp://{address}:{port}")
        """Without TLS; an engine with `tls` is asked by an endpoint of the test's own."""
        self.engine = Engine(asked_at or self.endpoint)

    def load_image(
        self,
        name: str,
        layers: Sequence[Mapping[str, bytes]] = ({"hello": b"hello\n"},),
        config: Mapping[str, Any] | None = None,
    ) -> SavedImage:
        """Put a small image in, under this name."""
        image = saved_image(name, layers, config)
        self.load(image.tar)
        return image

    def load(self, tar: bytes) -> None:
        """Load a tar."""
        self.engine.load(iter([tar]), ignore, limits=LIMITS, cancellation=NEVER, length=len(tar))
