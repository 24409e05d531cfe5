"""What a person sees while the lab works: what is done, since when, about how long it takes.

`told` is for what takes long and happens once on a machine: it says so when it begins. On a
terminal one line moves until it has ended; elsewhere each half minute a line says that it goes on.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

from tests.lab.estimates import SECONDS

Progress = Callable[[str], None]
"""Shows a line to whoever waits."""
Clock = Callable[[], float]

_LONG = 1.0  # seconds: what took less is not worth a line
_MOVES = 0.5  # seconds between two looks of the moving line
_HEARTBEAT = 30.0  # seconds between two lines where no line can move
_COLUMNS = 100
_BACK = "\r\x1b[K"  # to the begin of the line, and nothing is left on it


@contextmanager
def step(progress: Progress, what: str) -> Iterator[None]:
    """Reports the step when it has ended well."""
    started = time.monotonic()
    yield
    progress(f"{what:<28}{time.monotonic() - started:6.1f} s")


@contextmanager
def long_step(progress: Progress, what: str) -> Iterator[None]:
    """Reports the step only if it took a while: it was in no cache."""
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    if seconds > _LONG:
        progress(f"{what:<28}{seconds:6.1f} s")


@dataclass(slots=True, eq=False)
class Work:
    """Something that is done now."""

    what: str
    estimate: float | None
    started: float
    doing: str = ""
    """The last thing that it said, such as the package that is compiled."""

    def says(self, line: str) -> None:
        """A line of its output."""
        self.doing = " ".join(line.split()) or self.doing


@dataclass(slots=True)
class Teller:
    """Tells of work on one stream; of several pieces in one another, the innermost moves."""

    out: TextIO
    clock: Clock = time.monotonic
    _under_way: list[Work] = field(default_factory=list)

    @property
    def pause(self) -> float:
        """Seconds between two beats."""
        return _MOVES if self.out.isatty() else _HEARTBEAT

    def begin(self, what: str, seconds: Mapping[str, float] = SECONDS) -> Work:
        """What is known to take long is told at once, with an estimate."""
        work = Work(what, seconds.get(what), self.clock())
        self._under_way.append(work)
        if work.estimate is not None:
            self._line(f"{what}: {about(work.estimate)}")
        return work

    def beat(self, work: Work) -> None:
        """It goes on."""
        if work is not self._under_way[-1]:
            return
        elapsed = clock_face(self.clock() - work.started)
        if not self.out.isatty():
            self._line(f"{work.what}: {elapsed} so far" + (f", {work.doing}" if work.doing else ""))
            return
        total = f" of about {clock_face(work.estimate)}" if work.estimate else ""
        line = f"  {elapsed}{total}  {work.what}  {work.doing}"
        self.out.write(_BACK + line[:_COLUMNS])
        self.out.flush()

    def end(self, work: Work, *, is_good: bool) -> None:
        """How long it took; nothing if that was short and nobody was told of it."""
        self._under_way.remove(work)
        seconds = self.clock() - work.started
        if work.estimate is not None or seconds > _LONG:
            self._line(f"{work.what}: {'done in' if is_good else 'failed after'} {seconds:.0f} s")

    def _line(self, text: str) -> None:
        self.out.write(f"{_BACK if self.out.isatty() else ''}{text}\n")
        self.out.flush()


@contextmanager
def told(what: str, teller: Teller | None = None) -> Iterator[Work]:
    """Tells of the work while it lasts. To standard error: the other one may be a result."""
    teller = teller or _ours()
    work = teller.begin(what)
    is_good = False
    try:
        with _beating(teller.pause, lambda: teller.beat(work)):
            yield work
        is_good = True
    finally:
        teller.end(work, is_good=is_good)


def about(seconds: float) -> str:
    """An estimate for a person."""
    minutes = round(seconds / 60)
    return f"about {minutes} min on 2 cores" if seconds >= 90 else f"about {seconds:.0f} s"


def clock_face(seconds: float) -> str:
    """Minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def _beating(pause: float, beat: Callable[[], None]) -> Iterator[None]:
    """Calls `beat` after each pause, in a thread that has ended when the block has."""
    ended = threading.Event()

    def run() -> None:
        while not ended.wait(pause):
            beat()

    thread = threading.Thread(target=run, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


_tellers: dict[int, Teller] = {}


def _ours() -> Teller:
    """One per stream: a test that captures its output has another one."""
    return _tellers.setdefault(id(sys.stderr), Teller(sys.stderr))
