"""The transfers that are under way, as rows of a status."""

from __future__ import annotations

from collections.abc import Iterable

from cyroid_images.model.kinds.lifecycle import TransferStatus
from cyroid_images.model.kinds.status import MOST_TRANSFERS
from cyroid_images.model.kinds.status_fields import first
from cyroid_images.model.observed import Running
from cyroid_images.model.telemetry.progress import Progress


def transfer_rows(running: Iterable[Running]) -> tuple[tuple[TransferStatus, ...], int]:
    """Rows, the furthest first, and how many were left out."""
    rows = [_row(each) for each in running]
    rows.sort(key=lambda row: (row.is_waiting, -row.done_bytes, row.image, row.pod or ""))
    return first(MOST_TRANSFERS, rows)


_MIB = 1024 * 1024


def _in_steps(progress: Progress) -> int:
    """Whole MiB, as the sentences of a status count: less is no reason to write one."""
    is_whole = progress.done == progress.total
    return progress.done if is_whole else progress.done // _MIB * _MIB


def _rate(bytes_per_second: float) -> int:
    rate = int(bytes_per_second)
    return rate if rate < _MIB else rate // _MIB * _MIB


def _row(each: Running) -> TransferStatus:
    progress = each.progress
    return TransferStatus(
        image=str(each.wish.reference),
        pod=each.pod,
        route=each.route,
        done_bytes=0 if progress is None else _in_steps(progress),
        total_bytes=None if progress is None else progress.total,
        bytes_per_second=0 if progress is None else _rate(each.rate),
        is_waiting=progress is None,
    )
