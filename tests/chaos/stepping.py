"""Ends the operator at a named step: its own log says where it is, nothing in it is changed.

A step is told by a line of the JSON log with the key `step`. The signal arrives a few
milliseconds after the line was written, at whatever the operator does by then.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from enum import StrEnum

from tests.parts.operator import OperatorPart

LOOK_SECONDS = 0.001
"""Between looks at the log: finer than any step takes, coarser than a busy loop."""
STEP_SECONDS = 30.0


class Ending(StrEnum):
    """How the operator ends."""

    TERM = "TERM"
    KILL = "KILL"


def end_at(operator: OperatorPart, step: str, how: Ending, act: Callable[[], None]) -> float:
    """Do `act`, and end the operator when it tells this step; seconds until it was gone.

    Fails when the step does not come, or when SIGTERM does not end it well.
    """
    start = operator.log_size()
    act()
    await_step(operator, step, start)
    began = time.monotonic()
    if how is Ending.KILL:
        operator.kill()
    else:
        code = operator.stop()
        assert code == 0, f"SIGTERM at {step}: exit code {code}\n{operator.log()}"
    return time.monotonic() - began


def await_step(operator: OperatorPart, step: str, start: int) -> None:
    """Return as soon as the log tells this step after the byte `start`."""
    deadline = time.monotonic() + STEP_SECONDS
    for told in _follow(operator, start):
        if told == step:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"no step {step} in {STEP_SECONDS:.0f} s\n{operator.log(start)}")


def steps_in(operator: OperatorPart, start: int = 0) -> list[str]:
    """The steps that were told after this byte, in order."""
    with operator.log_file.open("rb") as log:
        log.seek(start)
        return [step for line in log if (step := step_of(line))]


def step_of(line: bytes) -> str | None:
    """The step that a line of the log tells; None for every other line."""
    if b'"step"' not in line:
        return None
    try:
        document = json.loads(line)
    except ValueError:
        return None
    step = document.get("step") if isinstance(document, dict) else None
    return str(step) if step else None


def _follow(operator: OperatorPart, start: int) -> Iterator[str | None]:
    """The steps as they are written, and None at least each `LOOK_SECONDS`."""
    with operator.log_file.open("rb") as log:
        log.seek(start)
        rest = b""
        while True:
            *lines, rest = (rest + log.read()).split(b"\n")
            for line in lines:
                yield step_of(line)
            yield None
            time.sleep(LOOK_SECONDS)
