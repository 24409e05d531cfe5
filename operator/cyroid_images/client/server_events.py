"""Server-sent events out of a stream of bytes, with a bound on what one may hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cyroid_images.client.errors import UnexpectedAnswer

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of one event: 2,000 ranges of 1 KB are a quarter of that."""


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event: its name, and its data as it came."""

    name: str
    data: str


@dataclass(slots=True)
class EventParser:
    """Put bytes in as they come, take events out; comments, ids and retries are passed over."""

    _rest: bytes = b""
    _name: str = ""
    _data: list[str] = field(default_factory=list)
    _size: int = 0

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """The events that these bytes complete; raises UnexpectedAnswer for one beyond bounds."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            yield from self._line(line.removesuffix(b"\r").decode("utf-8", "replace"))
        if len(self._rest) + self._size > MOST_BYTES:
            raise UnexpectedAnswer("the event stream", f"an event of more than {MOST_BYTES} bytes")

    def _line(self, line: str) -> Iterator[ServerEvent]:
        if not line:
            if self._data:
                yield ServerEvent(self._name or "message", "\n".join(self._data))
            self._name, self._data, self._size = "", [], 0
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._name = value
        elif name == "data":
            self._data.append(value)
            self._size += len(value)
