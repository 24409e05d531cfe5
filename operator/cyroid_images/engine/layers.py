"""How far a pull or push is: the sum of what each layer has reached, never going back.

Engines start layers late, restart them, count past their end and resume with the rest as
total; so the sizes come from the caller (the manifest) and the stream tells only how far
each layer is. Extraction is a phase, not bytes: the containerd store counts it in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

from cyroid_images.engine.events import Event
from cyroid_images.model.telemetry.progress import Progress

MOST_LAYERS = 1024
"""Layers remembered of one stream; the engines' own limit is 128 (MaxLayers, moby)."""

LARGEST_LAYER = 1 << 50
"""Bytes believed of one layer whose size nobody told us: one pebibyte."""

_MOVING = {"Downloading", "Pushing"}
_COMING = {"Pulling fs layer", "Waiting"}
_WHOLE = {
    "Verifying Checksum",
    "Download complete",
    "Pull complete",
    "Already exists",
    "Pushed",
    "Layer already exists",
}


class LayerProgress:
    """Adds up events; `sizes` maps the twelve digits that a stream calls a layer by to bytes."""

    def __init__(self, sizes: Mapping[str, int] | None = None) -> None:
        self._sizes = dict(sizes or {})
        self._total = sum(self._sizes.values()) if sizes else None
        self._reached: dict[str, int] = {}
        self._seen_totals: dict[str, int] = {}
        self._come: set[str] = set()
        self._missing: set[str] = set()
        self._done = 0

    @property
    def are_whole(self) -> bool:
        """Has every layer that the stream told of come whole? False before the first one."""
        return bool(self._come) and not self._missing

    def take(self, event: Event) -> Progress | None:
        """The new progress if this event moved it, else None."""
        if not event.id or not self._is_counted(event.id):
            return None
        self._note(event)
        reached = self._reached_by(event)
        gain = reached - self._reached.get(event.id, 0)
        if gain <= 0:
            return None
        self._reached[event.id] = reached
        self._done += gain
        return Progress(self._done, self._total)

    def _is_counted(self, layer: str) -> bool:
        if self._total is not None:
            return layer in self._sizes
        known = self._reached.keys() | self._missing | self._come
        return layer in known or len(known) < MOST_LAYERS

    def _note(self, event: Event) -> None:
        """Remember which layers have come and which are still on their way."""
        if event.status in _WHOLE:
            self._come.add(event.id)
            self._missing.discard(event.id)
        elif event.status in _MOVING or event.status in _COMING:
            self._missing.add(event.id)

    def _reached_by(self, event: Event) -> int:
        size = self._sizes.get(event.id)
        if event.status in _WHOLE or event.status.startswith("Mounted from"):
            return size if size is not None else self._seen_totals.get(event.id, 0)
        if event.status not in _MOVING or event.current is None or event.units:
            return 0
        if size is None:
            seen = min(event.total or event.current, LARGEST_LAYER)
            self._seen_totals[event.id] = max(seen, self._seen_totals.get(event.id, 0))
            return min(event.current, LARGEST_LAYER)
        # A classic engine that resumes a layer calls the rest its total.
        before = size - event.total if event.total and event.total < size else 0
        return min(before + event.current, size)
