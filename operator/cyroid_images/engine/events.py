"""The JSON objects of an engine's stream, found in bytes that are cut anywhere.

Engines send one object per line, but chunks split and join them, and nothing stops a
hostile engine from sending an endless one. So the end of an object is found by counting
braces outside of strings, byte by byte and only once, within fixed bounds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cyroid_images.engine.classify import clean
from cyroid_images.errors import Reason, TransferError

LONGEST_OBJECT = 1024 * 1024
"""Bytes of one object; real ones have a few hundred."""

MOST_GARBAGE = 64 * 1024
"""Bytes outside of objects, or in objects that are no JSON, that one stream may hold."""

_MARK = re.compile(rb'[{}"\\]')


@dataclass(frozen=True, slots=True)
class Event:
    """One object of a stream, as far as anybody acts on it."""

    status: str = ""
    id: str = ""
    current: int | None = None
    total: int | None = None
    units: str = ""
    """Not bytes when set: the containerd store counts its extraction in seconds ("s")."""
    stream: str = ""
    digest: str = ""
    """Of a push, from `aux`: only classic engines send it."""
    error: str | None = None
    """The engine's words when it failed; `error` and `errorDetail` may come alone."""


class Decoder:
    """Takes chunks, gives events; remembers the first garbage for the message."""

    def __init__(self) -> None:
        self.garbage = ""
        self._garbage_bytes = 0
        self._buffer = bytearray()
        self._scanned = 0
        self._depth = 0
        self._in_string = False
        self._escaped_at = -1

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that this chunk completes; raises TransferError(ProtocolError) on excess."""
        return map(event_of, self.documents(chunk))

    def documents(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """The same as they came, for who acts on other fields."""
        self._buffer += chunk
        while (end := self._end_of_object()) is not None:
            if (document := self._read(bytes(self._buffer[:end]))) is not None:
                yield document
            del self._buffer[:end]
            self._scanned, self._escaped_at = 0, -1
        if len(self._buffer) > LONGEST_OBJECT:
            raise TransferError(
                Reason.PROTOCOL_ERROR,
                f"a JSON object of more than {LONGEST_OBJECT} bytes in the response",
            )

    def finish(self) -> None:
        """Count what is left as garbage: half an object is no event."""
        self._dump(bytes(self._buffer))
        self._buffer.clear()

    def _end_of_object(self) -> int | None:
        """The offset after the object that the buffer starts with, once it is complete."""
        if self._depth == 0:
            self._skip_to_object()
        for mark in _MARK.finditer(self._buffer, self._scanned):
            if self._turn(mark.group(), mark.start()):
                return mark.end()
        self._scanned = len(self._buffer)
        return None

    def _skip_to_object(self) -> None:
        start = self._buffer.find(b"{")
        skipped = bytes(self._buffer[: start if start >= 0 else len(self._buffer)])
        self._dump(skipped)
        del self._buffer[: len(skipped)]
        self._scanned = 0

    def _turn(self, mark: bytes, at: int) -> bool:
        """Follow one brace, quote or backslash; True when it closes the object."""
        if at == self._escaped_at:
            return False
        if self._in_string:
            if mark == b"\\":
                self._escaped_at = at + 1
            elif mark == b'"':
                self._in_string = False
            return False
        if mark == b'"':
            self._in_string = True
        elif mark == b"{":
            self._depth += 1
        elif mark == b"}":
            self._depth -= 1
            return self._depth == 0
        return False

    def _read(self, content: bytes) -> dict[str, Any] | None:
        try:
            # RecursionError: a mebibyte of nested brackets.
            document: dict[str, Any] = json.loads(content.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            self._dump(content)
            return None
        return document

    def _dump(self, content: bytes) -> None:
        if not content.strip():
            return
        self.garbage = self.garbage or clean(content[:1024].decode("utf-8", "replace"))
        self._garbage_bytes += len(content)
        if self._garbage_bytes > MOST_GARBAGE:
            raise TransferError(Reason.PROTOCOL_ERROR, f"response is not JSON: {self.garbage}")


def events_of(chunks: Iterable[bytes], decoder: Decoder) -> Iterator[Event]:
    """Every event of a stream that ends by itself."""
    for chunk in chunks:
        yield from decoder.feed(chunk)
    decoder.finish()


def event_of(document: dict[str, Any]) -> Event:
    """The event that one JSON object means; unknown or ill-typed fields count as absent."""
    progress = _dict(document.get("progressDetail"))
    return Event(
        status=_text(document.get("status")),
        id=_text(document.get("id")),
        current=_count(progress.get("current")),
        total=_count(progress.get("total")),
        units=_text(progress.get("units")),
        stream=_text(document.get("stream")),
        digest=_text(_dict(document.get("aux")).get("Digest")),
        error=_error(document),
    )


def _error(document: dict[str, Any]) -> str | None:
    """The words of a failure: any of three shapes, and an empty one is a failure too."""
    detail = _dict(document.get("errorDetail"))
    words = _text(document.get("error")) or _text(detail.get("message"))
    if words or document.get("error") or document.get("errorDetail"):
        return words or "an error with an empty message"
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
