"""What is known of the Secrets: read anew now and then, and good until somebody refuses it.

A Kubernetes API that is slow or away says nothing of a Secret. What was read from it serves
on, however old it is: in the worst case whoever is shown it refuses it, and refusal is the one
thing that shows that it is old. Only the answer that there is no such Secret makes it missing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from cyroid_images.errors import ApiUnavailable

_log = logging.getLogger(__name__)

Data = Mapping[str, bytes] | None
"""The contents of a Secret; None: there is none."""

FRESH_SECONDS = 30.0
"""Secrets are read by name, without a watch: a changed one is seen within this time."""
PATIENCE_SECONDS = 1.0
"""For a Secret whose last value is known and was not refused; the read itself goes on."""
AGAIN_SECONDS = 5.0
"""Between two reads of a Secret that the API server does not give."""
MOST_SECRETS = 1024
"""Names that are remembered: far more than caches can name; the oldest are forgotten."""


@dataclass(slots=True)
class _Known:
    """The last answer; the moments are those at which things began."""

    data: Data
    read: float


class SecretReader:
    """Used from the event loop only; of one Secret one read goes on at a time."""

    def __init__(self, ask: Callable[[str], Awaitable[Data]]) -> None:
        """`ask` raises ApiUnavailable where the API gives no answer."""
        self._ask = ask
        self._known: dict[str, _Known] = {}
        self._refused: dict[str, float] = {}
        self._failed: dict[str, float] = {}
        self._reads: dict[str, asyncio.Task[ApiUnavailable | None]] = {}

    def refused(self, name: str) -> None:
        """What is known was refused: it is read anew before it is used again, if that can be."""
        self._refused[name] = _now()

    async def read(self, name: str) -> Data:
        """The Secret; raises ApiUnavailable only while nothing was ever known of it."""
        known = self._known.get(name)
        if known is not None and not self._is_due(name, known):
            return known.data
        reading = self._reads.get(name) or self._begin(name)
        is_good = known is not None and name not in self._refused
        await asyncio.wait({reading}, timeout=PATIENCE_SECONDS if is_good else None)
        if name in self._known:
            return self._known[name].data
        raise reading.result() or ApiUnavailable(f"Secret {name}: no value known")

    def _is_due(self, name: str, known: _Known) -> bool:
        now = _now()
        if now - self._failed.get(name, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return False
        return name in self._refused or now - known.read >= FRESH_SECONDS

    def _begin(self, name: str) -> asyncio.Task[ApiUnavailable | None]:
        reading = asyncio.create_task(self._go(name), name=f"read Secret {name}")
        self._reads[name] = reading
        reading.add_done_callback(lambda _: self._reads.pop(name, None))
        return reading

    async def _go(self, name: str) -> ApiUnavailable | None:
        """Ask until an answer is no older than the last refusal; None, or why there is none."""
        while True:
            began = _now()
            try:
                data = await self._ask(name)
            except ApiUnavailable as exc:
                self._failed[name] = _now()
                if name in self._known:
                    _log.warning(
                        "cannot read Secret %s: %s; using the last value, will retry", name, exc
                    )
                return exc
            self._failed.pop(name, None)
            self._keep(name, _Known(data, began))
            if self._refused.get(name, began) <= began:
                self._refused.pop(name, None)
                return None

    def _keep(self, name: str, known: _Known) -> None:
        self._known[name] = known
        while len(self._known) > MOST_SECRETS:
            oldest = min(self._known, key=lambda each: self._known[each].read)
            for memory in (self._known, self._refused, self._failed):
                memory.pop(oldest, None)


def _now() -> float:
    return asyncio.get_running_loop().time()
