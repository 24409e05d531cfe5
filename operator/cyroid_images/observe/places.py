"""The places that are looked at: equal values are one place, another value is another place.

A place never is an address alone: addresses and claimed IDs are used again by others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import HeldByUpstream, Stored, Wanted


@dataclass(frozen=True, slots=True)
class EnginePlace:
    """An engine: of a pod by UID and running containers, or a source by its name."""

    owner: str
    """UID of the pod; of a source engine the UID of its cache and its name."""
    containers: tuple[str, ...]
    """IDs of the containers that run in the pod: another one is another engine process."""
    url: str
    secret: str = ""
    """Name of the Secret with the client certificate; empty: plain TCP or a socket."""
    server_name: str = ""
    party: str = field(default="", compare=False)
    """Whose share of the threads a look takes."""


@dataclass(frozen=True, slots=True)
class ArchivePlace:
    """A path in the archive volume, for one cache."""

    cache: str
    path: str
    party: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """Our registry as one cache (by UID) dials it."""

    cache: str
    url: str
    push_secret: str = ""
    ca_secret: str = ""
    party: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """One image in our registry: at this tag or digest, with this content where it is known."""

    registry: RegistryPlace
    repository: str
    tag: str
    reference: Digest | str
    """What is asked for: the tag, or a digest that alone is believed."""
    wanted: Wanted

    def __hash__(self) -> int:
        """Without the content, whose hash takes as long as a pass has time for all of them."""
        return hash((self.repository, self.tag))


@dataclass(frozen=True, slots=True)
class ImageThere:
    """What was found there."""

    stored: Stored | None
    """None: the registry answered that it is not there."""
    tagged: Digest | None = None
    """What the tag names, where that was asked."""


@dataclass(frozen=True, slots=True)
class UpstreamPlace:
    """One image at an upstream registry, asked for one platform."""

    cache: str
    source: str
    hosts: frozenset[str]
    reference: Reference
    platform: Platform | None
    secret: str = ""
    ca_secret: str = ""
    insecure: bool = False
    party: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class UpstreamAnswer:
    """What an upstream answered."""

    held: HeldByUpstream | None
    """None: it answered that it does not have the image."""
