"""Images that leave the registry: what keeps others there, what is planned, what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cyroid_images.model.fault import Failure
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs
from cyroid_images.model.kinds.lifecycle import RemovedImageStatus, UnusedImageStatus
from cyroid_images.model.knowledge import Wish


@dataclass(frozen=True, slots=True)
class Wanters:
    """Who wants one image."""

    first: str
    """The one that is named."""
    count: int

    def __str__(self) -> str:
        return self.first if self.count == 1 else f"{self.first} and {self.count - 1} more"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of the last attempt to remove an image, or of the last look whether it is gone."""

    is_gone: bool
    """It was, when the registry was asked last."""
    next: datetime
    """When it is looked at again: somebody may push it anew, or the attempt failed."""
    failure: Failure | None = None
    returns: int = 0
    """How often in a row it was removed and there again."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """One image to be removed now."""

    image: Reference
    place: StoredAs
    because: str
    wishes: frozenset[Wish] = frozenset()
    """What this cache knew of it: forgotten when it is gone."""
    known: frozenset[Digest] = frozenset()
    """The manifests of those."""
    named: frozenset[Digest] = frozenset()
    """Where its name holds a digest: what the tag may name, to be this image."""


@dataclass(frozen=True, slots=True)
class RemovalPlan:
    """What a pass decided: what leaves now, what is said, and when time alone changes that."""

    leaving: tuple[Leaving, ...] = ()
    unwanted: frozenset[StoredAs] = frozenset()
    """All that is to leave, now or later, or is gone already."""
    places: frozenset[StoredAs] = frozenset()
    """All that was decided about: what is asked to go, and what is unused."""
    removed: tuple[RemovedImageStatus, ...] = ()
    unused: tuple[UnusedImageStatus, ...] = ()
    since: Mapping[Wish, datetime] = field(default_factory=dict)
    """Since when nobody asks for an image; what is wanted is not here."""
    wakes: datetime | None = None
    """The next moment at which something is due."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal took out of the registry; nothing where all was gone before."""

    manifests: tuple[Digest, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def is_found(self) -> bool:
        """Was there anything to remove?"""
        return bool(self.manifests or self.tags)
