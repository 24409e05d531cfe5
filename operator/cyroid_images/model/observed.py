"""What one pass saw: the input of its plan and of its report, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cyroid_images.model.actions import Step, Target
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import CollectionStatus
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import TarDelivery
from cyroid_images.model.knowledge import CacheView, HeldByUpstream, SourceImage, Stored, Wish
from cyroid_images.model.offer import NO_OFFERS, Offers
from cyroid_images.model.removal import RemovalPlan
from cyroid_images.model.telemetry.progress import Progress


@dataclass(frozen=True, slots=True)
class TargetSeen:
    """One target and its engine: a view, or the fault why there is none."""

    target: Target
    view: EngineView | None = None
    fault: Fault | None = None
    conflicts: Mapping[Wish, Fault] = field(default_factory=dict)
    """Images whose name an older object claims in this target with other content."""
    since: datetime | None = None
    """When the last look that showed something began; None: there was none yet."""
    is_stale: bool = False
    """Something happened there that no look has seen yet: nothing new is begun."""


@dataclass(frozen=True, slots=True)
class FailureKey:
    """Which transfer into a target failed."""

    uid: str
    wish: Wish
    route: Route


@dataclass(frozen=True, slots=True)
class RangeSeen:
    """Everything that one pass of a RangeImages saw."""

    item: RangeImages
    targets: tuple[TargetSeen, ...]
    cache: CacheView | None
    """None while the cache cannot be used: `cache_fault` says why."""
    cache_fault: Fault | None
    failures: Mapping[FailureKey, Failure]
    now: datetime
    is_looking: bool = False
    """A look that was asked for is under way at a target: a manual pass is not over yet."""

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """The images of the spec, in its order."""
        return self.item.wishes


@dataclass(frozen=True, slots=True)
class Running:
    """A transfer on its way: into which pod (none: into the registry), how far, how fast."""

    wish: Wish
    pod: str | None
    route: Route
    progress: Progress | None
    """None while it waits for its turn."""
    rate: float
    """Bytes per second."""


@dataclass(frozen=True, slots=True)
class RangeDone:
    """What the pass decided and knows besides: the rest of what a report needs."""

    steps: Mapping[str, tuple[Step, ...]]
    """Per target UID, in the order of the wishes."""
    running: tuple[Running, ...]
    tar: tuple[TarDelivery, ...]
    tar_causes: Mapping[tuple[str, str], str]
    """By target and image: the error that made a load necessary."""
    renewed: Mapping[tuple[str, Wish], Digest] = field(default_factory=dict)
    """By target UID: images that were delivered with this digest, and are wanted anew."""


@dataclass(frozen=True, slots=True)
class EngineShown:
    """What a source engine shows: every image that it lists."""

    endpoint: EngineEndpoint
    view: EngineView


@dataclass(frozen=True, slots=True)
class UpstreamShown:
    """What the registries of an upstream source answered, for the images they were asked for."""

    hosts: frozenset[str]
    answers: Mapping[Wish, HeldByUpstream | Fault | None] = field(default_factory=dict)
    """None: it is not there. What no earlier source lacks was not asked for."""


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """One source of a cache: what it shows, or the fault why that is not known."""

    name: str
    shown: EngineShown | ArchiveView | UpstreamShown | None = None
    fault: Fault | None = None
    is_stale: bool = False
    """Something happened there that no look has seen yet."""


@dataclass(frozen=True, slots=True)
class CacheSeen:
    """Everything that one pass of an ImageCache saw."""

    item: ImageCache
    sources: tuple[SourceSeen, ...]
    registry: Fault | None
    """Why it does not answer; None while it does."""
    write: Fault | None
    """Why it refused the last write, although it answers."""
    wishes: Mapping[Wish, bool]
    """What is wanted, and whether it may be pushed now (False: only looked up)."""
    stored: Mapping[Wish, Stored]
    """What is proven in the registry."""
    failures: Mapping[Wish, Failure]
    now: datetime
    hosts: Mapping[str, Failure] = field(default_factory=dict)
    """Upstream hosts that are left alone for a while."""
    refilling: frozenset[Wish] = frozenset()
    """Was in the registry, and the registry lost it."""
    doubted: frozenset[Wish] = frozenset()
    """The registry gave an engine other bytes of it."""
    default: Platform | None = None
    """Which platform of several is meant where nobody names one: the operator's own."""
    lookups: Mapping[Wish, Fault] = field(default_factory=dict)
    """Why the registry could not tell whether it has an image; one that is not asked yet is
    here with the reason Progressing."""
    not_fresh: frozenset[Wish] = frozenset()
    """Wished for since the sources were looked at last: what they lack may be there by now."""
    found: Mapping[Wish, SourceImage | Fault] = field(default_factory=dict)
    """Where each wish comes from, or why that is not known; computed once for a pass."""
    anchors: Mapping[Wish, Digest] = field(default_factory=dict)
    """The digest that was proven against a source: believed while no source can be seen."""
    collection: CollectionStatus | None = None
    """What is said of the last collection of the registry's disk, or of one under way."""
    is_looking: bool = False
    """A look is under way at the registry or a source: a manual pass is not over yet."""
    offers: Offers = NO_OFFERS
    """What engine sources hold, whether anybody wants it or not."""
    removal: RemovalPlan = field(default_factory=RemovalPlan)
    """What leaves the registry, and what is said of it."""
