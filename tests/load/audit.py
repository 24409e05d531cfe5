"""What the operator asked the API server, as the API server itself recorded it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.bench.traces import Trace
from tests.parts.apiserver import ApiServerPart

READS = frozenset({"get", "list", "watch"})
LEASES = "leases"
EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was answered."""

    time: float
    """Seconds since 1970, when it came."""
    verb: str
    resource: str
    object: str
    """Namespace and name."""

    @property
    def is_event(self) -> bool:
        return self.resource == EVENTS

    @property
    def is_write(self) -> bool:
        """Of an object or an event; the Lease is the price of being one, not of the objects."""
        return self.verb not in READS and self.resource != LEASES


def without_events(requests: Sequence[Request]) -> list[Request]:
    """What the objects themselves cost: reads, statuses, gates, the Lease."""
    return [each for each in requests if not each.is_event]


class Audit:
    """Everything that service accounts asked since this was made: only the operator has one."""

    def __init__(self, api: ApiServerPart) -> None:
        self._trace = Trace(api.audit_log)

    def requests(self) -> list[Request]:
        """In the order in which they were answered."""
        return [_request(json.loads(line)) for line in self._trace.lines() if line.endswith("\n")]


def busiest(requests: Sequence[Request], seconds: float) -> float:
    """Requests per second in the busiest window of so many seconds."""
    times = sorted(each.time for each in requests)
    most, start = 0, 0
    for end, at in enumerate(times):
        while at - times[start] > seconds:
            start += 1
        most = max(most, end - start + 1)
    return most / seconds


def told(requests: Sequence[Request]) -> str:
    """The most frequent kinds, for people."""
    kinds = Counter(f"{each.verb} {each.resource}" for each in requests)
    return ", ".join(f"{number} {kind}" for kind, number in kinds.most_common(5)) or "none"


def _request(line: dict[str, Any]) -> Request:
    about = line.get("objectRef") or {}
    moment = datetime.fromisoformat(line["requestReceivedTimestamp"])
    place = f"{about.get('namespace', '')}/{about.get('name', '')}"
    kind = "/".join(filter(None, (about.get("resource", ""), about.get("subresource", ""))))
    return Request(moment.timestamp(), line["verb"], kind, place)
