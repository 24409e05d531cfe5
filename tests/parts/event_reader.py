"""A reader of server-sent events that can be cut off at any moment."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit


class Reader:
    """One stream, read in a thread of its own; `events` are those that came so far."""

    def __init__(self, url: str, path: str, token: str, seconds: float = 60.0) -> None:
        self.events: list[tuple[str, Any]] = []
        self.bytes = 0
        self.status: int | None = None
        self.is_over = False
        self._line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=seconds)
        self._path, self._token = path, token
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cut the connection."""
        if self._line.sock is not None:
            with suppress(OSError):
                self._line.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._line.close()

    def last(self, name: str) -> Any:
        """Data of the last event of this name; None: there was none."""
        return next((data for kind, data in reversed(self.events) if kind == name), None)

    def _read(self) -> None:
        try:
            headers = {"Authorization": f"Bearer {self._token}"}
            self._line.request("GET", self._path, headers=headers)
            answer = self._line.getresponse()
            self.status = answer.status
            for name, data in self._events(iter(answer.readline, b"")):
                self.events.append((name, data))
        except (OSError, http.client.HTTPException, ValueError):
            pass
        finally:
            self.is_over = True

    def _events(self, lines: Iterator[bytes]) -> Iterator[tuple[str, Any]]:
        name = ""
        for line in lines:
            self.bytes += len(line)
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                yield name, json.loads(value)
