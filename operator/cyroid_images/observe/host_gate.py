"""Leaves an upstream host alone as a whole while it limits us or does not answer."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from dataclasses import dataclass, replace

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.fault import Fault

FIRST_SECONDS = 1.0
CAP_SECONDS = 300.0
MOST_HOSTS = 1024
"""Endpoints that are remembered; the oldest are forgotten."""
_OF_THE_IMAGE = frozenset(
    {Reason.PLATFORM_MISMATCH, Reason.PROTOCOL_ERROR, Reason.UNAUTHORIZED, Reason.IMAGE_NOT_FOUND}
)
"""Tells nothing of the host's other images: Docker Hub denies what it does not have."""


@dataclass(frozen=True, slots=True)
class _Pause:
    fault: Fault
    rounds: int
    """Failures in a row; questions that were on their way at the same time are one."""
    ended: float
    until: float


class HostGate:
    """By endpoint, credentials included: another password is another endpoint. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pauses: dict[Hashable, _Pause] = {}

    def check(self, host: Hashable, now: float) -> None:
        """Raises why the host is left alone, and for how long yet."""
        with self._lock:
            pause = self._pauses.get(host)
        if pause is not None and now < pause.until:
            rest = pause.until - now
            raise TransferError(pause.fault.reason, pause.fault.message, retry_after=rest)

    def failed(self, host: Hashable, fault: Fault, began: float, now: float) -> None:
        """A question that began at that moment failed; what concerns one image does not count."""
        if fault.reason in _OF_THE_IMAGE:
            return
        with self._lock:
            before = self._pauses.pop(host, None)
            if before is not None and began < before.ended:  # of the same round
                self._pauses[host] = replace(before, ended=now)
                return
            rounds = (before.rounds if before else 0) + 1
            pause = fault.retry_after
            if pause is None:
                pause = min(FIRST_SECONDS * 2.0 ** min(rounds - 1, 16), CAP_SECONDS)
            self._pauses[host] = _Pause(fault, rounds, now, now + pause)
            while len(self._pauses) > MOST_HOSTS:
                del self._pauses[next(iter(self._pauses))]

    def succeeded(self, host: Hashable) -> None:
        """It answers."""
        with self._lock:
            self._pauses.pop(host, None)
