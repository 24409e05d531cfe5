"""What carries out a transfer; wiring fills it in. Blocking: it runs in threads."""

from __future__ import annotations

from typing import Protocol

from cyroid_images.model.actions import Collect, Copy, Load, Pull, Push, Remove, Untag
from cyroid_images.model.collected import Collected
from cyroid_images.model.engine import FoundImages
from cyroid_images.model.knowledge import Stored
from cyroid_images.model.pushed import Pushed
from cyroid_images.model.removal import Removed
from cyroid_images.model.telemetry.progress import ProgressObserver
from cyroid_images.scheduling.cancel_scope import CancelScope


class Movers(Protocol):
    """Moves images; each ends in a proof, or raises TransferError or Cancelled."""

    def push(
        self, action: Push, cancellation: CancelScope, observer: ProgressObserver
    ) -> Pushed: ...

    def copy(
        self, action: Copy, cancellation: CancelScope, observer: ProgressObserver
    ) -> Stored: ...

    def pull(
        self,
        action: Pull,
        stall_seconds: float,
        cancellation: CancelScope,
        observer: ProgressObserver,
    ) -> FoundImages:
        """Returns what the engine has now under each name that this transfer touched."""
        ...

    def load(
        self,
        action: Load,
        stall_seconds: float,
        cancellation: CancelScope,
        observer: ProgressObserver,
    ) -> FoundImages:
        """As `pull`."""
        ...

    def remove(self, action: Remove, cancellation: CancelScope) -> Removed: ...

    def untag(self, action: Untag, cancellation: CancelScope) -> None: ...

    def collect(self, action: Collect, cancellation: CancelScope) -> Collected:
        """Follow one collection to its end; what was begun goes on when it is cancelled."""
        ...
