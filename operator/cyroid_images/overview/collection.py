"""The last collection of what no tag needs, or the one that is under way."""

from __future__ import annotations

from datetime import datetime

from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.answer import Answer


class CollectionView(Answer):
    """A collection; all null where none was ever asked for or due."""

    requested: str | None = None
    """Value of the annotation `cyroid.io/collect` that asked for it."""
    dry_run: bool | None = None
    """It only counted."""
    running: bool = False
    started: datetime | None = None
    finished: datetime | None = None
    freed_bytes: int | None = None
    """Bytes that were freed, or would be."""
    blobs: int | None = None
    reason: str | None = None
    message: str | None = None
    """Why it failed."""


def collection_view(cache: ImageCache) -> CollectionView:
    """As status says."""
    last = cache.status.collection
    if last is None:
        return CollectionView()
    return CollectionView(
        requested=last.handled,
        dry_run=last.is_dry_run,
        running=last.finished is None,
        started=last.started,
        finished=last.finished,
        freed_bytes=last.freed_bytes,
        blobs=last.blobs,
        reason=None if last.reason is None else str(last.reason),
        message=last.message,
    )
