"""Answers that are asked for once and kept for seconds, whoever wants them meanwhile."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """By key: one question at a time, its answer for `seconds`, the latest `most` of them.

    A failure is told to all who wait for it and kept for nobody.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """What is remembered, else what `ask` says; it goes on when its first waiter leaves."""
        now = asyncio.get_running_loop().time()
        found = self._kept.get(key)
        if found is not None and found[0] > now:
            return found[1]
        task = self._asked.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key, ask))
            self._asked[key] = task
            task.add_done_callback(lambda done: self._over(key, done))
        return await asyncio.shield(task)

    def forget(self, key: K) -> None:
        """Ask again when it is wanted next."""
        self._kept.pop(key, None)

    def keep(self, key: K, answer: V) -> None:
        """Remember what was learned otherwise."""
        self._kept[key] = (asyncio.get_running_loop().time() + self._seconds, answer)
        self._kept.move_to_end(key)
        self._drop_old()

    def __contains__(self, key: K) -> bool:
        found = self._kept.get(key)
        return found is not None and found[0] > asyncio.get_running_loop().time()

    def __len__(self) -> int:
        return len(self._kept)

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        answer = await ask()
        self.keep(key, answer)
        return answer

    def _drop_old(self) -> None:
        """What is over takes no memory: an answer may be megabytes."""
        now = asyncio.get_running_loop().time()
        while self._kept and (
            len(self._kept) > self._most or next(iter(self._kept.values()))[0] <= now
        ):
            self._kept.popitem(last=False)

    def _over(self, key: K, task: asyncio.Task[V]) -> None:
        del self._asked[key]
        if not task.cancelled():
            task.exception()  # told to whoever waited; nobody else is to hear of it
