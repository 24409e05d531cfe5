"""The steps of a plan, as values that say what is moved, where to, and why.

A range is given Pull, Load and Wait per target and image; a cache Push, Copy, Wait and Remove.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cyroid_images.errors import Reason
from cyroid_images.model.engine import EngineEndpoint, EngineInfo
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import Compression
from cyroid_images.model.knowledge import (
    HeldByArchive,
    HeldByCache,
    HeldByEngine,
    HeldByUpstream,
    SourceImage,
    Stored,
    Wish,
)
from cyroid_images.model.registry import RegistryEndpoint


@dataclass(frozen=True, slots=True)
class Target:
    """One engine that must hold images: a pod UID, and where its engine listens."""

    uid: str
    pod: str
    endpoint: EngineEndpoint


@dataclass(frozen=True, slots=True)
class Present:
    """Nothing to do: the image is there, proven."""

    wish: Wish
    content: ImageContent


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing can be done now; the fault says why and what happens next."""

    wish: Wish
    fault: Fault


@dataclass(frozen=True, slots=True)
class Pull:
    """Registry to engine: by digest, then under the name that the range wants."""

    wish: Wish
    target: Target
    info: EngineInfo
    stored: Stored
    pull_host: str

    @property
    def content(self) -> ImageContent:
        return self.stored.content

    @property
    def transport(self) -> Reference:
        """What the engine pulls: our registry, by digest; dropped afterwards."""
        digest = self.stored.manifest.digest
        return Reference(self.pull_host.lower(), self.stored.repository, None, digest)


@dataclass(frozen=True, slots=True)
class Load:
    """Into an engine as a tar, because the registry route does not serve it."""

    wish: Wish
    target: Target
    info: EngineInfo
    source: HeldByCache | SourceImage
    because: Fault

    @property
    def content(self) -> ImageContent:
        return self.source.content


@dataclass(frozen=True, slots=True)
class Untag:
    """Drop transport names that an interrupted transfer left in an engine."""

    endpoint: EngineEndpoint
    names: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Collect:
    """Have the disk of our registry freed of what no tag needs, or have it counted."""

    id: str
    """One collection, whoever asks for it: what was begun already is followed."""
    collector: RegistryEndpoint
    is_dry_run: bool
    keep: frozenset[Digest] = frozenset()
    """Manifests that stay, tagged or not."""


Step = Present | Wait | Pull | Load


@dataclass(frozen=True, slots=True)
class Slot:
    """Where in our registry an image is put, and how layers are compressed on the way."""

    registry: RegistryEndpoint
    repository: str
    tag: str
    compression: Compression = Compression.ZSTD
    is_doubted: bool = False
    """The registry gave out other bytes of it: what it has in the end is read whole."""


@dataclass(frozen=True, slots=True)
class Push:
    """Source engine to registry, under the repository that the reference maps to."""

    wish: Wish
    source: HeldByEngine
    to: Slot


@dataclass(frozen=True, slots=True)
class Copy:
    """Upstream or archive to registry, under the repository that the reference maps to."""

    wish: Wish
    source: HeldByUpstream | HeldByArchive
    to: Slot


@dataclass(frozen=True, slots=True)
class Cached:
    """Nothing to do: the image is in the registry, proven."""

    wish: Wish
    stored: Stored


@dataclass(frozen=True, slots=True)
class Remove:
    """Take an image out of the registry: its tag, and of its manifests what nothing else needs."""

    image: Reference
    registry: RegistryEndpoint = field(repr=False)
    repository: str
    tag: str
    because: str
    """Why, for people."""
    wishes: frozenset[Wish] = frozenset()
    """What the cache knew of it."""
    named: frozenset[Digest] = frozenset()
    """The only digests that the tag may name for this to be the image; empty: whatever it names."""
    known: frozenset[Digest] = frozenset()
    """Manifests of it that the registry was given: they go, too."""
    kept: frozenset[Digest] = frozenset()
    """What wanted images of this repository are known by: none of it goes."""
    leaving: frozenset[str] = frozenset()
    """Tags of this repository that are removed as well: they keep nothing."""


Fill = Push | Copy
"""What brings an image into the registry."""

CacheStep = Cached | Wait | Fill

PROGRESSING = Fault(Reason.PROGRESSING, "first look")
