"""Literals that the tests of plans and passes are written with."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Target
from cyroid_images.model.engine import EngineEndpoint, EngineInfo, EngineView, ImageStore
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import EngineImage, ImageContent
from cyroid_images.model.images.manifest import OCI_CONFIG, Descriptor, Manifest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.knowledge import CacheView, HeldByEngine, ImageRecord, Stored, Wish
from cyroid_images.model.observed import (
    CacheSeen,
    EngineShown,
    FailureKey,
    RangeSeen,
    SourceSeen,
    TargetSeen,
)
from cyroid_images.model.registry import RegistryEndpoint
from tests.parts.objects import image_cache, range_images

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
AMD64, ARM64 = Platform.parse("linux/amd64"), Platform.parse("linux/arm64")
REGISTRY = RegistryEndpoint("http://127.0.0.1:5001")
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
BUILDER = EngineEndpoint("tcp://10.0.0.9:2376")


def digest(word: str) -> Digest:
    """A digest that is equal for equal words."""
    return Digest("sha256", hashlib.sha256(word.encode()).hexdigest())


def wish(image: str = "nginx:1.25", platform: Platform | None = None) -> Wish:
    return Wish(Reference.parse(image), platform)


def content(word: str = "one", platform: Platform = AMD64, **digests: Any) -> ImageContent:
    """The content called `word`; without digests it is known by its config."""
    usual = {"config": digest(f"config {word}")}
    setup = f'{{"Cmd": "{word}"}}'
    return ImageContent(platform, (digest(f"layer {word}"),), "", setup, **(digests or usual))


def stored(word: str = "one", *, layer: str = GZIP, platform: Platform = AMD64) -> Stored:
    """The content `word` in our registry, in one layer of 100 bytes and a config of 10."""
    manifest = Manifest(
        digest(f"manifest {word}"),
        "application/vnd.oci.image.manifest.v1+json",
        Descriptor(OCI_CONFIG, digest(f"config {word}"), 10),
        (Descriptor(layer, digest(f"blob {word}"), 100),),
    )
    known = content(word, platform, config=manifest.config.digest, manifest=manifest.digest)
    return Stored("docker.io/library/nginx", manifest, known)


def source(word: str = "one", platform: Platform = AMD64, name: str = "builder") -> HeldByEngine:
    """The content `word` in a source engine."""
    return HeldByEngine(
        name, BUILDER, info(), digest(f"config {word}"), content(word, platform), 100
    )


def image(known: ImageContent, *names: str, digests: tuple[str, ...] = ()) -> EngineImage:
    return EngineImage(
        known.identity,
        known,
        frozenset(map(Reference.parse, names)),
        frozenset(map(Reference.parse, digests)),
        100,
    )


def info(platform: Platform = AMD64, api: tuple[int, int] = (1, 45)) -> EngineInfo:
    return EngineInfo("ENGINE", "dind", "26.1.5", api, ImageStore.CONTAINERD, platform)


def view(
    images: Mapping[str, ImageContent] | None = None,
    by_digest: Mapping[str, ImageContent] | None = None,
    about: EngineInfo | None = None,
) -> EngineView:
    """What an engine shows: contents by tagged name, and by repository@digest."""
    return EngineView(
        about or info(),
        {Reference.parse(name): image(known, name) for name, known in (images or {}).items()},
        {
            Reference.parse(name): image(known, digests=(name,))
            for name, known in (by_digest or {}).items()
        },
    )


def target(number: int = 1) -> Target:
    return Target(f"uid-{number}", f"dind-{number}", EngineEndpoint(f"tcp://10.0.0.{number}:2376"))


def fault(reason: Reason, message: str = "why", retry_after: float | None = None) -> Fault:
    return Fault(reason, message, retry_after)


def failure(reason: Reason, attempts: int = 1, *, due: float = 60.0) -> Failure:
    """Tried in vain `attempts` times; tried again `due` seconds after NOW."""
    return Failure(fault(reason), attempts, NOW + timedelta(seconds=due))


def cache_view(
    images: Mapping[Wish, ImageRecord] | None = None, registry: Fault | None = None
) -> CacheView:
    return CacheView("127.0.0.1:5000", looked=True, registry=registry, images=images or {})


def metadata(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "uid": f"uid of {name}",
        "generation": 3,
        "resourceVersion": "10",
        "creationTimestamp": "2026-05-01T11:00:00Z",
        **fields,
    }


def range_body(name: str = "r", status: Any = None, **spec: Any) -> dict[str, Any]:
    """A RangeImages as the API server tells it."""
    body = range_images(name, **spec)
    about = metadata(name, namespace="default")
    return {**body, "metadata": about, **({"status": status} if status else {})}


def cache_body(name: str = "default", status: Any = None, **spec: Any) -> dict[str, Any]:
    """An ImageCache as the API server tells it."""
    about = metadata(name)
    return {
        **image_cache(name, **spec),
        "metadata": about,
        **({"status": status} if status else {}),
    }


def range_item(*images: str, status: Any = None, **spec: Any) -> RangeImages:
    wanted = [{"image": each} for each in images or ("nginx:1.25",)]
    return RangeImages.parse(range_body(status=status, images=wanted, **spec))


def cache_item(*images: str, status: Any = None, **spec: Any) -> ImageCache:
    wanted = [{"image": each} for each in images]
    return ImageCache.parse(cache_body(status=status, images=wanted, **spec))


def range_seen(
    item: RangeImages | None = None,
    targets: tuple[TargetSeen, ...] = (),
    cache: CacheView | None = None,
    failures: Mapping[FailureKey, Failure] | None = None,
    cache_fault: Fault | None = None,
) -> RangeSeen:
    known = cache or (None if cache_fault else cache_view())
    return RangeSeen(item or range_item(), targets, known, cache_fault, failures or {}, NOW)


def cache_seen(item: ImageCache | None = None, **seen: Any) -> CacheSeen:
    """A pass of a cache that saw a registry without anything in it, unless told otherwise."""
    usual: dict[str, Any] = {
        "sources": (),
        "registry": None,
        "write": None,
        "wishes": {wish(): True},
        "stored": {},
        "failures": {},
        "now": NOW,
    }
    return CacheSeen(item=item or cache_item("nginx:1.25"), **{**usual, **seen})


def source_seen(shown: EngineView | Fault, name: str = "builder") -> SourceSeen:
    if isinstance(shown, Fault):
        return SourceSeen(name, fault=shown)
    return SourceSeen(name, EngineShown(BUILDER, shown))


def failed_here(
    route: Route, reason: Reason, *, number: int = 1, image: str = "nginx:1.25", attempts: int = 1
) -> dict[FailureKey, Failure]:
    key = FailureKey(target(number).uid, wish(image), route)
    return {key: failure(reason, attempts)}
