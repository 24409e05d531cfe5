"""Events as `events.k8s.io/v1` wants them, and the memory that makes repeats count.

Source of the rules: the API reference of Event v1 (events.k8s.io); what is said of an
object of the cluster lives in the namespace `default`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from cyroid_images.kube.connection import Site
from cyroid_images.kube.resources import RESOURCES
from cyroid_images.model.event import EventNote
from cyroid_images.model.text import clean_message

CONTROLLER = "cyroid-operator"
SERIES = timedelta(minutes=10)
"""A note that repeats sooner is the same story; people want it once, with a count."""
_NOTE_BYTES = 1024
"""What the API server takes; it counts bytes here, not characters."""
_NAME_LENGTH = 200
"""Of 253 characters of an event's name, to leave room for what makes it unique."""


@dataclass(slots=True)
class Series:
    """One event that exists: where it is, and how often it was said."""

    namespace: str
    name: str
    count: int
    last: datetime


@dataclass(slots=True)
class Memory:
    """The events of the last ten minutes."""

    _series: dict[tuple[str, ...], Series] = field(default_factory=dict)

    def find(self, note: EventNote, now: datetime) -> Series | None:
        """The event that says the same, if it is recent; what is old is forgotten."""
        self._series = {k: s for k, s in self._series.items() if now - s.last < SERIES}
        return self._series.get(_same(note))

    def keep(self, note: EventNote, series: Series) -> None:
        """Remember what was written."""
        self._series[_same(note)] = series

    def forget(self, note: EventNote) -> None:
        """The event is gone; the next one is new."""
        self._series.pop(_same(note), None)


def namespace_of(note: EventNote) -> str:
    """Where its event lives."""
    return note.namespace or "default"


def new_event(note: EventNote, site: Site, now: datetime) -> dict[str, Any]:
    """The body of an event that is said for the first time."""
    name = f"{note.name[:_NAME_LENGTH]}.{uuid4().hex[:16]}"
    return {
        "apiVersion": RESOURCES["Event"].api_version,
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace_of(note)},
        "eventTime": _micro_time(now),
        "reportingController": CONTROLLER,
        "reportingInstance": site.instance[:128],
        "action": "Reconcile",
        "type": str(note.type),
        "reason": str(note.reason),
        "note": _text(note.message),
        "regarding": _regarding(note),
    }


def repeat(series: Series, now: datetime) -> dict[str, Any]:
    """The patch that makes an event count once more."""
    return {"series": {"count": series.count, "lastObservedTime": _micro_time(now)}}


def _same(note: EventNote) -> tuple[str, ...]:
    return (note.kind, note.uid, note.type, note.reason, note.key)


def _regarding(note: EventNote) -> Mapping[str, str]:
    regarding = {
        "apiVersion": RESOURCES[note.kind].api_version,
        "kind": note.kind,
        "name": note.name,
        "uid": note.uid,
    }
    return {**regarding, "namespace": note.namespace} if note.namespace else regarding


def _text(message: str) -> str:
    """The message within _NOTE_BYTES, with room for an ellipsis."""
    line = clean_message(message, _NOTE_BYTES - 2)
    return line.encode()[:_NOTE_BYTES].decode(errors="ignore")


def _micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
