"""Lines that change: repainted in place on a terminal, told once per change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from cyroid_images.console.screen.output import LONGEST_CELL, Screen
from cyroid_images.model.text import clean_message

Lines = Callable[[], list[str]]
"""The whole picture, made only where it is painted."""


class Painter:
    """Shows the newest picture. Made by `painter`."""

    def __init__(self, screen: Screen, live: Any | None) -> None:
        self._screen, self._live = screen, live
        self._told: dict[str, object] = {}
        self._painted = ""

    def show(self, picture: Lines, told: Mapping[str, tuple[object, str]]) -> None:
        """Paint the picture; or tell the line of each key whose first part is another than it
        was, and that of each key that is gone.
        """
        if self._live is not None:
            from rich.text import Text  # noqa: PLC0415 - only a terminal needs it

            painted = "\n".join(picture())
            if painted != self._painted:
                self._painted = painted
                text = Text.from_ansi(painted, no_wrap=True, overflow="ellipsis")
                self._live.update(text, refresh=True)
            return
        lines = [line for key, (part, line) in told.items() if self._told.get(key) != part]
        lines += [f"{key} is gone" for key in self._told if key not in told]
        self._told = {key: part for key, (part, _) in told.items()}
        if lines:
            self._screen.say(*lines)

    def note(self, line: str) -> None:
        """Something beside the picture, such as a lost connection."""
        if self._live is not None:
            shown = clean_message(line, LONGEST_CELL)
            self._live.console.print(shown, markup=False, highlight=False)
        else:
            self._screen.tell(line)


@contextmanager
def painter(screen: Screen) -> Iterator[Painter]:
    """A painter for as long as something is followed; the last picture stays."""
    if not screen.is_terminal:
        yield Painter(screen, None)
        return
    with _live() as live:
        yield Painter(screen, live)


def _live() -> AbstractContextManager[Any]:
    from rich.live import Live  # noqa: PLC0415 - a tenth of a second that few commands need

    return Live(auto_refresh=False, vertical_overflow="ellipsis", transient=False)
