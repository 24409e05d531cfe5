"""The events that the operator told, as people see them with `kubectl get events`."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.demo.cluster import Cluster

_OF_OURS = ("RangeImages", "ImageCache")


@dataclass(frozen=True, slots=True)
class Event:
    """One event; it may have been said several times."""

    id: str
    at: str
    type: str
    reason: str
    about: str
    message: str
    count: int


def read(cluster: Cluster, *, namespace: str) -> list[Event]:
    """The events on our objects, the oldest first; a cache's are in `default`."""
    items = cluster.read("events", f"--namespace={namespace}")["items"]
    ours = [item for item in items if item["involvedObject"]["kind"] in _OF_OURS]
    return sorted((_event(item) for item in ours), key=lambda event: event.at)


def table(events: Sequence[Event]) -> str:
    """The events in lines."""
    width = max((len(event.reason) for event in events), default=0)
    return "\n".join(
        f"{event.type:<8} {event.reason:<{width}}  {event.about}: {event.message}"
        for event in events
    )


def pushes(cluster: Cluster) -> int:
    """How often an image was pushed into the registry, as far as events tell."""
    told = read(cluster, namespace="default")
    return sum(event.count for event in told if event.reason == "ImagePushed")


def _event(item: dict[str, object]) -> Event:
    about, metadata = item["involvedObject"], item["metadata"]
    series = item.get("series") or {}
    assert isinstance(about, dict)
    assert isinstance(metadata, dict)
    assert isinstance(series, dict)
    return Event(
        id=str(metadata["uid"]),
        at=str(item.get("eventTime") or item.get("firstTimestamp") or ""),
        type=str(item.get("type", "")),
        reason=str(item.get("reason", "")),
        about=str(about["name"]),
        message=str(item.get("message", "")),
        count=int(series.get("count", 1)),
    )
