"""An event loop on which hours pass at once, and wait for every thread that is really at work.

The clock moves only when nothing can go on without it: no callback is ready and no thread is
busy, but those that a test lets hang. So what a scenario shows does not depend on how fast the
machine is.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from cyroid_images.scheduling.threads import Threads
from tests.unit.plan.examples import NOW
from tests.unit.reconcile.fakes import FakeClock

T = TypeVar("T")

BEGIN = 1000.0
"""Seconds on the clock at the start: no machine runs since zero seconds."""
TICK_SECONDS = 1e-6
GUARD_SECONDS = 60.0
"""No thread hangs longer than that in real time, whatever a test forgets."""


class VirtualSelector(selectors.DefaultSelector):
    """Lets time pass instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = BEGIN
        self.turns = 0
        self.is_busy: Callable[[], bool] = lambda: False

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        self.now += TICK_SECONDS  # no two moments are one, as on a real clock
        if timeout is not None and timeout <= 0:
            return super().select(0)
        if timeout is None or self.is_busy():
            return super().select(0.01)
        ready = super().select(0)
        if not ready:
            self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on the clock of its selector."""

    def __init__(self) -> None:
        self.virtual = VirtualSelector()
        super().__init__(self.virtual)

    def time(self) -> float:
        return float(self.virtual.now)


def virtual() -> VirtualLoop:
    """The running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def run(main: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine, on a virtual clock."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


async def comes(condition: Callable[[], bool], seconds: float = 600.0) -> float:
    """Let time pass until the condition holds; the seconds that it took, or a failure."""
    loop = virtual()
    began = loop.time()
    while not condition():
        assert loop.time() - began < seconds, f"it did not come about within {seconds:.0f} s"
        await asyncio.sleep(0.05)
    return loop.time() - began


@dataclass(slots=True)
class VirtualClock(FakeClock):
    """The day goes on with the loop."""

    def now(self) -> datetime:
        return self.moment + timedelta(seconds=virtual().time() - BEGIN)


@dataclass(slots=True)
class Hanging:
    """The calls that a test lets hang: the clock does not wait for their threads."""

    loop: VirtualLoop = field(default_factory=virtual)
    count: int = 0
    _held: list[Callable[[], None]] = field(default_factory=list)

    def watch(self, threads: Iterable[Threads]) -> None:
        """Have the clock wait for all calls in these threads but the hanging ones."""
        held = tuple(threads)
        self.loop.virtual.is_busy = lambda: sum(len(each._running) for each in held) > self.count

    def hang(self, seconds: float | None = None) -> None:
        """In a thread: hang for so long by the virtual clock; None: until `let_go`."""
        over = threading.Event()

        def end() -> None:
            if not over.is_set():
                self.count -= 1  # before the thread goes on: the clock waits for it again
                over.set()

        def begin() -> None:
            self.count += 1
            self._held.append(end)
            if seconds is not None:
                self.loop.call_later(seconds, end)

        self.loop.call_soon_threadsafe(begin)
        assert over.wait(GUARD_SECONDS)

    def let_go(self) -> None:
        """Whatever hangs goes on."""
        held, self._held = self._held, []
        for end in held:
            end()


def moment(seconds: float) -> datetime:
    """So long after the start."""
    return NOW + timedelta(seconds=seconds)
