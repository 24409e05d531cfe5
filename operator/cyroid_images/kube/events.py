"""Events as `events.k8s.io/v1` wants them.

Source of the rules: the API reference of Event v1 (events.k8s.io); what is said of an
object of the cluster lives in the namespace `default`. That API lets nobody change the note
of an event; `v1` does, and is the same object under its old names (tried with 1.34).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from cyroid_images.kube.connection import Identity
from cyroid_images.kube.event_correlator import Series
from cyroid_images.kube.resources import RESOURCES
from cyroid_images.model.event import EventNote
from cyroid_images.model.text import clean_bytes

CONTROLLER = "cyroid-operator"
_NOTE_BYTES = 1024
"""What the API server takes; it counts bytes here, not characters."""
_NAME_LENGTH = 200
"""Of 253 characters of an event's name, to leave room for what makes it unique."""


def namespace_of(note: EventNote) -> str:
    """Where its event lives."""
    return note.namespace or "default"


def new_event(note: EventNote, identity: Identity, now: datetime) -> dict[str, Any]:
    """The body of an event that is said for the first time."""
    name = f"{note.name[:_NAME_LENGTH]}.{uuid4().hex[:16]}"
    body = {
        "apiVersion": RESOURCES["Event"].api_version,
        "kind": "Event",
        "metadata": {"name": name, "namespace": namespace_of(note)},
        "eventTime": _micro_time(now),
        "reportingController": CONTROLLER,
        "reportingInstance": identity.instance[:128],
        "action": "Reconcile",
        "type": str(note.type),
        "reason": str(note.reason),
        "note": clean_bytes(note.message, _NOTE_BYTES),
        "regarding": _regarding(note),
    }
    return body if note.count == 1 else {**body, "series": _series(note.count, now)}


def path_of_repeat(series: Series) -> str:
    """Where an event is, as `v1` has it."""
    return RESOURCES["CoreEvent"].path(series.namespace, series.name)


def repeat(series: Series, note: EventNote, now: datetime) -> dict[str, Any]:
    """The patch, at `path_of_repeat`, that makes an event count on and show its newest message."""
    message = clean_bytes(note.message, _NOTE_BYTES)
    return {"message": message, "series": _series(series.count, now)}


def _series(count: int, now: datetime) -> dict[str, Any]:
    return {"count": count, "lastObservedTime": _micro_time(now)}


def _regarding(note: EventNote) -> Mapping[str, str]:
    regarding = {
        "apiVersion": RESOURCES[note.kind].api_version,
        "kind": note.kind,
        "name": note.name,
        "uid": note.uid,
    }
    return {**regarding, "namespace": note.namespace} if note.namespace else regarding


def _micro_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
