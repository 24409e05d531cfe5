"""Texts from elsewhere (registries, engines, people) made fit for a status or an event."""

from __future__ import annotations

import re
import unicodedata

CONDITION_MESSAGE = 1024
"""Characters of a message in a condition."""

ROW_MESSAGE = 256
"""Characters of a message in a row of a list in status."""

_ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links
    r"|\x1b[ -/]*[0-~]"  # other escapes of two and more bytes
)
_DROPPED = ("Cf", "Cs", "Co", "Cn")
"""Format (bidi, zero width), surrogates, private use, unassigned: nothing a person reads."""


def clean_message(text: str, limit: int) -> str:
    """One printable line of at most `limit` characters; an ellipsis tells that it was cut.

    ANSI sequences and characters that steer a terminal or the writing direction are
    removed; line ends, tabs and other control characters become single spaces.
    """
    # What is far beyond the limit is not looked at: an engine may answer megabytes.
    visible = _ANSI.sub("", text[: 16 * limit])
    is_plain = visible.isprintable()  # as nearly all are: a look at each character is costly
    shown = (
        visible
        if is_plain
        else "".join(
            " " if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Zs") else char
            for char in visible
            if unicodedata.category(char) not in _DROPPED
        )
    )
    line = " ".join(shown.split())
    is_cut = len(line) > limit or len(text) > 16 * limit
    return f"{line[: limit - 1].rstrip()}…" if is_cut else line


def clean_bytes(text: str, limit: int) -> str:
    """The same within so many bytes of UTF-8, as the API server counts the note of an event."""
    line = clean_message(text, limit)
    if len(line.encode()) <= limit:
        return line
    return f"{line.encode()[: limit - 3].decode(errors='ignore').rstrip('…')}…"
