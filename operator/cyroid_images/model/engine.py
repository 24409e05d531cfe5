"""Engines as values: where one is, who it says it is, and what it was seen to hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import EngineImage, ImageContent
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference


class ImageStore(StrEnum):
    """The two image stores of Docker; they answer differently (see `image.py`)."""

    CLASSIC = "classic"
    CONTAINERD = "containerd"


@dataclass(frozen=True, slots=True)
class ClientTLS:
    """Our side of a TLS connection, as PEM texts; never printed."""

    ca: str = field(repr=False)
    certificate: str = field(repr=False)
    key: str = field(repr=False)
    server_name: str
    """The name that the engine's certificate must carry; engines are dialled by address."""


@dataclass(frozen=True, slots=True)
class EngineEndpoint:
    """Where an engine listens: `tcp://host:port` or `unix:///path`; TLS or plain."""

    url: str
    tls: ClientTLS | None = None

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine says of itself (`/info`, `/version`)."""

    id: str
    """Lives in the data root: another ID is another, empty image store."""
    name: str
    version: str
    api: tuple[int, int]
    store: ImageStore
    platform: Platform

    @property
    def reads_zstd(self) -> bool:
        """Docker 23 (API 1.42) and newer read Zstd layers, in pull and in load."""
        return self.api >= (1, 42)

    @property
    def saves_by_platform(self) -> bool:
        """Can `save` be asked for one platform? Of an index it gives all that is there, and from
        Docker 29 attestations and signatures with it."""
        return self.store is ImageStore.CONTAINERD and self.api >= (1, 48)

    def __str__(self) -> str:
        return f"{self.version} {self.store} {self.platform}"


FoundImages = Mapping[Reference, EngineImage | None]
"""By name (with tag or digest) that was asked for: the whole image of that name, or None."""


@dataclass(frozen=True, slots=True)
class EngineView:
    """One look at an engine: who it is and every image that it lists, by its names."""

    info: EngineInfo
    images: Mapping[Reference, EngineImage]
    """By tagged name in normal form; an image with three names stands here three times."""
    by_digest: Mapping[Reference, EngineImage] = field(default_factory=dict)
    """By repository@digest, as the engine recorded them."""
    half: frozenset[Reference] = frozenset()
    """Names and digests of images of which the engine lacks a blob: containers of them run, but
    nobody can save, push or build from them. They stand nowhere else in this view."""

    @property
    def listed(self) -> tuple[EngineImage, ...]:
        """Every image; one with several names stands here as often."""
        return (*self.images.values(), *self.by_digest.values())

    def amended(self, found: FoundImages) -> EngineView:
        """The same with what a later question for some of its names found, and no other name:
        an engine that answers with more fills no memory."""
        images = {name: one for name, one in self.images.items() if name not in found}
        by_digest = {name: one for name, one in self.by_digest.items() if name not in found}
        for name, image in found.items():
            if image is not None:
                (by_digest if name.digest else images)[name] = image
        return EngineView(self.info, images, by_digest, self.half - found.keys())

    @property
    def contents(self) -> Mapping[Digest, ImageContent]:
        """By ID, which names a content for good: what a later look need not ask for again."""
        return {image.id: image.content for image in self.listed}


@dataclass(frozen=True, slots=True)
class ImageListener:
    """Who is told that the images of an engine change; called in the thread that listens."""

    since: float
    """Unix seconds: what happened from then on is told first."""
    ours: frozenset[str]
    """Hosts of names that only transfers of ours give: those come and go unheard."""
    began: Callable[[], None]
    """The engine has begun to tell."""
    changed: Callable[[], None]
