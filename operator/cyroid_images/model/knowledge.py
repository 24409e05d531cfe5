"""What the cache side knows of each wanted image, for the ranges to decide by.

`None` means "could not be seen" or "not looked at yet", never "absent".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cyroid_images.model.archive import ArchiveImage
from cyroid_images.model.engine import EngineEndpoint, EngineInfo
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.images.manifest import Manifest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.registry import RegistryEndpoint, UpstreamEndpoint


@dataclass(frozen=True, slots=True)
class Wish:
    """One image that somebody wants; without a platform it is the engine's own."""

    reference: Reference
    platform: Platform | None = None

    def __hash__(self) -> int:
        return hash(self.reference)

    def __str__(self) -> str:
        return f"{self.reference}{f' ({self.platform})' if self.platform else ''}"


@dataclass(frozen=True, slots=True)
class Stored:
    """An image proven in our registry: where, and what it is."""

    repository: str
    manifest: Manifest
    content: ImageContent


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """A second look at what is stored: is it there, and what does its tag name now?"""

    is_there: bool
    tagged: Digest | None
    """None: there is no such tag."""


@dataclass(frozen=True, slots=True)
class ImageLocation:
    """Where in our registry to look."""

    repository: str
    tag: str | Digest


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look for there: this content, or whatever there is for this platform."""

    content: ImageContent | None = None
    platform: Platform | None = None


@dataclass(frozen=True, slots=True)
class HeldByEngine:
    """An image seen in a source engine: by this ID it is saved and pushed."""

    source: str
    endpoint: EngineEndpoint
    info: EngineInfo
    id: Digest
    content: ImageContent
    size: int = 0
    """Bytes that the engine says it takes: about those of a tar."""


@dataclass(frozen=True, slots=True)
class HeldByUpstream:
    """An image seen in a registry elsewhere: one manifest, copied as it is."""

    source: str
    upstream: UpstreamEndpoint
    stored: Stored
    """Its repository there, its manifest and content."""

    @property
    def id(self) -> Digest:
        return self.stored.manifest.digest

    @property
    def content(self) -> ImageContent:
        return self.stored.content


@dataclass(frozen=True, slots=True)
class UpstreamAsk:
    """What an upstream is asked: has it this image, and what is it?"""

    source: str
    upstream: UpstreamEndpoint
    reference: Reference
    platform: Platform | None
    """None: the operator's own, where there are several."""
    known: HeldByUpstream | None = field(default=None, compare=False)
    """The last answer: if its digest still stands there, nothing more is asked."""


@dataclass(frozen=True, slots=True)
class HeldByArchive:
    """An image seen in an archive of the operator's volume."""

    source: str
    image: ArchiveImage

    @property
    def id(self) -> Digest:
        return self.image.content.identity

    @property
    def content(self) -> ImageContent:
        return self.image.content


SourceImage = HeldByEngine | HeldByUpstream | HeldByArchive
"""An image where it comes from; each says `source`, `id` and `content`."""


@dataclass(frozen=True, slots=True)
class HeldByCache:
    """An image in our registry, as the operator reaches it: what a tar can be built from."""

    registry: RegistryEndpoint
    stored: Stored

    @property
    def source(self) -> str:
        return "the registry"

    @property
    def id(self) -> Digest:
        return self.stored.manifest.digest

    @property
    def content(self) -> ImageContent:
        return self.stored.content


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """All that is known of one wish."""

    content: ImageContent | None = None
    """What the wish means right now; None: not known yet, or `fault` says why not."""
    stored: Stored | None = None
    source: SourceImage | None = None
    fault: Fault | None = None
    """Why the wish has no content."""
    is_unknown: bool = True
    """Without content: somebody who could have it has not answered. False: nobody has it."""
    is_asked: bool = False
    """The registry is just being asked for it, and will have answered soon."""
    registry: Fault | None = None
    """Why the registry, or its storage, cannot tell now whether it has this image."""
    failure: Failure | None = None
    """The last push that failed, while the image is not stored."""


@dataclass(frozen=True, slots=True)
class CacheView:
    """What one ImageCache tells the ranges that name it."""

    pull_host: str
    looked: bool = False
    """False until the first look has ended."""
    registry: Fault | None = None
    """Why the registry cannot serve, or None while it does (or was not looked at)."""
    endpoint: RegistryEndpoint | None = None
    """Where the operator itself reaches the registry; None while that is not known."""
    images: Mapping[Wish, ImageRecord] = field(default_factory=dict)

    def registry_fault(self, wishes: Iterable[Wish]) -> Fault | None:
        """Why the registry cannot serve these: it is away, or cannot tell what it has."""
        known = (self.images.get(wish) for wish in wishes)
        faults = (each.registry for each in known if each is not None and each.registry)
        return self.registry or next(faults, None)
