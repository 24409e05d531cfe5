"""A static busybox: the one program inside the demo's images."""

import platform
import shutil
import struct
from pathlib import Path

from tests.lab import apt
from tests.lab.errors import LabError

_NEEDS_LINKER = 3  # PT_INTERP of the ELF format
_GO_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}  # uname's word to Docker's


def find(architecture: str, *, may_install: bool) -> bytes | None:
    """The program, or None when this machine has none for engines of that architecture."""
    if _GO_NAMES.get(platform.machine()) != architecture:
        return None
    if (content := _static()) is None and may_install:
        try:
            apt.install("busybox-static")
        except LabError:  # the demo shows everything else without it
            return None
        content = _static()
    return content


def _static() -> bytes | None:
    path = shutil.which("busybox")
    content = Path(path).read_bytes() if path else b""
    return content if content[:5] == b"\x7fELF\x02" and not _is_linked(content) else None


def _is_linked(content: bytes) -> bool:
    """Does this 64-bit program ask for a linker that the images do not have?"""
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    kinds = (struct.unpack_from("<I", content, table + size * row)[0] for row in range(count))
    return _NEEDS_LINKER in kinds
