"""What the controller asks of the outside, and how much of it at a time; wiring fills it in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cyroid_images.execute.executor import Told
from cyroid_images.execute.ports import Movers
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.clock import Clock
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.observed import EngineShown
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.measures import Measures
from cyroid_images.observe.observer import Looker
from cyroid_images.observe.places import (
    ArchivePlace,
    EnginePlace,
    ImagePlace,
    ImageThere,
    RegistryPlace,
    UpstreamAnswer,
    UpstreamPlace,
)
from cyroid_images.observe.source_events import Watcher
from cyroid_images.plan.limits import RangeLimits
from cyroid_images.report.ports import Recorder, StatusAPI
from cyroid_images.scheduling.computing import Computing
from cyroid_images.scheduling.fair_turns import Limit
from cyroid_images.store.keys import Kind


class Lists(Protocol):
    """Whole lists of what the watches tell of."""

    def pages(self, kind: Kind) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        """Every object of this kind, a page at a time; raises ApiUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Lookers:
    """How each kind of place is looked at."""

    range_engines: Looker[EnginePlace, EngineShown]
    source_engines: Looker[EnginePlace, EngineShown]
    archives: Looker[ArchivePlace, ArchiveView]
    upstreams: Looker[UpstreamPlace, UpstreamAnswer]
    registries: Looker[RegistryPlace, RegistryEndpoint]
    images: Looker[ImagePlace, ImageThere]
    source_events: Watcher | None = None
    """How source engines are listened to; absent: they are only looked at."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Threads per purpose, and limits of transfers by kind; one party has half of each."""

    range_engines: int
    source_engines: int
    archives: int
    upstreams: int
    registries: int
    limits: Mapping[str, Limit]

    @property
    def transfers(self) -> int:
        """Threads for transfers: as many as may run at a time."""
        return sum(self.limits[each].size for each in ("pulls", "bytes", "tidy"))


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside, as the controller sees it."""

    lookers: Lookers
    movers: Movers
    api: StatusAPI
    recorder: Recorder
    clock: Clock
    measures: Measures
    told: Told
    """Is told of each transfer that ended."""
    client_secret: str
    platform: Platform
    range_limits: RangeLimits
    computing: Computing | None = None
    """Bounds how many looks compute at the same time; absent: all of them may."""
