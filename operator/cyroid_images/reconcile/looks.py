"""Looks at engines: one at a time per engine, shared by all who ask, and never waited for long.

A pass waits PATIENCE_SECONDS. An engine that has not answered by then is "not seen yet";
its answer, when it comes, wakes whoever asked and is used by that next pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.fault import Fault
from cyroid_images.reconcile.pool import Pool
from cyroid_images.reconcile.ports import Engines

PATIENCE_SECONDS = 2.0
"""An engine that is well answers in milliseconds; a hung one must not hold up a pass."""

LATE_SECONDS = 5.0
"""A late answer that nobody took for so long is no longer what the engine shows."""

NOT_YET = Fault(Reason.PROGRESSING, "the engine has not answered yet")

Seen = EngineView | Fault


@dataclass(slots=True)
class _Look:
    task: asyncio.Task[Seen]
    late_for: set[Hashable] = field(default_factory=set)
    ended: float = float("inf")


class Looks:
    """Used from the event loop; the looks themselves run in the pool's threads."""

    def __init__(self, engines: Engines, pool: Pool, wake: Callable[[Hashable], None]) -> None:
        self._engines = engines
        self._pool = pool
        self._wake = wake
        self._looks: dict[EngineEndpoint, _Look] = {}

    async def at(
        self, owner: Hashable, endpoints: Iterable[EngineEndpoint]
    ) -> Mapping[EngineEndpoint, Seen]:
        """What each engine shows; `NOT_YET` of those that let us wait too long."""
        asked = {endpoint: self._look(endpoint) for endpoint in dict.fromkeys(endpoints)}
        if not asked:
            return {}
        await asyncio.wait([look.task for look in asked.values()], timeout=PATIENCE_SECONDS)
        return {endpoint: self._result(owner, endpoint, look) for endpoint, look in asked.items()}

    def _look(self, endpoint: EngineEndpoint) -> _Look:
        look = self._looks.get(endpoint)
        if look is None or _now() > look.ended + LATE_SECONDS:
            look = _Look(asyncio.create_task(self._ask(endpoint)))
            self._looks[endpoint] = look
            look.task.add_done_callback(lambda _: self._ended(endpoint, look))
        return look

    async def _ask(self, endpoint: EngineEndpoint) -> Seen:
        try:
            return await self._pool.run(lambda: self._engines.look(endpoint))
        except TransferError as exc:
            return Fault.of(exc)

    def _result(self, owner: Hashable, endpoint: EngineEndpoint, look: _Look) -> Seen:
        if not look.task.done():
            look.late_for.add(owner)
            return NOT_YET
        if self._looks.get(endpoint) is look:  # else a newer one, which others wait for
            del self._looks[endpoint]
        return look.task.result()

    def _ended(self, endpoint: EngineEndpoint, look: _Look) -> None:
        """A late answer is kept until somebody who waited for it has taken it."""
        look.ended = _now()
        if not look.late_for and self._looks.get(endpoint) is look:
            del self._looks[endpoint]
        for owner in look.late_for:
            self._wake(owner)


def _now() -> float:
    return asyncio.get_running_loop().time()
