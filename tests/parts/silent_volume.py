"""A volume that hangs as a dead NFS does: whoever looks into the folder waits until it is back.

A FUSE file system whose server never answers is mounted over the folder. Threads that wait
in it can be killed with their process and not otherwise; `end` fails what they wait for and
uncovers what lay below.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import TracebackType
from typing import Self

_DEVICE = Path("/dev/fuse")
_DETACH = 2
"""MNT_DETACH: whoever is still inside keeps nothing busy."""


def why_no_silence() -> str | None:
    """The reason why no volume can be made silent here, or None."""
    return None if _DEVICE.exists() else f"needs {_DEVICE}"


class SilentVolume:
    """From its making to `end` nobody gets an answer about anything at or below the folder."""

    def __init__(self, folder: Path) -> None:
        """The folder must exist; the mount is seen by processes of our mount namespace only."""
        self._folder = folder
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._server = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._server},rootmode=40000,user_id=0,group_id=0,allow_other"
        done = self._libc.mount(b"silent", bytes(folder), b"fuse", 0, options.encode())
        if done != 0:
            os.close(self._server)
            raise OSError(ctypes.get_errno(), f"mount over {folder}")

    def end(self) -> None:
        """Those who wait get an error; those who come now see the folder itself."""
        os.close(self._server)
        if self._libc.umount2(bytes(self._folder), _DETACH) != 0:
            raise OSError(ctypes.get_errno(), f"umount {self._folder}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()
