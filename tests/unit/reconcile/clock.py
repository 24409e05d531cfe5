"""An event loop whose clock jumps: a time-out passes at once, in the order of the moments.

While any callback or thread result is ready the clock stands; when the loop would wait
for a moment, that moment is now. A thread that is still busy is not waited for then, so
this shows what happens while something hangs.
"""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

BEGIN = 1000.0
"""Seconds on the clock at the start: no machine runs since zero seconds."""


class JumpingSelector(selectors.DefaultSelector):
    """Tells how long it would have waited instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            return super().select(10.0)  # only a thread can go on: wait for it
        ready = super().select(0)
        if not ready:
            self.now += max(timeout, 0.0)
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop on the clock of its selector."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return float(self._jumping.now)

    def pass_time(self, seconds: float) -> None:
        """Let this much time be over."""
        self._jumping.now += seconds


def run(main: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine, on a jumping clock."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(main)


def pass_time(seconds: float) -> None:
    """Let this much time be over on the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.pass_time(seconds)


async def settled(condition: Callable[[], bool], turns: int = 1000) -> None:
    """Let the loop turn until the condition holds; fails after so many turns."""
    for _ in range(turns):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it did not come about")


async def spun(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """The same where threads take part, at most so long in real time; a jumping clock stands."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """The same where threads take part: waits in real time, at most so long."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)
