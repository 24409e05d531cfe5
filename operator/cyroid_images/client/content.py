"""What is uploaded, read piece by piece while it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

PIECE = 256 * 1024
"""Bytes in memory at a time."""

UploadContent = Path | BinaryIO | Iterable[bytes]
"""A file by its path, one that is open, or the bytes in pieces of any size."""


def chunks_of(content: UploadContent) -> Iterator[bytes]:
    """Its bytes in order; an OSError comes when the file is read."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            yield from chunks_of(file)
    elif isinstance(content, Iterable) and not hasattr(content, "read"):
        yield from (piece for piece in content if piece)
    else:
        while piece := content.read(PIECE):
            yield piece
