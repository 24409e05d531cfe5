"""The body of an upload, raw or as a form sends it, passed on piece by piece.

Nothing is gathered: Starlette's own reader of forms would write the whole file to a temporary
disk first. Of a form the one file counts, whatever its field is called, as CYROID's clients and
browsers send it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from cyroid_images.api.problems import Problem

MOST_PARTS = 16
"""Of a form; a file has one."""
FORM_BYTES = 64 * 1024
"""Of a form beside its file."""
LINGER_SECONDS = 2.0
"""How long the rest of a refused upload is read: who still sends then hears why it is refused."""


class UploadBody:
    """One body; `name` is known once its first piece came."""

    def __init__(self, request: Request, name: str | None) -> None:
        """`name`: what the sender calls it, where the call itself says so."""
        self.name = name
        self._request = request
        kind, options = parse_options_header(request.headers.get("content-type"))
        boundary = options.get(b"boundary")
        self._form = _Form(boundary) if kind == b"multipart/form-data" and boundary else None
        self._is_over = False

    @property
    def size(self) -> int | None:
        """At least so many bytes will come; None where it is not announced."""
        said = self._request.headers.get("content-length", "")
        if not said.isascii() or not said.isdigit():
            return None
        return max(0, int(said) - (FORM_BYTES if self._form else 0))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the file; raises a 400 for a body that breaks off."""
        try:
            async for chunk in self._request.stream():
                for piece in (chunk,) if self._form is None else self._form.pieces(chunk):
                    yield piece
        except ClientDisconnect as exc:
            raise Problem(400, "the upload was cut: send it again") from exc
        self._is_over = True
        if self._form is not None:
            self._form.end()
            self.name = self.name or self._form.name

    async def linger(self) -> None:
        """Read on for a moment, so that an answer is heard by who still sends."""
        if self._is_over or "expect" in self._request.headers:
            return
        with contextlib.suppress(TimeoutError, ClientDisconnect, RuntimeError):
            async with asyncio.timeout(LINGER_SECONDS):
                async for _ in self._request.stream():
                    pass


class _Form:
    """A form with one file, followed while it passes."""

    def __init__(self, boundary: bytes) -> None:
        self.name: str | None = None
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._value,
                "on_header_end": self._header,
                "on_headers_finished": self._headers,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
            },
        )
        self._pieces: deque[bytes] = deque()
        self._header_name, self._header_value = b"", b""
        self._disposition = b""
        self._parts = 0
        self._beside = 0
        self._is_file = False
        self._has_file = False
        self._is_whole = False

    def pieces(self, chunk: bytes) -> list[bytes]:
        """What these bytes hold of the file; raises a 422 for a form that is none."""
        try:
            self._parser.write(chunk)
        except FormParserError as exc:
            raise Problem(422, f"the form cannot be read: {exc}") from exc
        found = list(self._pieces)
        self._pieces.clear()
        return found

    def end(self) -> None:
        """The body is over; raises a 422 where the form or its file was not."""
        if not self._has_file:
            raise Problem(422, "the form holds no file")
        if not self._is_whole:
            raise Problem(400, "the form breaks off within its file: send it again")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise Problem(422, f"the form has more than {MOST_PARTS} parts")
        self._disposition = b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"filename")
        self._is_file = name is not None
        if name is None:
            return
        if self._has_file:
            raise Problem(422, "the form holds more than one file: send one at a time")
        self._has_file = True
        self.name = name.decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._pieces.append(data[start:end])
            return
        self._beside += end - start
        if self._beside > FORM_BYTES:
            raise Problem(413, f"the form has more than {FORM_BYTES} bytes beside its file")

    def _end_part(self) -> None:
        self._is_whole = self._is_whole or self._is_file
