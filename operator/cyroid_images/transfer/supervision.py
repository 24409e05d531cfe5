"""What bounds a transfer: how long it may be silent, who sees progress, who may stop it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cyroid_images.engine import StreamLimits
from cyroid_images.model.telemetry.progress import ProgressObserver
from cyroid_images.model.telemetry.request_observer import RequestObservers
from cyroid_images.scheduling.cancel_scope import CancelScope


@dataclass(frozen=True, slots=True)
class Supervision:
    """Handed to every transfer as one."""

    limits: StreamLimits
    observer: ProgressObserver
    cancellation: CancelScope
    on_requests: RequestObservers = field(default_factory=RequestObservers)
    """For peers that a transfer dials itself."""
