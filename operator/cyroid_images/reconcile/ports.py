"""What the controller asks of the Kubernetes API; wiring fills it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from cyroid_images.store.keys import Kind


class Lists(Protocol):
    """Whole lists of what the watches tell of."""

    async def list(self, kind: Kind) -> list[Mapping[str, Any]]:
        """Every object of this kind; raises ApiUnavailable."""
        ...
