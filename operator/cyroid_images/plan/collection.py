"""Is the disk of a registry to be freed now? By the annotation, or because it is due."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.collected import Collected
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.conditions import rfc3339
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import CollectionStatus

AGAIN_SECONDS = 600.0
"""After one that was due and failed, unless the next one is due before that."""
QUIET_SECONDS = 300.0
"""So long it is waited until no push of ours is under way: one that is cut begins anew."""
_RUN, _DRY_RUN = "run/", "dry-run/"


@dataclass(frozen=True, slots=True)
class CollectionOrder:
    """A collection that is to be carried out."""

    id: str
    """The same for as long as it lasts, whoever asks the collector for it."""
    handled: str | None
    """The annotation that status answers when it is over."""
    is_dry_run: bool
    started: datetime

    def begun(self, last: CollectionStatus | None) -> CollectionStatus:
        """The status while it is under way."""
        return CollectionStatus(
            handled=self.handled,
            is_dry_run=self.is_dry_run,
            started=self.started,
            last_run=last.last_run if last else None,
        )


def ordered(
    item: ImageCache, last: CollectionStatus | None, now: datetime
) -> CollectionOrder | None:
    """What is to be carried out, or goes on; None: nothing."""
    if item.spec.registry.collector_url is None:
        return None
    if last is not None and last.finished is None:
        return _order(item, last.handled, last.started, is_dry_run=last.is_dry_run)
    asked = _asked(item, last)
    if asked is not None:
        return _order(item, asked, now, is_dry_run=asked.startswith(_DRY_RUN))
    due = due_at(item, last)
    if due is not None and now >= due:
        return _order(item, last.handled if last else None, now, is_dry_run=False)
    return None


def refused(
    item: ImageCache, last: CollectionStatus | None, now: datetime
) -> CollectionStatus | None:
    """The answer to an annotation that nothing can be done about; None: there is none."""
    is_away = item.spec.registry.collector_url is None
    if last is not None and last.finished is None:
        why = "spec.registry.collectorURL was taken away while it was under way"
        ended = {"finished": now, "reason": Reason.INVALID_SPEC, "message": why}
        return last.model_copy(update=ended) if is_away else None
    asked = _asked(item, last)
    if asked is None:
        return None
    if is_away:
        why = "spec.registry.collectorURL is absent: this registry's disk is freed by its own means"
    elif not asked.startswith((_RUN, _DRY_RUN)):
        why = "cyroid.io/collect is neither run/TOKEN nor dry-run/TOKEN"
    else:
        return None
    return CollectionStatus(
        handled=asked,
        started=now,
        finished=now,
        last_run=last.last_run if last else None,
        reason=Reason.INVALID_SPEC,
        message=why,
    )


def due_at(item: ImageCache, last: CollectionStatus | None) -> datetime | None:
    """When the next one is due by `spec.retention`; None: never."""
    every = item.spec.retention.collect_every
    if every is None or item.spec.registry.collector_url is None:
        return None
    since = item.metadata.creation_timestamp
    if last is not None and last.last_run is not None:
        since = max(since, last.last_run)
    due = since + timedelta(seconds=every)
    if last is not None and last.reason is not None and last.finished is not None:
        due = max(due, last.finished + timedelta(seconds=min(every, AGAIN_SECONDS)))
    return due


def over(
    order: CollectionOrder,
    last: CollectionStatus | None,
    result: Collected | Fault,
    now: datetime,
) -> CollectionStatus:
    """The status when it has ended."""
    status = order.begun(last).model_copy(update={"finished": now})
    if isinstance(result, Fault):
        return status.model_copy(update={"reason": result.reason, "message": result.message})
    return status.model_copy(
        update={
            "freed_bytes": result.freed_bytes,
            "blobs": result.blobs,
            "message": _words(result),
            "last_run": status.last_run if order.is_dry_run else now,
        }
    )


def summary(result: Collected) -> str:
    """What people are told: "freed 1.2 GB in 34 blobs"."""
    verb = "would free" if result.is_dry_run else "freed"
    blobs = "1 blob" if result.blobs == 1 else f"{result.blobs} blobs"
    words = f"{verb} {size_text(result.freed_bytes)} in {blobs}"
    if result.is_dry_run:
        return words
    return f"{words}; pushes waited for {result.paused_seconds:.1f} s"


def size_text(size: int) -> str:
    """Bytes in the unit that people would use, such as `1.2 GB`."""
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1000, units[1:]
    return f"{value:.0f} B" if units[0] == "B" else f"{value:.1f} {units[0]}"


def is_pause(fault: Fault) -> bool:
    """May this be the push listener that stands still on purpose? A refusal is none."""
    return fault.reason.mark is Mark.TRANSIENT


def _words(result: Collected) -> str | None:
    if not result.kept:
        return None
    names = "1 repository is" if result.kept == 1 else f"{result.kept} repositories are"
    return f"{names} kept as a whole, since something is not understood: {result.why_kept}"


def _asked(item: ImageCache, last: CollectionStatus | None) -> str | None:
    """The annotation, unless it was answered."""
    asked = item.metadata.collect
    return None if last is not None and last.handled == asked else asked


def _order(
    item: ImageCache, handled: str | None, started: datetime, *, is_dry_run: bool
) -> CollectionOrder:
    moment = started.replace(microsecond=0)  # as status keeps it, for whoever goes on with it
    # Two that are asked for within a second are two: the annotation tells them apart.
    asked = hashlib.sha256((handled or "").encode()).hexdigest()[:8]
    kind = "count" if is_dry_run else "run"
    id_ = f"{item.metadata.uid}/{rfc3339(moment)}/{kind}/{asked}"
    return CollectionOrder(id_, handled, is_dry_run, moment)
