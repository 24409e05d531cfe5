"""What a person sees: steps with their seconds, commands with what they answered, checks.

Colour only on a terminal, and never when NO_COLOR is set (https://no-color.org).
"""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN = "1", "2", "31", "32", "33", "36"
_WIDEST = 180  # columns; a message of a condition may have a thousand
_NARROWEST = 100
_INDENT = "    "


def _has_colour(out: TextIO) -> bool:
    is_dumb = os.environ.get("TERM") == "dumb"
    return out.isatty() and not is_dumb and not os.environ.get("NO_COLOR")


@dataclass(slots=True)
class Screen:
    """Where the demo tells its story; remembers how long each step took."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    steps: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A heading, then whatever is said in between, then the seconds it took."""
        number = len(self.steps) + 1
        self._line("")
        self._line(f"{number}. {title}", _BOLD)
        started = time.monotonic()
        yield
        seconds = time.monotonic() - started
        self.steps.append((title, seconds))
        self._line(f"   done in {seconds:.1f} s", _DIM)

    def note(self, text: str) -> None:
        """A word of explanation."""
        self._line(f"   {text}")

    def command(self, *words: str) -> None:
        """A command that is about to run, as a person would type it."""
        self._line(f"{_INDENT}$ {' '.join(words)}", _CYAN)

    def output(self, text: str) -> None:
        """What a command answered."""
        widest = self._widest()
        for line in text.rstrip("\n").splitlines():
            cut = line if len(line) <= widest else f"{line[: widest - 3]}..."
            self._line(f"{_INDENT}{cut}", _YELLOW if "Warning" in line.split() else "")

    def passed(self, what: str) -> None:
        """A check that held."""
        self._line(f"   ok: {what}", _GREEN)

    def failed(self, what: str) -> None:
        """Why the demo ends."""
        self._line("")
        self._line(f"FAILED: {what}", _RED)

    def summary(self) -> None:
        """Every step with its seconds, and all of them together."""
        self._line("")
        for number, (title, seconds) in enumerate(self.steps, 1):
            self._line(f"   {number}. {title:<68}{seconds:6.1f} s")
        total = sum(seconds for _, seconds in self.steps)
        self._line(f"      {'in all':<68}{total:6.1f} s", _BOLD)

    def _widest(self) -> int:
        if not self.out.isatty():
            return _WIDEST
        own = shutil.get_terminal_size().columns - len(_INDENT)
        return max(_NARROWEST, min(_WIDEST, own))

    def _line(self, text: str, style: str = "") -> None:
        if style and _has_colour(self.out):
            text = f"\x1b[{style}m{text}\x1b[0m"
        print(text, file=self.out, flush=True)
