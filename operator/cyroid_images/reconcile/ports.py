"""What the controller asks of the Kubernetes API; wiring fills it in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from cyroid_images.store.keys import Kind


class Lists(Protocol):
    """Whole lists of what the watches tell of."""

    def pages(self, kind: Kind) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Every object of this kind, a page at a time; raises ApiUnavailable."""
        ...
