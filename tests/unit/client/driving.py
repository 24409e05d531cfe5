"""Runs a program of the client without a network: a script answers, a clock is moved by waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cyroid_images.client.errors import Unavailable
from cyroid_images.client.options import ClientOptions
from cyroid_images.client.steps import (
    ApiCall,
    Asker,
    Done,
    Give,
    Head,
    Open,
    Pause,
    Program,
    advance,
)

T = TypeVar("T")

MOST_STEPS = 10_000


@dataclass(frozen=True, slots=True)
class Canned:
    """An answer: status, what comes of its body chunk by chunk, headers."""

    status: int = 200
    chunks: tuple[bytes, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    breaks: bool = False
    """The connection ends before the body does."""
    seconds: float = 0.0
    """How long each chunk takes."""


NOBODY = None
"""Instead of an answer: nobody is there."""


def answer(document: object, status: int = 200, **headers: str) -> Canned:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Canned(status, (json.dumps(document).encode(),), named)


def problem(status: int, detail: str, **headers: str) -> Canned:
    return answer({"title": "x", "status": status, "detail": detail}, status, **headers)


class Driver:
    """Answers calls in the order of `script`; the last answer is given again and again."""

    def __init__(self, *script: Canned | None, options: ClientOptions | None = None) -> None:
        self.options = options or ClientOptions()
        self.now = 0.0
        self.asker = Asker(self.options, lambda: self.now)
        self.calls: list[ApiCall[Any]] = []
        self.waits: list[float] = []
        self.given: list[Any] = []
        self._script = list(script)
        self._chunks: list[bytes] = []
        self._open = Canned()

    def run(self, program: Program[T], *, until: Callable[[], bool] = lambda: False) -> T | None:
        """What the program ends with; None where `until` became true before."""
        came: object = None
        for _ in range(MOST_STEPS):
            step = advance(program, came)
            if isinstance(step, Done):
                return step.value
            came = self._do(step)
            if until():
                program.close()
                return None
        raise AssertionError(f"no end after {MOST_STEPS} steps")

    def _do(self, step: Any) -> object:
        if isinstance(step, Give):
            self.given.append(step.item)
            return None
        if isinstance(step, Pause):
            self.waits.append(step.seconds)
            self.now += step.seconds
            return None
        if isinstance(step, Open):
            self.calls.append(step.call)
            canned = self._script.pop(0) if len(self._script) > 1 else self._script[0]
            if canned is NOBODY:
                return Unavailable(step.call.name, "nobody is there")
            self._open, self._chunks = canned, list(canned.chunks)
            return Head(canned.status, canned.headers)
        self.now += self._open.seconds
        if self._chunks:
            return self._chunks.pop(0)
        return Unavailable(step.call.name, "cut") if self._open.breaks else b""
