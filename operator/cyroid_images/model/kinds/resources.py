"""Both kinds in one place to import from; each is defined in the file of its name."""

from __future__ import annotations

from cyroid_images.model.kinds.fields import ImageWish, RangeImageWish, SecretRef
from cyroid_images.model.kinds.image_cache import (
    Compression,
    ImageCache,
    ImageCacheSpec,
    PushPolicy,
    Refresh,
    RefreshPolicy,
    RegistrySpec,
)
from cyroid_images.model.kinds.metadata import RECONCILE_AT, Metadata
from cyroid_images.model.kinds.range_images import (
    Delivery,
    DockerAccess,
    ImageCacheRef,
    RangeImages,
    RangeImagesSpec,
    Targets,
    Timeouts,
)
from cyroid_images.model.kinds.selector import LabelSelector, Requirement, SelectorOperator
from cyroid_images.model.kinds.sources import (
    ArchiveSource,
    EngineSource,
    EngineTLS,
    Source,
    UpstreamSource,
)

GROUP = "cyroid.io"
"""The API group of both kinds."""

VERSION = "v1alpha1"
"""Their only version so far."""

__all__ = [
    "GROUP",
    "RECONCILE_AT",
    "VERSION",
    "ArchiveSource",
    "Compression",
    "Delivery",
    "DockerAccess",
    "EngineSource",
    "EngineTLS",
    "ImageCache",
    "ImageCacheRef",
    "ImageCacheSpec",
    "ImageWish",
    "LabelSelector",
    "Metadata",
    "PushPolicy",
    "RangeImageWish",
    "RangeImages",
    "RangeImagesSpec",
    "Refresh",
    "RefreshPolicy",
    "RegistrySpec",
    "Requirement",
    "SecretRef",
    "SelectorOperator",
    "Source",
    "Targets",
    "Timeouts",
    "UpstreamSource",
]
