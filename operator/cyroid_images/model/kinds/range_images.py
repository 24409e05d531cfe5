"""The kind RangeImages: which images the Docker engines of which pods must hold.

`RangeImages.parse` reads an object as the API server gave it. The rules are those of the
CRD, which is generated from these classes (`crds.py`).
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
    Part,
    RangeImageWish,
    Seconds,
    cel,
    refuse,
    seconds,
    unique_by,
)
from cyroid_images.model.kinds.metadata import LONGEST_NAME, Metadata
from cyroid_images.model.kinds.read_status import read_status
from cyroid_images.model.kinds.selector import LabelSelector
from cyroid_images.model.kinds.status import RangeImagesStatus
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.pod import Pod

TLS_PORT = 2376
"""Where an engine listens with TLS, by convention of Docker."""

PLAIN_PORT = 2375
"""Where an engine listens without TLS, by convention of Docker."""

SERVER_NAME = "dind"
"""The name in the certificates that the engines of ranges serve."""


class Delivery(StrEnum):
    """The routes that an image may take into an engine."""

    REGISTRY_THEN_TAR = "RegistryThenTar"
    """Registry first; tar where that failed in a way that tar may help."""
    REGISTRY_ONLY = "RegistryOnly"
    """Never tar."""
    TAR_ONLY = "TarOnly"
    """Never the registry."""


class DockerAccess(Part):
    """How to reach the Docker engine of a target pod."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            (
                "!(has(self.insecure) && self.insecure && has(self.serverName))",
                "serverName needs TLS: remove insecure",
            )
        )
    )

    port: Annotated[int, Field(strict=True, ge=1, le=65535)] | None = None
    """TCP port of the engine on the pod's address; absent: 2376, or 2375 with `insecure`."""

    server_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name that the engine's certificate must carry; absent: `dind`. Not with `insecure`."""

    insecure: Flag = False
    """Talk to the engine without TLS: whoever reaches the port owns the engine. Absent: false."""

    @model_validator(mode="after")
    def _name_needs_tls(self) -> Self:
        if self.insecure and self.server_name is not None:
            raise refuse("serverName needs TLS: remove insecure")
        return self

    @property
    def effective_port(self) -> int:
        """The port to dial."""
        return self.port or (PLAIN_PORT if self.insecure else TLS_PORT)

    @property
    def effective_server_name(self) -> str | None:
        """The name to check in the certificate; None where there is no TLS."""
        return None if self.insecure else self.server_name or SERVER_NAME


def _is_not_empty(selector: LabelSelector) -> LabelSelector:
    if selector.is_empty:
        raise refuse("an empty selector would match every pod")
    return selector


_SELECTOR_RULE = (
    (
        "(has(self.matchLabels) && self.matchLabels.size() > 0)"
        " || (has(self.matchExpressions) && self.matchExpressions.size() > 0)"
    ),
    "an empty selector would match every pod",
)


class Targets(Part):
    """Which engines must hold the images."""

    selector: Annotated[
        LabelSelector,
        AfterValidator(_is_not_empty),
        Field(json_schema_extra=cel(_SELECTOR_RULE)),
    ]
    """Pods of the same namespace, such as `{matchLabels: {cyroid.io/range-id: "42"}}`. A target
    also carries the label `cyroid.io/component: dind` and is not on the host network."""

    docker: DockerAccess = DockerAccess()
    """How to reach the engine in each pod; absent: TLS on port 2376 as `dind`."""


class ImageCacheRef(Part):
    """An ImageCache by name."""

    name: str = Field(pattern=NAME, min_length=1, max_length=LONGEST_NAME)
    """Name of the ImageCache, such as `default`."""


class Timeouts(Part):
    """When a transfer counts as failed."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            (
                # has(): the API server also tries the rule on the default `{}` of the object.
                (
                    "!has(self.stall) || !has(self.total)"
                    " || duration(self.stall) < duration(self.total)"
                ),
                "stall must be shorter than total",
            )
        )
    )

    stall: Seconds = seconds("2m", least="1s", most="24h")
    """Longest time without a single byte, as a duration such as `2m`."""

    total: Seconds = seconds("1h", least="1s", most="168h")
    """Longest time of one transfer in all, as a duration such as `1h`."""

    @model_validator(mode="after")
    def _stall_is_shorter(self) -> Self:
        if self.stall >= self.total:
            raise refuse("stall must be shorter than total")
        return self


class RangeImagesSpec(Part):
    """What a range engineer asks for."""

    suspend: Flag = False
    """Transfer nothing; status is still written. Absent: false."""

    targets: Targets
    """The engines that must hold the images."""

    image_cache_ref: ImageCacheRef = Field(
        ImageCacheRef(name="default"), json_schema_extra={"default": {"name": "default"}}
    )
    """The ImageCache that the images come through; it says where from and which registry."""

    images: Annotated[
        tuple[RangeImageWish, ...],
        Field(
            min_length=1,
            max_length=128,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["image"],
            },
        ),
        unique_by("image"),
    ]
    """The images that every target must hold: 1 to 128, each name once. An image that is taken
    off the list is not deleted from the engines."""

    delivery: Delivery = Delivery.REGISTRY_THEN_TAR
    """`RegistryThenTar`: registry first, tar where that failed in a way that tar may help.
    `RegistryOnly`: never tar. `TarOnly`: never the registry."""

    interval: Seconds = seconds("5m", least="1s", most="168h")
    """How often the engines are looked at again without any event, as a duration such as `5m`."""

    timeouts: Timeouts = Timeouts()
    """When a transfer counts as failed."""


@dataclass(frozen=True, slots=True)
class RangeImages:
    """One object of the kind: who it is, what it asks, what was last said about it."""

    metadata: Metadata
    spec: RangeImagesSpec
    status: RangeImagesStatus
    wishes: tuple[Wish, ...]
    """The images of the spec, in its order: each pass asks for them once per target."""

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> RangeImages:
        """Read an object of the API server; raises InvalidReference or InvalidSpec.

        What cannot be read of the status is left out, so an odd status never blocks work.
        """
        metadata = Metadata.read(body.get("metadata") or {}, at="metadata")
        spec = RangeImagesSpec.read(body.get("spec") or {}, at="spec")
        return cls(
            metadata,
            spec,
            read_status(RangeImagesStatus, body.get("status")),
            tuple(Wish(each.reference, each.platform) for each in spec.images),
        )

    @property
    def cache_name(self) -> str:
        """The ImageCache that it names."""
        return self.spec.image_cache_ref.name

    def selects(self, pod: Pod) -> bool:
        """Whether the pod is of its namespace and its selector matches; see `Pod.is_engine`."""
        return pod.namespace == self.metadata.namespace and self.spec.targets.selector.matches(
            pod.labels
        )

    def asks_the_same(self, other: RangeImages) -> bool:
        """Whether the other version of this object asks for no other work and for no new pass."""
        return self.metadata.asks_the_same(other.metadata) and self.spec == other.spec

    def at_version(self, resource_version: str) -> RangeImages:
        """The same object after our own status write gave it this version."""
        return replace(self, metadata=self.metadata.at_version(resource_version))
