"""Members of a tar that is written as a stream: headers, contents, padding, end."""

from __future__ import annotations

import tarfile

_BLOCK = 512
END = bytes(2 * _BLOCK)
"""Two empty blocks: without them the tar was cut."""


def header(name: str, size: int) -> bytes:
    """What stands before a file of this size."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> bytes:
    """What follows a content of this size."""
    return bytes(-size % _BLOCK)


def member(name: str, content: bytes) -> bytes:
    """A whole small file."""
    return header(name, len(content)) + content + padding(len(content))
