"""Why nothing of an upload was taken."""

from __future__ import annotations

import errno
from enum import StrEnum

from cyroid_images.errors import CyroidError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Refusal(StrEnum):
    """Why an upload is not taken; whoever serves it knows the code of its protocol."""

    NO_VOLUME = "no volume"
    TOO_LARGE = "too large"
    DISK_FULL = "disk full"
    BUSY = "busy"
    CUT = "cut"
    SLOW = "slow"
    INVALID = "invalid"
    VOLUME_FAILED = "volume failed"


class UploadRefused(CyroidError):
    """Nothing of an upload was taken; `why` for machines, the message for people."""

    def __init__(self, why: Refusal, message: str) -> None:
        super().__init__(message)
        self.why = why


def too_large(most: int) -> UploadRefused:
    return UploadRefused(Refusal.TOO_LARGE, f"the upload has more than {most} bytes")


def volume_failed(error: OSError) -> UploadRefused:
    if error.errno in _FULL:
        return UploadRefused(
            Refusal.DISK_FULL, "the archive volume is full: remove bundles or make it larger"
        )
    if error.errno == errno.EROFS:
        return UploadRefused(
            Refusal.NO_VOLUME, "the archive volume is mounted read-only: see api.archives"
        )
    why = f"the archive volume cannot be written to: {error.strerror}"
    return UploadRefused(Refusal.VOLUME_FAILED, why)
