"""The kind ImageCache: one registry, how it is filled, and what it holds in advance.

`ImageCache.parse` reads an object as the API server gave it. The rules are those of the
CRD, which is generated from these classes (`crds.py`). Secrets are read by name from the
operator's own namespace only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from cyroid_images.model.kinds.fields import (
    NAME,
    Flag,
    HostSet,
    HostText,
    ImageWish,
    Part,
    Seconds,
    SecretRef,
    SomeHosts,
    cel,
    refuse,
    seconds,
    unique_by,
)
from cyroid_images.model.kinds.limits import Limits
from cyroid_images.model.kinds.metadata import Metadata
from cyroid_images.model.kinds.read_status import read_status
from cyroid_images.model.kinds.selector import LabelSelector
from cyroid_images.model.kinds.status import ImageCacheStatus

_ADDRESS = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
"""A host name, an IPv4 address, or an IPv6 address in brackets."""


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

    push_url: str = Field(
        alias="pushURL", pattern=rf"^https?://{_ADDRESS}(?::[0-9]{{1,5}})?$", max_length=512
    )
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

    compression: Compression = Compression.ZSTD
    """`Zstd`, or `Gzip` for engines older than Docker 23 (they get Zstd images by tar)."""


class EngineTLS(Part):
    """The operator's client certificate for a source engine."""

    secret_ref: SecretRef
    """Secret with the keys `ca.crt`, `tls.crt` and `tls.key`."""

    server_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name that the engine's certificate must carry; absent: the host of the endpoint."""


_UNIX_OR_ONE = (
    (
        "self.endpoint.startsWith('unix://')"
        " ? !has(self.tls) && !(has(self.insecure) && self.insecure)"
        " : has(self.tls) != (has(self.insecure) && self.insecure)"
    ),
    "a tcp endpoint needs exactly one of tls or insecure: true, a unix endpoint neither",
)


class EngineSource(Part):
    """A Docker engine that has images, such as the one that builds them."""

    model_config = ConfigDict(json_schema_extra=cel(_UNIX_OR_ONE))

    endpoint: str = Field(
        pattern=rf"^(?:tcp://{_ADDRESS}:[0-9]{{1,5}}|unix:///[A-Za-z0-9._/-]+)$", max_length=512
    )
    """`tcp://host:port`, such as `tcp://cyroid-builder.cyroid.svc:2376`, or `unix:///path`."""

    tls: EngineTLS | None = None
    """TLS with a client certificate; a tcp endpoint has this or `insecure: true`."""

    insecure: Flag = False
    """Talk to the engine without TLS. Absent: false."""

    @model_validator(mode="after")
    def _is_protected_or_says_so(self) -> Self:
        protections = (self.tls is not None) + self.insecure
        if protections != (0 if self.endpoint.startswith("unix://") else 1):
            raise refuse(_UNIX_OR_ONE[1])
        return self


class UpstreamSource(Part):
    """Registries elsewhere; images are copied from them under their own names."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            (
                "!(has(self.insecure) && self.insecure && has(self.caSecretRef))",
                "caSecretRef needs TLS: remove insecure",
            )
        )
    )

    hosts: SomeHosts
    """host[:port] of the registries that may be asked, such as `docker.io`; each serves the
    images of its own name only."""

    secret_ref: SecretRef | None = None
    """Secret of type `kubernetes.io/basic-auth` or `kubernetes.io/dockerconfigjson` with
    credentials; absent: anonymous."""

    ca_secret_ref: SecretRef | None = None
    """Secret with the key `ca.crt` that vouches for the hosts; absent: the CAs of the system."""

    insecure: Flag = False
    """Talk to the hosts by plain HTTP. Absent: false."""

    @model_validator(mode="after")
    def _ca_needs_tls(self) -> Self:
        if self.insecure and self.ca_secret_ref is not None:
            raise refuse("caSecretRef needs TLS: remove insecure")
        return self


_INSIDE = ("!self.matches('(^|/)[.][.](/|$)')", "the path must stay inside the archive volume")


def _stays_inside(path: str) -> str:
    if ".." in path.split("/"):
        raise refuse(_INSIDE[1])
    return path


class ArchiveSource(Part):
    """Tar archives (docker save or OCI layout) in the operator's archive volume."""

    path: Annotated[
        str,
        Field(
            min_length=1,
            max_length=512,
            pattern=r"^[A-Za-z0-9._-][A-Za-z0-9._/ -]*$",
            json_schema_extra=cel(_INSIDE),
        ),
        AfterValidator(_stays_inside),
    ]
    """File or folder inside the archive volume, such as `bundles`; relative, without `..`."""


_ONE_KIND = (
    "[has(self.engine), has(self.upstream), has(self.archive)].filter(x, x).size() == 1",
    "exactly one of engine, upstream or archive",
)


class Source(Part):
    """One place that images come from: an engine, upstream registries or archives."""

    model_config = ConfigDict(json_schema_extra=cel(_ONE_KIND))

    name: str = Field(pattern=NAME, min_length=1, max_length=63)
    """Name of the source in status and messages, such as `builder`."""

    engine: EngineSource | None = None
    """A Docker engine."""

    upstream: UpstreamSource | None = None
    """Registries elsewhere."""

    archive: ArchiveSource | None = None
    """Archives in the operator's archive volume."""

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if sum(part is not None for part in (self.engine, self.upstream, self.archive)) != 1:
            raise refuse(_ONE_KIND[1])
        return self


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

    allowed_namespaces: LabelSelector | None = None
    """Namespaces whose RangeImages may use the cache, by their labels; absent: every one."""

    refresh: Refresh = Refresh()
    """How the cache follows tags that move at their source."""

    limits: Limits = Limits()
    """How far the ranges that use the cache may go; a range that asks for more gets this."""

    push_policy: PushPolicy = PushPolicy.ON_DEMAND
    """`OnDemand`: what is listed or wanted by a range. `Automatic` is accepted, and treated as
    `OnDemand` so far."""


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
