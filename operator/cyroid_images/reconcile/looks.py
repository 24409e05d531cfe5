"""Looks at engines, archives and upstreams: one at a time per place, shared by all who ask.

A pass waits PATIENCE_SECONDS. What has not answered by then is "not seen yet";
its answer, when it comes, wakes whoever asked and is used by that next pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.fault import Fault
from cyroid_images.reconcile.pool import Pool

PATIENCE_SECONDS = 2.0
"""An engine that is well answers in milliseconds; a hung one must not hold up a pass."""

LATE_SECONDS = 5.0
"""A late answer that nobody took for so long is no longer what the engine shows."""

NOT_YET = Fault(Reason.PROGRESSING, "the engine has not answered yet")

P = TypeVar("P", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Look(Generic[V]):
    task: asyncio.Task[V | Fault]
    late_for: set[Hashable] = field(default_factory=set)
    ended: float = float("inf")


class Looks(Generic[P, V]):
    """Looks of one kind, by place; used from the event loop, they run in the pool's threads."""

    def __init__(
        self,
        look: Callable[[P], V],
        pool: Pool,
        wake: Callable[[Hashable], None],
        not_yet: Fault = NOT_YET,
    ) -> None:
        self._ask_for = look
        self._pool = pool
        self._wake = wake
        self._not_yet = not_yet
        self._looks: dict[P, _Look[V]] = {}

    async def at(self, owner: Hashable, places: Iterable[P]) -> Mapping[P, V | Fault]:
        """What each place shows; `not_yet` of those that let us wait too long."""
        asked = {place: self._look(place) for place in dict.fromkeys(places)}
        if not asked:
            return {}
        await asyncio.wait([look.task for look in asked.values()], timeout=PATIENCE_SECONDS)
        return {place: self._result(owner, place, look) for place, look in asked.items()}

    def _look(self, place: P) -> _Look[V]:
        look = self._looks.get(place)
        if look is None or _now() > look.ended + LATE_SECONDS:
            look = _Look(asyncio.create_task(self._ask(place)))
            self._looks[place] = look
            look.task.add_done_callback(lambda _: self._ended(place, look))
        return look

    async def _ask(self, place: P) -> V | Fault:
        try:
            return await self._pool.run(lambda: self._ask_for(place))
        except TransferError as exc:
            return Fault.of(exc)

    def _result(self, owner: Hashable, place: P, look: _Look[V]) -> V | Fault:
        if not look.task.done():
            look.late_for.add(owner)
            return self._not_yet
        if self._looks.get(place) is look:  # else a newer one, which others wait for
            del self._looks[place]
        return look.task.result()

    def _ended(self, place: P, look: _Look[V]) -> None:
        """A late answer is kept until somebody who waited for it has taken it."""
        look.ended = _now()
        if not look.late_for and self._looks.get(place) is look:
            del self._looks[place]
        for owner in look.late_for:
            self._wake(owner)


def _now() -> float:
    return asyncio.get_running_loop().time()
