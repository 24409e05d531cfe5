"""One collection: mark, stop the pushes, mark what changed, sweep, let them go on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cyroid_images.collect.gate import Gate
from cyroid_images.collect.manifests import Manifests
from cyroid_images.collect.marking import Marks, Rules, mark
from cyroid_images.collect.sweeping import Sweep, empty, sync, take_away, unneeded
from cyroid_images.collect.tree import Tree
from cyroid_images.errors import CyroidError
from cyroid_images.model.images.digest import Digest

MOST_TOLD = 20
"""Repositories that are told of as kept because something in them is not understood."""

_log = logging.getLogger(__name__)


class CollectionPhase(StrEnum):
    """How far a collection is."""

    MARKING = "marking"
    """It looks for what is needed; pushes go on."""
    STOPPING = "stopping"
    """It waits until no push is under way."""
    SWEEPING = "sweeping"
    """Pushes wait."""
    REMOVING = "removing"
    """Pushes go on; what was moved aside is removed."""
    DONE = "done"
    FAILED = "failed"


class Stopped(CyroidError):
    """The collector itself was told to end."""


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for."""

    id: str
    """Comes back in the answer: whoever asked knows its own again."""
    is_dry_run: bool
    keep: frozenset[Digest] = frozenset()


@dataclass(slots=True)
class Collection:
    """One collection under way or over; read by the server while a thread works on it."""

    order: Order
    started: datetime
    phase: CollectionPhase = CollectionPhase.MARKING
    finished: datetime | None = None
    blobs: int = 0
    manifests: int = 0
    uploads: int = 0
    freed: int = 0
    looked_at: int = 0
    """Repositories that were marked."""
    paused: float = 0.0
    """Seconds for which pushes had to wait."""
    error: str = ""
    kept: list[tuple[str, str]] = field(default_factory=list)
    """Repositories that were kept as they are, and why."""

    def to_document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "id": self.order.id,
            "dry_run": self.order.is_dry_run,
            "phase": str(self.phase),
            "started": self.started.isoformat(),
            "finished": self.finished.isoformat() if self.finished else None,
            "repositories": self.looked_at,
            "blobs": self.blobs,
            "manifests": self.manifests,
            "uploads": self.uploads,
            "freed_bytes": self.freed,
            "paused_seconds": round(self.paused, 3),
            "error": self.error or None,
            "kept": [{"repository": name, "why": why} for name, why in self.kept[:MOST_TOLD]],
            "kept_omitted": max(0, len(self.kept) - MOST_TOLD),
        }


class Collector:
    """One collection at a time, in a thread of its own."""

    def __init__(
        self,
        tree: Tree,
        gate: Gate,
        grace_seconds: float,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._tree = tree
        self._gate = gate
        self._grace = grace_seconds
        self._now = now
        self._thread: threading.Thread | None = None
        self._is_ending = threading.Event()
        self.last: Collection | None = None

    def begin(self, order: Order) -> bool:
        """Begin one; False while another one runs. Called from one thread only."""
        if self._thread is not None and self._thread.is_alive():
            return False
        self.last = Collection(order, datetime.now(UTC))
        self._thread = threading.Thread(
            target=self.carry_out, args=(self.last,), name="collection", daemon=True
        )
        self._thread.start()
        return True

    def end(self, seconds: float) -> None:
        """Have what runs end before its next removal, and let pushes go on."""
        self._is_ending.set()
        if self._thread is not None:
            self._thread.join(seconds)
        self._gate.open()

    def carry_out(self, collection: Collection) -> None:
        """From the beginning to the end; whatever goes wrong is told in it."""
        try:
            self._collect(collection)
            collection.phase = CollectionPhase.DONE
        except (CyroidError, OSError) as exc:
            collection.error, collection.phase = str(exc), CollectionPhase.FAILED
            _log.error("collection failed: %s", exc)
        except Exception as exc:
            collection.error, collection.phase = f"defect: {exc!r:.200}", CollectionPhase.FAILED
            _log.exception("defect in a collection")
        finally:
            collection.finished = datetime.now(UTC)
        _log.info("collection: %s", collection.to_document())

    def _collect(self, collection: Collection) -> None:
        manifests = Manifests(self._tree)
        older_than = self._now() - self._grace
        if not collection.order.is_dry_run:
            empty(self._tree)  # of one that was killed
        found = self._find(collection, manifests, older_than)
        if collection.order.is_dry_run or not (found.links or found.blobs or found.uploads):
            return
        collection.phase = CollectionPhase.STOPPING
        with self._gate.closed(self._step) as step:
            began = time.monotonic()
            try:
                collection.phase = CollectionPhase.SWEEPING
                found = self._find(collection, manifests, older_than)
                take_away(self._tree, found, step)
            finally:
                collection.paused = time.monotonic() - began
        collection.phase = CollectionPhase.REMOVING
        sync(self._tree, found)
        empty(self._tree)

    def _find(self, collection: Collection, manifests: Manifests, older_than: float) -> Sweep:
        rules = Rules(collection.order.keep, older_than)
        marks = mark(self._tree, manifests, rules, self._step)
        found = unneeded(self._tree, marks, older_than)
        collection.blobs, collection.manifests = len(found.blobs), found.manifests
        collection.uploads, collection.freed = len(found.uploads), found.size
        collection.looked_at, collection.kept = len(marks.repositories), _kept(marks)
        return found

    def _step(self) -> None:
        if self._is_ending.is_set():
            raise Stopped("the collector was told to end; what was not removed yet is still there")


def _kept(marks: Marks) -> list[tuple[str, str]]:
    return [(each.name, each.why_kept) for each in marks.repositories if each.why_kept]
