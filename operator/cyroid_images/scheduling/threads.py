"""Threads of one purpose for blocking calls: bounded, in fair turns, never holding the exit.

Daemon threads of our own instead of an executor's: those hold the exit of the process until
the last call has returned, and a hung engine takes its time.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, TypeVar

from cyroid_images.scheduling.computing import Computing
from cyroid_images.scheduling.fair_turns import FairTurns, Limit

T = TypeVar("T")

_LIMIT = "threads"

MOST_FRESH = 12
"""Calls that have just begun and may be computing. One that takes longer waits for somebody else,
and counts no more: more of them would only wait for each other's turns at the interpreter."""
FRESH_SECONDS = 1.0


class _Call:
    """One blocking call: its outcome goes back into the loop that waits for it."""

    def __init__(self, call: Callable[[], Any], computing: Computing | None) -> None:
        self._call = call
        self._computing = computing
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self.outcome: asyncio.Future[Any] = self._loop.create_future()
        self.began = float("inf")

    def run(self, over: Callable[[_Call], None]) -> None:
        """In the thread."""
        result, error = None, None
        try:
            result = self._context.run(self._in_turn)
        except BaseException as exc:
            error = exc
        try:
            self._loop.call_soon_threadsafe(self._told, result, error, over)
        except RuntimeError:
            return  # the loop has ended: nobody waits any more

    def _in_turn(self) -> Any:
        with self._computing.place() if self._computing else nullcontext():
            return self._call()

    def _told(
        self, result: Any, error: BaseException | None, over: Callable[[_Call], None]
    ) -> None:
        over(self)
        if self.outcome.done():  # whoever waited was cancelled
            return
        if error is not None:
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(result)


class Threads:
    """At most `size` blocking calls at a time, half of them for one party; others wait."""

    def __init__(
        self,
        name: str,
        size: int,
        *,
        share: int | None = None,
        computing: Computing | None = None,
    ) -> None:
        """`share`: how many one party holds at most; absent: half of all. `computing`: where
        given, its places bound how many of the calls compute at the same time."""
        self.name = name
        limit = Limit.halved(size) if share is None else Limit(size, share)
        self._size = size
        self._computing = computing
        self._turns: FairTurns[_Call] = FairTurns(lambda _: limit)
        self._work: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._threads = 0
        self._running: set[_Call] = set()
        self._again: asyncio.TimerHandle | None = None

    async def run(self, call: Callable[[], T], party: str = "") -> T:
        """The result of the call, or its exception; its log lines are about what ours are.

        A call that was begun goes on when its waiter is cancelled, and holds its place.
        """
        waiting = _Call(call, self._computing)
        self._turns.wait(waiting, party, (_LIMIT,))
        self._begin()
        try:
            result: T = await waiting.outcome
        except asyncio.CancelledError:
            if self._turns.is_waiting(waiting):
                self._turns.leave(waiting)
            raise
        return result

    def is_stuck(self, seconds: float) -> bool:
        """Has every thread been busy with the same call for so long?"""
        now = asyncio.get_running_loop().time()
        return sum(now - call.began > seconds for call in self._running) >= self._size

    def close(self) -> None:
        """Let go of the threads; a call under way ends by itself, or with the process."""
        for _ in range(self._threads):
            self._work.put(None)
        self._threads = 0
        if self._again is not None:
            self._again.cancel()

    def _begin(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        fresh = [call.began for call in self._running if now - call.began < FRESH_SECONDS]
        given = self._turns.give(MOST_FRESH - len(fresh))
        if len(fresh) + len(given) >= MOST_FRESH and self._again is None:
            self._again = loop.call_at(min([*fresh, now]) + FRESH_SECONDS, self._on_time)
        for call in given:
            call.began = now
            self._running.add(call)
            if len(self._running) > self._threads:
                self._threads += 1
                name = f"{self.name}-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
            self._work.put(call)

    def _on_time(self) -> None:
        self._again = None
        self._begin()

    def _over(self, call: _Call) -> None:
        self._running.discard(call)
        self._turns.leave(call)
        self._begin()

    def _serve(self) -> None:
        while (call := self._work.get()) is not None:
            call.run(self._over)
