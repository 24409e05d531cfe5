"""What was seen of archives that have not changed since; bounded, and safe between threads."""

from __future__ import annotations

import threading
from collections import OrderedDict

from cyroid_images.model.archive import ArchiveView

MOST_ARCHIVES = 1024
"""Views remembered; the least recently asked for goes first."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of configs, manifests and layer lists remembered, about."""

_PER_LAYER = 512
"""Bytes that a layer's names and digests take, about."""


class Memory:
    """Views by name, good for as long as the stamp is the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: OrderedDict[str, tuple[tuple[int, ...], ArchiveView]] = OrderedDict()
        self._bytes = 0

    def find(self, name: str, stamp: tuple[int, ...]) -> ArchiveView | None:
        """What was seen under this stamp; None when that is not known."""
        with self._lock:
            remembered = self._views.get(name)
            if remembered is None or remembered[0] != stamp:
                return None
            self._views.move_to_end(name)
            return remembered[1]

    def keep(self, name: str, stamp: tuple[int, ...], view: ArchiveView) -> None:
        """Remember a view in place of what was known of that name."""
        with self._lock:
            self._forget(name)
            self._views[name] = (stamp, view)
            self._bytes += _size(view)
            while len(self._views) > MOST_ARCHIVES or self._bytes > MOST_BYTES:
                self._forget(next(iter(self._views)))

    def _forget(self, name: str) -> None:
        if (remembered := self._views.pop(name, None)) is not None:
            self._bytes -= _size(remembered[1])


def _size(view: ArchiveView) -> int:
    return sum(
        len(image.config) + len(image.manifest or b"") + _PER_LAYER * len(image.layers)
        for image in view.images
    )
