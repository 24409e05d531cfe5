"""What is wrong with an archive, in words for people; and the bounds that no archive passes.

Archives come from anywhere: nothing in one is believed before it is checked, and nothing in
one decides how much memory its reader takes. Here are only the words and the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.fault import Fault
from cyroid_images.model.text import clean_message
from cyroid_images.scheduling.cancel_scope import CancelScope

MOST_MEMBERS = 100_000
"""Files in one archive; a docker-save of 128 images has about 10 000."""
MOST_IMAGES = 1_000
"""Images in one archive, and archives in one bundle."""
MOST_LAYERS = 1_000
"""Layers of one image; engines stop at 127."""
MOST_NAMES = 1_000
"""Names of one image."""
LARGEST_DOCUMENT = 4 * 1024 * 1024
"""Bytes of a list, a manifest or a config; registries set the same bound."""
MOST_DOCUMENTS = 64 * 1024 * 1024
"""Bytes of all such documents of one archive that are kept while it is scanned."""

_LONGEST_WHY = 200


def invalid(archive: str, why: str) -> TransferError:
    """The ArchiveInvalid error: which archive, and what is wrong with it."""
    shown = clean_message(archive, _LONGEST_WHY)
    return TransferError(
        Reason.ARCHIVE_INVALID, f"archive {shown}: {clean_message(why, _LONGEST_WHY)}"
    )


def fault(archive: str, error: TransferError) -> Fault:
    """The same as a fault of a view, which has the archive's name beside it already."""
    named = invalid(archive, "").message
    return Fault(error.reason, error.message.removeprefix(named).strip())


@contextmanager
def told(archive: str, cancellation: CancelScope) -> Iterator[None]:
    """Make what a walker of tars or documents raises an ArchiveInvalid of this archive.

    Asks the cancellation first: our own cut is no damage.
    """
    try:
        yield
    except TransferError as exc:
        cancellation.raise_if_cancelled()
        if exc.reason in (Reason.TRANSFER_INTERRUPTED, Reason.PROTOCOL_ERROR):
            raise invalid(archive, exc.message) from exc
        raise
