"""A tar on its way through: the bytes are handed on as they are, and its end is watched.

An engine that fails in mid-save has sent 200 long ago. It writes its error as JSON text
where the next header should stand, and ends the body well (moby, `image_routes.go`). The
engine that loads this can only say that the tar is odd; the cause stands in the text.
Source of the form: POSIX ustar, and GNU base-256 sizes for members over 8 GiB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from cyroid_images.errors import Reason, TransferError

BLOCK = 512
"""Bytes: a tar is made of such blocks."""
MOST_WORDS = 4096
"""Bytes of what stands in place of a header that are kept for the message."""


def watched(tar: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes; raises TransferError where they stop being a tar, or end too early.

    TransferInterrupted with the engine's own words for an error in the stream or for a
    tar without its end blocks; ProtocolError for what never was a tar.
    """
    watch = _Watch()
    for chunk in tar:
        watch.see(chunk)
        yield chunk
    watch.end()


class _Watch:
    """Follows header after header; the bytes in between are only counted."""

    def __init__(self) -> None:
        self._skip = 0  # bytes left of the member that passes by
        self._header = bytearray()
        self._members = 0
        self._is_over = False

    def see(self, chunk: bytes) -> None:
        at = 0
        while at < len(chunk) and not self._is_over:
            if self._skip:
                step = min(self._skip, len(chunk) - at)
                self._skip -= step
            else:
                step = min(BLOCK - len(self._header), len(chunk) - at)
                self._header += chunk[at : at + step]
                self._look()
            at += step

    def end(self) -> None:
        """The stream is over: was the tar?"""
        if self._is_over:
            return
        if self._header:
            raise _odd(bytes(self._header), self._members)
        raise TransferError(
            Reason.TRANSFER_INTERRUPTED,
            f"save: the tar ends after {self._members} members without its end blocks",
        )

    def _look(self) -> None:
        if len(self._header) < BLOCK:
            return
        header = bytes(self._header)
        self._header.clear()
        if not any(header):
            self._is_over = True  # a block of zeros ends a tar
            return
        if header[257:262] != b"ustar":
            raise _odd(header, self._members)
        self._members += 1
        size = _size(header[124:136])
        self._skip = (size + BLOCK - 1) // BLOCK * BLOCK


def _size(field: bytes) -> int:
    """A member's size: octal digits, or base 256 where the first bit is set (GNU)."""
    if field[0] & 0x80:
        return int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError as exc:
        raise TransferError(Reason.PROTOCOL_ERROR, "save: a header has no size") from exc


def _odd(found: bytes, members: int) -> TransferError:
    """What stands where a header should: an engine's error, or no tar at all."""
    words = found[:MOST_WORDS].rstrip(b"\0").decode("utf-8", "replace").strip()
    if words.startswith("{"):
        return TransferError(Reason.TRANSFER_INTERRUPTED, f"save: {_message(words)}")
    if members:
        return TransferError(
            Reason.TRANSFER_INTERRUPTED, f"save: the tar breaks off after {members} members"
        )
    return TransferError(Reason.PROTOCOL_ERROR, "save: the engine sent no tar")


def _message(words: str) -> str:
    """The engine's sentence out of its JSON, if that is whole."""
    try:
        document = json.loads(words.splitlines()[0])
        return str(document.get("message") or document.get("error") or words)[:256]
    except (ValueError, AttributeError):
        return words[:256]
