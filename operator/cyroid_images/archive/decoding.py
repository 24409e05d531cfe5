"""Compressed archives as streams: what a file is says its first bytes, never its name.

Memory is bounded whatever the stream claims: output leaves in pieces, and a zstd frame that
wants a larger window than `zstd --long=27` makes is refused. Sources of the forms: RFC 1952
(gzip, several members in a row are one stream), RFC 8878 (zstd).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import zstandard
from isal import isal_zlib

from cyroid_images.archive.damage import invalid
from cyroid_images.archive.window import CHUNK

LARGEST_WINDOW = 2**27
"""Bytes that a zstd frame may refer back; its decoder keeps that many."""

_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"


def is_compressed(head: bytes) -> bool:
    """Do these first bytes (four suffice) start a gzip or zstd stream?"""
    return head.startswith((_GZIP, _ZSTD))


def decoded(chunks: Iterable[bytes], archive: str) -> Iterator[bytes]:
    """The bytes of a gzip or zstd stream; those of any other as they are.

    Raises ArchiveInvalid for a stream that is damaged or, with gzip, breaks off.
    """
    head, rest = _peeked(iter(chunks))
    if head.startswith(_GZIP):
        return _gunzipped(rest, archive)
    if head.startswith(_ZSTD):
        return _unzstd(rest, archive)
    return rest


def _peeked(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, and all of them again."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= len(_ZSTD):
            break
    return head, chain((head,), chunks)


def _gunzipped(chunks: Iterable[bytes], archive: str) -> Iterator[bytes]:
    decoder = isal_zlib.decompressobj(wbits=31)
    has_begun = False
    for chunk in chunks:
        data = chunk
        while data:
            if decoder.eof:
                decoder, has_begun = isal_zlib.decompressobj(wbits=31), False
            if not has_begun and not (data := data.lstrip(b"\0")):
                break  # zeros between and after members are padding, as gzip itself has it
            has_begun = True
            yield from _inflated(decoder, data, archive)
            data = decoder.unused_data
    if has_begun and not decoder.eof:
        raise invalid(archive, "its gzip stream is truncated")


def _inflated(decoder: isal_zlib.Decompress, data: bytes, archive: str) -> Iterator[bytes]:
    """All that these bytes give, in pieces."""
    while True:
        try:
            out = decoder.decompress(data, CHUNK)
        except isal_zlib.IsalError as exc:  # type: ignore[misc]  # its stub calls the class a value
            raise invalid(archive, f"its gzip stream is damaged: {exc}") from exc
        if out:
            yield out
        data = decoder.unconsumed_tail
        if decoder.eof or (not data and len(out) < CHUNK):
            return


def _unzstd(chunks: Iterable[bytes], archive: str) -> Iterator[bytes]:
    """A stream that breaks off ends here as if it were whole: the tar inside tells."""
    decoder = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
    source = _Readable(iter(chunks))
    with decoder.stream_reader(source, read_across_frames=True) as reader:  # type: ignore[arg-type]  # asks for read() only
        read: Callable[[int], bytes] = reader.read
        while True:
            try:
                out = read(CHUNK)
            except zstandard.ZstdError as exc:
                raise invalid(archive, f"its zstd stream is damaged: {exc}") from exc
            if not out:
                return
            yield out


class _Readable:
    """Chunks as something with `read`: what zstandard asks for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def read(self, _size: int = -1) -> bytes:
        return next((chunk for chunk in self._chunks if chunk), b"")
