"""A note to the people who watch an object: what became of it, in one line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cyroid_images.errors import Reason


class EventType(StrEnum):
    """The two types that Kubernetes knows."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True)
class EventNote:
    """One event on one object; `key` tells events of one object and reason apart.

    Notes of the same object, type, reason and key within ten minutes become one event that
    counts. The key is what the note is about: a digest, a pod, a host; never a message,
    which may hold numbers.
    """

    kind: str
    """The kind of the object it is about, such as `RangeImages`."""
    namespace: str
    """Empty for kinds of the cluster."""
    name: str
    uid: str
    reason: Reason
    message: str
    type: EventType = EventType.NORMAL
    key: str = ""
    count: int = 1
    """How often it was said since it was last written."""
