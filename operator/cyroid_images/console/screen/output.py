"""What is written: tables fitted to the terminal, JSON and YAML elsewhere.

Every text in a table is made printable first, since objects hold what anybody wrote; JSON and
YAML escape what is not. Without a terminal, and with NO_COLOR, there are words instead of
marks and no colours.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from cyroid_images.console.screen.words import fitting, width_of
from cyroid_images.model.text import clean_message

LONGEST_CELL = 1100
"""Characters of one cell: the longest message of a condition, and a little."""
NARROWEST = 20
GAP = 2

COLOURS = {"green": 32, "yellow": 33, "red": 31, "dim": 2, "bold": 1}


class Screen:
    """Where a command writes to, and how."""

    def __init__(self, *, is_wide: bool = False) -> None:
        self.is_terminal = sys.stdout.isatty()
        has_colours = os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
        self.is_plain = not self.is_terminal or not has_colours
        """Words instead of marks."""
        self.is_wide = is_wide

    @property
    def columns(self) -> int | None:
        """None: lines may be as long as they are."""
        if self.is_wide or not self.is_terminal:
            return None
        return shutil.get_terminal_size().columns

    def coloured(self, text: str, colour: str | None) -> str:
        if self.is_plain or colour is None:
            return text
        return f"\x1b[{COLOURS[colour]}m{text}\x1b[0m"

    def say(self, *lines: str) -> None:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def tell(self, line: str) -> None:
        """Beside the output, to standard error."""
        sys.stderr.write(f"{clean_message(line, LONGEST_CELL)}\n")
        sys.stderr.flush()


Cell = str | tuple[str, str | None]
"""A text, or a text and its colour."""


def table(heads: Sequence[str], rows: Sequence[Sequence[Cell]], screen: Screen) -> list[str]:
    """Lines with aligned columns; the last one is cut to what the terminal has left."""
    texts = [[_text(cell) for cell in row] for row in rows]
    widths = [
        max([width_of(head), *(width_of(row[at]) for row in texts)])
        for at, head in enumerate(heads)
    ]
    room = screen.columns
    if room is not None:
        rest = room - sum(widths[:-1]) - GAP * (len(widths) - 1)
        widths[-1] = min(widths[-1], max(NARROWEST, rest))
    lines = [_line([(head, None) for head in heads], widths, screen)]
    for row, plain in zip(rows, texts, strict=True):
        cells = [
            (text, cell[1] if isinstance(cell, tuple) else None)
            for text, cell in zip(plain, row, strict=True)
        ]
        lines.append(_line(cells, widths, screen))
    return lines


def line(cells: Sequence[Cell]) -> str:
    """The cells of one row where nothing is aligned."""
    return "  ".join(text for cell in cells if (text := _text(cell)))


def pairs(rows: Sequence[tuple[str, str]], screen: Screen) -> list[str]:
    """Lines of a name and what there is to say of it, which may need several lines."""
    width = max(len(name) for name, _ in rows) + GAP
    return [
        f"{screen.coloured(name, 'bold')}{' ' * (width - len(name))}"
        f"{clean_message(text, LONGEST_CELL)}"
        for name, text in rows
    ]


def _line(cells: Sequence[tuple[str, str | None]], widths: Sequence[int], screen: Screen) -> str:
    parts = []
    for at, ((text, colour), width) in enumerate(zip(cells, widths, strict=True)):
        is_last = at == len(widths) - 1
        shown = fitting(text, width) if is_last else text
        padding = "" if is_last else " " * (width - width_of(shown) + GAP)
        parts.append(f"{screen.coloured(shown, colour)}{padding}")
    return "".join(parts).rstrip()


def _text(cell: Cell) -> str:
    return clean_message(cell if isinstance(cell, str) else cell[0], LONGEST_CELL)


def document(value: Any, form: str) -> str:
    """JSON or YAML; only ASCII, so that no text in it steers a terminal."""
    if form == "json":
        return json.dumps(value, indent=2)
    return as_yaml([value])


def as_yaml(documents: Sequence[Mapping[str, Any]]) -> str:
    """Several YAML documents; the fast writer where libyaml is there."""
    import yaml  # noqa: PLC0415 - only who asks for YAML waits for it

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    written = (
        yaml.dump(each, Dumper=dumper, sort_keys=False, allow_unicode=False) for each in documents
    )
    return "---\n".join(written).rstrip("\n")
