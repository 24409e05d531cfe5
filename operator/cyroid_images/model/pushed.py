"""What came of bringing an image into our registry: how it went there, and why that way."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cyroid_images.model.knowledge import Stored


class How(StrEnum):
    """The ways of an image from an engine into our registry."""

    ENGINE = "pushed by the engine"
    """The bytes never pass through the operator."""
    STREAM = "streamed by the operator"
    """Saved by the engine, compressed and sent by us."""
    KNOWN = "put together from known layers"
    """Every blob was in the registry already; nothing was read from the source."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """An image that is proven in the registry, and how and why it was pushed that way."""

    stored: Stored
    how: How
    why: str
    """Why it went this way, for people; the engine's own words where it refused."""
    sent_bytes: int | None = None
    """Bytes of layers that the operator sent; None where the engine sent them itself."""
    is_partial: bool = False
    """The engine has not every platform of the index that it knows the image by."""
