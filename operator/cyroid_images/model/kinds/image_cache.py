"""The kind ImageCache: one registry, how it is filled, and what it holds in advance.

`ImageCache.parse` reads an object as the API server gave it. The rules are those of the
CRD, which is generated from these classes (`crds.py`). Secrets are read by name from the
operator's own namespace only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from cyroid_images.model.kinds.fields import (
    Flag,
    HostSet,
    HostText,
    ImageName,
    ImageWish,
    Part,
    Seconds,
    SecretRef,
    cel,
    refuse,
    seconds,
    unique_by,
)
from cyroid_images.model.kinds.limits import Limits
from cyroid_images.model.kinds.metadata import Metadata
from cyroid_images.model.kinds.read_status import read_status
from cyroid_images.model.kinds.retention import Retention
from cyroid_images.model.kinds.selector import LabelSelector
from cyroid_images.model.kinds.sources import Source, URLText
from cyroid_images.model.kinds.status import ImageCacheStatus


class Compression(StrEnum):
    """How layers are compressed in the registry."""

    ZSTD = "Zstd"
    """Faster to pull; engines older than Docker 23 cannot read it."""
    GZIP = "Gzip"
    """Every engine reads it."""


class RefreshPolicy(StrEnum):
    """What happens when a tag moves at its source."""

    TRACK = "Track"
    """The new content is pushed and delivered."""
    PIN = "Pin"
    """The first digest stays."""


class PushPolicy(StrEnum):
    """When an image goes into the registry without being asked for."""

    ON_DEMAND = "OnDemand"
    """Never: only what is listed, or wanted by a range."""
    AUTOMATIC = "Automatic"
    """Also what is newly built in an engine source."""


class RegistrySpec(Part):
    """The registry: one listener for the operator, one for the engines."""

    push_url: URLText = Field(alias="pushURL")
    """Where the operator reads and writes, such as `https://cyroid-registry.cyroid.svc:5001`;
    http or https, no path."""

    pull_host: HostText
    """host[:port] that the engines of ranges put before a repository, such as
    `cyroid-registry.cyroid.svc:5000`; it has a dot or a port, or is `localhost`."""

    push_secret_ref: SecretRef | None = None
    """Secret of type `kubernetes.io/basic-auth` with the operator's name and password; absent:
    none are sent."""

    ca_secret_ref: SecretRef | None = None
    """Secret with the key `ca.crt` that vouches for `pushURL`; absent: the CAs of the system."""

    collector_url: URLText | None = Field(None, alias="collectorURL")
    """Where the collector of this registry answers, such as `http://cyroid-registry.cyroid.svc:5002`,
    with the push credentials and CA; absent: its disk is freed by its own means."""

    compression: Compression = Compression.ZSTD
    """`Zstd`, or `Gzip` for engines older than Docker 23 (they get Zstd images by tar)."""


class Refresh(Part):
    """How the cache follows tags that move at their source."""

    policy: RefreshPolicy = RefreshPolicy.TRACK
    """`Track`: a moved tag is pushed and delivered again. `Pin`: the first digest stays."""

    interval: Seconds = seconds("10m", least="1s", most="168h")
    """How often sources and registry are looked at again, as a duration such as `10m`."""


_NOT_DOCKER_HUB = (
    "!self.exists(host, host.matches('^(?i:(index[.])?docker[.]io)$'))",
    "docker.io cannot be an alias: every name without a host would mean this registry",
)


def _is_not_docker_hub(aliases: tuple[str, ...]) -> tuple[str, ...]:
    if any(alias.lower() in ("docker.io", "index.docker.io") for alias in aliases):
        raise refuse(_NOT_DOCKER_HUB[1])
    return aliases


class ImageCacheSpec(Part):
    """What the platform admin sets up."""

    suspend: Flag = False
    """Transfer nothing; status is still written. Absent: false."""

    registry: RegistrySpec
    """The registry that holds the images."""

    sources: Annotated[
        tuple[Source, ...],
        Field(
            max_length=16,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        ),
        unique_by("name"),
    ] = Field(())
    """Where images come from, in the order in which they are asked; absent: nowhere, the
    registry must have them."""

    aliases: Annotated[
        HostSet, AfterValidator(_is_not_docker_hub), Field(json_schema_extra=cel(_NOT_DOCKER_HUB))
    ] = Field(())
    """Spellings of this registry inside image names, such as `127.0.0.1:5000`."""

    images: Annotated[
        tuple[ImageWish, ...],
        Field(
            max_length=128,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["image"],
            },
        ),
        unique_by("image"),
    ] = Field(())
    """Images that the registry holds before any range asks: at most 128, each name once."""

    removed_images: Annotated[
        tuple[ImageName, ...],
        Field(
            max_length=128,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["image"],
            },
        ),
        unique_by("image"),
    ] = Field(())
    """Names that the registry shall not hold any more: their tags are removed, unless
    `spec.images` lists or a range wants them; at most 128. Sources keep what they have."""

    retention: Retention = Retention()
    """How long the registry keeps what nobody asks for; absent: for ever."""

    allowed_namespaces: LabelSelector | None = None
    """Namespaces whose RangeImages may use the cache, by their labels; absent: every one."""

    refresh: Refresh = Refresh()
    """How the cache follows tags that move at their source."""

    limits: Limits = Limits()
    """How far the ranges that use the cache may go; a range that asks for more gets this."""

    push_policy: PushPolicy = PushPolicy.ON_DEMAND
    """`OnDemand`: what is listed or wanted by a range. `Automatic`: also what is built, loaded or
    tagged in an engine source."""


@dataclass(frozen=True, slots=True)
class ImageCache:
    """One object of the kind: who it is, what it asks, what was last said about it."""

    metadata: Metadata
    spec: ImageCacheSpec
    status: ImageCacheStatus

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> ImageCache:
        """Read an object of the API server; raises InvalidReference or InvalidSpec.

        What cannot be read of the status is left out, so an odd status never blocks work.
        """
        return cls(
            Metadata.read(body.get("metadata") or {}, at="metadata"),
            ImageCacheSpec.read(body.get("spec") or {}, at="spec"),
            read_status(ImageCacheStatus, body.get("status")),
        )

    def asks_the_same(self, other: ImageCache) -> bool:
        """Whether the other version of this object asks for no other work and for no new pass."""
        return self.metadata.asks_the_same(other.metadata) and self.spec == other.spec

    def at_version(self, resource_version: str) -> ImageCache:
        """The same object after our own status write gave it this version."""
        return replace(self, metadata=self.metadata.at_version(resource_version))
