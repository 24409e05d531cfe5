"""One line per step, with the seconds that it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str], None]
"""Shows a line to whoever waits."""

_LONG = 1.0  # seconds


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
