"""One collection of our registry's disk: begun or found under way, and followed to its end."""

from __future__ import annotations

import time

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Collect
from cyroid_images.model.collected import Collected
from cyroid_images.registry.collector import CollectorClient
from cyroid_images.scheduling.cancel_scope import CancelScope

POLL_SECONDS = 0.5
AWAY_SECONDS = 60.0
"""A collector that was killed is started again by the kubelet, which takes some seconds."""
MOST_BEGUN = 3
"""One that is killed again and again is too small for this registry."""


def collect(action: Collect, collector: CollectorClient, scope: CancelScope) -> Collected:
    """Follow the collection with this id, which is begun where it is not known.

    One that somebody else began is waited for first. Raises
    TransferError where it failed or the collector stays away.
    """
    begun = 0
    while True:
        last = _answered(collector, scope)
        if _is_ours(last, action) and last.is_over:
            break
        if last.is_over:
            if begun == MOST_BEGUN:
                raise TransferError(
                    Reason.COLLECTION_FAILED,
                    f"the collector lost the collection {begun} times: was it killed? See"
                    " registry.collector.resources of the chart",
                )
            begun += 1
            collector.begin(action, scope)
        scope.wait(POLL_SECONDS)
    if last.error:
        raise TransferError(Reason.COLLECTION_FAILED, f"the collector says: {last.error}")
    return last


def _is_ours(last: Collected, action: Collect) -> bool:
    return last.id == action.id


def _answered(collector: CollectorClient, scope: CancelScope) -> Collected:
    """Its answer, though it may be started again just now."""
    ends = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return collector.last(scope)
        except TransferError as exc:
            if exc.reason is not Reason.REGISTRY_UNREACHABLE or time.monotonic() > ends:
                raise
        scope.wait(POLL_SECONDS)
