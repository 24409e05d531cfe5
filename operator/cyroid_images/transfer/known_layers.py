"""What our registries hold, remembered by layer: which blob has this diff ID, and where.

A registry cannot be asked for a diff ID, nor which repositories hold a blob; whoever pushed
or described an image knows both. So this is only a hint: the registry is asked for the blob
(by digest and size, or by a mount) before a layer counts as there. It lives in memory, is
bounded, and is found again by describing stored images.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeVar

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.knowledge import HeldByEngine, Stored
from cyroid_images.model.registry import RegistryEndpoint

MOST_LAYERS = 20_000
"""Diff IDs that are remembered, and as many blobs: about 10 MB of memory when full."""
MOST_PLAIN = 2_000
"""Images of containerd stores that are known to be uncompressed there."""
MOST_PLACES = 4
"""Blobs per diff ID and repositories per blob: one would do, more survive a collection."""

_Item = TypeVar("_Item")
Shelf = OrderedDict[Hashable, tuple[_Item, ...]]


@dataclass(frozen=True, slots=True)
class KnownLayer:
    """A blob that some repository of a registry held when it was last looked at."""

    repository: str
    blob: Descriptor


class KnownLayers:
    """Thread safe; the latest things learned come first, the oldest are forgotten."""

    def __init__(self, *, most: int = MOST_LAYERS) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._layers: Shelf[KnownLayer] = OrderedDict()
        self._repositories: Shelf[str] = OrderedDict()
        self._plain: OrderedDict[Hashable, None] = OrderedDict()

    def learn(self, endpoint: RegistryEndpoint, stored: Stored) -> None:
        """Remember the layers of an image that is in the registry."""
        manifest = stored.manifest
        with self._lock:
            # A manifest whose layers do not answer to the diff IDs one by one teaches nothing.
            if len(manifest.layers) == len(stored.content.diff_ids):
                for diff_id, blob in zip(stored.content.diff_ids, manifest.layers, strict=True):
                    known = KnownLayer(stored.repository, blob)
                    self._put(self._layers, (endpoint.url, diff_id), known)
            for blob in (manifest.config, *manifest.layers):
                self._put(self._repositories, (endpoint.url, blob.digest), stored.repository)

    def of(self, endpoint: RegistryEndpoint, diff_id: Digest) -> tuple[KnownLayer, ...]:
        """The blobs that have this content uncompressed; empty where none is known."""
        with self._lock:
            return self._layers.get((endpoint.url, diff_id), ())

    def repositories_of(self, endpoint: RegistryEndpoint, blob: Digest) -> tuple[str, ...]:
        """Where a blob may be mounted from; empty where nobody knows."""
        with self._lock:
            return self._repositories.get((endpoint.url, blob), ())

    def learn_plain(self, source: HeldByEngine) -> None:
        """Remember that this engine holds this image uncompressed: its own push is of no use."""
        with self._lock:
            self._plain[_in_engine(source)] = None
            while len(self._plain) > MOST_PLAIN:
                self._plain.popitem(last=False)

    def is_plain(self, source: HeldByEngine) -> bool:
        """Is it known to hold the image uncompressed?"""
        with self._lock:
            return _in_engine(source) in self._plain

    def _put(self, shelf: Shelf[_Item], key: Hashable, item: _Item) -> None:
        rest = tuple(other for other in shelf.get(key, ()) if other != item)
        shelf[key] = (item, *rest)[:MOST_PLACES]
        shelf.move_to_end(key)
        while len(shelf) > self._most:
            shelf.popitem(last=False)


def _in_engine(source: HeldByEngine) -> Hashable:
    """The address too: an engine may claim the ID of another one."""
    return source.endpoint.url, source.info.id, source.id
