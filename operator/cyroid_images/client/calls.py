"""Every call of the API as a value: its path, what it sends, and how its answer is read.

First the rows that CYROID's clients know, then ours beside them. `cache` is the name of an
ImageCache; None: `default`. `image` is an image as a person writes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from cyroid_images.client.content import UploadContent, chunks_of
from cyroid_images.client.errors import Invalid
from cyroid_images.client.steps import ApiCall, ApiReply, StreamedBody
from cyroid_images.model.text import clean_message
from cyroid_images.overview.blueprints import BundleImported, DockerImagesLoaded
from cyroid_images.overview.collection import CollectionView
from cyroid_images.overview.doctor.checks import Check
from cyroid_images.overview.events import EventView
from cyroid_images.overview.operations import PushStatus
from cyroid_images.overview.pages import EventRow, RangePage
from cyroid_images.overview.people import Asked, Capabilities, Me
from cyroid_images.overview.ranges import RangeDetail
from cyroid_images.overview.registry import (
    ActivePushes,
    CacheRow,
    HostImage,
    ImagePresence,
    ImageRemoved,
    PushStarted,
    RegistryHealth,
    RegistryStats,
    StoredImage,
    TagPage,
    UnpushedImage,
)

T = TypeVar("T")

API = "/api/v1"
REGISTRY = f"{API}/registry"
RANGES = f"{API}/ranges"
EVENTS = f"{API}/events"


@dataclass(frozen=True, slots=True)
class ImagePage:
    """Some of the images of a registry."""

    items: tuple[StoredImage, ...]
    total: int
    """Of all of them, not of this page."""


# -- what CYROID's clients know -------------------------------------------------------------


def images(
    *,
    cache: str | None = None,
    matching: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> ApiCall[ImagePage]:
    """Names in the registry; `matching`: those that hold this text."""
    query = _query(cache=cache, filter=matching, limit=limit, offset=offset)
    return ApiCall("GET", f"{REGISTRY}/images", _image_page, query)


def stats(*, cache: str | None = None) -> ApiCall[RegistryStats]:
    """The registry in numbers, and whether it is healthy."""
    return ApiCall("GET", f"{REGISTRY}/stats", _a(RegistryStats), _query(cache=cache))


def push(image: str, *, cache: str | None = None) -> ApiCall[PushStarted]:
    """Ask that the registry holds this image; nothing is pushed yet when this answers."""
    query, body = _query(cache=cache), {"image_tag": image}
    return ApiCall("POST", f"{REGISTRY}/push", _a(PushStarted), query, body)


def push_status(operation_id: str) -> ApiCall[PushStatus]:
    """How far a push is, into whichever cache."""
    path = f"{REGISTRY}/push/{_name(operation_id)}/status"
    return ApiCall("GET", path, _a(PushStatus))


def active_pushes(*, cache: str | None = None) -> ApiCall[ActivePushes]:
    """Pushes that are not over."""
    return ApiCall("GET", f"{REGISTRY}/pushes/active", _a(ActivePushes), _query(cache=cache))


def image_status(image: str, *, cache: str | None = None) -> ApiCall[ImagePresence]:
    """Where this image is: in the registry, at a source."""
    path = f"{REGISTRY}/status/{_image(image)}"
    return ApiCall("GET", path, _a(ImagePresence), _query(cache=cache))


def health() -> ApiCall[RegistryHealth]:
    """Is the registry of the cache `default` healthy? Nobody needs to sign in for this."""
    return ApiCall("GET", f"{REGISTRY}/health", _a(RegistryHealth))


def delete_image(image: str, *, cache: str | None = None) -> ApiCall[ImageRemoved]:
    """Remove this image from the registry; Conflict where a range wants it."""
    path = f"{REGISTRY}/images/{_image(image)}"
    return ApiCall("DELETE", path, _a(ImageRemoved), _query(cache=cache))


def capabilities() -> ApiCall[Capabilities]:
    """What this installation can do. Nobody needs to sign in for this."""
    return ApiCall("GET", f"{API}/system/capabilities", _a(Capabilities))


def source_images(*, cache: str | None = None) -> ApiCall[tuple[HostImage, ...]]:
    """Images that the source engines hold."""
    return ApiCall("GET", f"{API}/cache/images", _a(tuple[HostImage, ...]), _query(cache=cache))


def upload_docker_images(
    content: UploadContent, *, name: str | None = None, cache: str | None = None
) -> ApiCall[DockerImagesLoaded]:
    """Bring what `docker save` wrote to the archive volume; `name`: that of the file. It is sent
    while it is read, and kept whole or not at all."""
    path = f"{API}/cache/docker-images/upload"
    body = StreamedBody(chunks_of(content), "application/x-tar")
    return ApiCall("POST", path, _a(DockerImagesLoaded), _query(cache=cache, name=name), body)


# -- the registry, beyond that --------------------------------------------------------------


def me(*, cache: str | None = None) -> ApiCall[Me]:
    """Whose token this is, and what its owner may do."""
    return ApiCall("GET", f"{API}/me", _a(Me), _query(cache=cache))


def caches() -> ApiCall[tuple[CacheRow, ...]]:
    """All caches."""
    return ApiCall("GET", f"{API}/caches", _a(tuple[CacheRow, ...]))


def doctor() -> ApiCall[tuple[Check, ...]]:
    """Every precondition of the installation, with what to do where it does not hold."""
    return ApiCall("GET", f"{API}/doctor", _a(tuple[Check, ...]))


def tags(
    *,
    cache: str | None = None,
    matching: str | None = None,
    unused: bool | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> ApiCall[TagPage]:
    """Tags in the registry with digest, size and who wants them; `unused`: those nobody wants."""
    query = _query(cache=cache, filter=matching, unused=unused, limit=limit, offset=offset)
    return ApiCall("GET", f"{REGISTRY}/tags", _a(TagPage), query)


def unpushed(*, cache: str | None = None) -> ApiCall[tuple[UnpushedImage, ...]]:
    """What source engines hold and the registry lacks."""
    read = _a(tuple[UnpushedImage, ...])
    return ApiCall("GET", f"{REGISTRY}/unpushed", read, _query(cache=cache))


def collection(*, cache: str | None = None) -> ApiCall[CollectionView]:
    """The last collection of what no tag needs."""
    return ApiCall("GET", f"{REGISTRY}/gc", _a(CollectionView), _query(cache=cache))


def collect(*, dry_run: bool = True, cache: str | None = None) -> ApiCall[Asked]:
    """Have the disk of the registry freed of what no tag needs, or have counted what that would
    free; `collection` shows what comes of it."""
    query, body = _query(cache=cache), {"dry_run": dry_run}
    return ApiCall("POST", f"{REGISTRY}/gc", _a(Asked), query, body)


def reconcile(*, cache: str | None = None) -> ApiCall[Asked]:
    """Have the registry and its sources looked at now."""
    return ApiCall("POST", f"{REGISTRY}/reconcile", _a(Asked), _query(cache=cache))


def import_bundle(
    content: UploadContent,
    *,
    name: str | None = None,
    push: bool | None = None,
    cache: str | None = None,
) -> ApiCall[BundleImported]:
    """Bring a bundle (zip or tar.gz) to the archive volume; `push` has the registry hold its images
    now. It is sent while it is read, and kept whole or not at all."""
    query = _query(cache=cache, push=push, name=name)
    body = StreamedBody(chunks_of(content), "application/octet-stream")
    return ApiCall("POST", f"{API}/bundles", _a(BundleImported), query, body)


# -- ranges and events ----------------------------------------------------------------------


def ranges(
    *,
    event: str | None = None,
    namespace: str | None = None,
    limit: int | None = None,
    offset: int | None = None,
) -> ApiCall[RangePage]:
    """Ranges, the worst first."""
    query = _query(event=event, namespace=namespace, limit=limit, offset=offset)
    return ApiCall("GET", RANGES, _a(RangePage), query)


def range_detail(namespace: str, name: str) -> ApiCall[RangeDetail]:
    """One range with what is missing and its engines."""
    return ApiCall("GET", _range(namespace, name), _a(RangeDetail))


def reconcile_range(namespace: str, name: str) -> ApiCall[Asked]:
    """Have everything of a range looked at now."""
    return ApiCall("POST", f"{_range(namespace, name)}/reconcile", _a(Asked))


def suspend_range(namespace: str, name: str) -> ApiCall[Asked]:
    """Transfer nothing into a range until it is resumed."""
    return ApiCall("POST", f"{_range(namespace, name)}/suspend", _a(Asked))


def resume_range(namespace: str, name: str) -> ApiCall[Asked]:
    """Go on with a range that was suspended."""
    return ApiCall("POST", f"{_range(namespace, name)}/resume", _a(Asked))


def events() -> ApiCall[tuple[EventRow, ...]]:
    """All events with how many of their ranges are ready."""
    return ApiCall("GET", EVENTS, _a(tuple[EventRow, ...]))


def event(name: str) -> ApiCall[EventView]:
    """All ranges of an event at a glance."""
    return ApiCall("GET", f"{EVENTS}/{_name(name)}", _a(EventView))


# -- streams of events ----------------------------------------------------------------------


def registry_stream(*, cache: str | None = None) -> ApiCall[None]:
    """What changes of the registry, as it changes."""
    return ApiCall("GET", f"{REGISTRY}/events", _nothing, _query(cache=cache))


def range_stream(*, event: str | None = None) -> ApiCall[None]:
    """What changes of ranges, as it changes."""
    return ApiCall("GET", f"{RANGES}/events", _nothing, _query(event=event))


# -- how they are written and read ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Read(Generic[T]):
    """Reads an answer of this type; raises ValueError for what is none."""

    kind: TypeAdapter[T]

    def __call__(self, reply: ApiReply) -> T:
        return self.kind.validate_json(reply.body)


def _a(kind: type[T]) -> Callable[[ApiReply], T]:
    return _Read(TypeAdapter(kind))


def _nothing(_: ApiReply) -> None:
    """A stream has no answer but its events."""


def _image_page(reply: ApiReply) -> ImagePage:
    items = TypeAdapter(tuple[StoredImage, ...]).validate_json(reply.body)
    return ImagePage(items, int(reply.headers.get("x-total-count", len(items))))


def _query(**values: object) -> Mapping[str, str]:
    return {
        name: json.dumps(value) if isinstance(value, bool) else str(value)
        for name, value in values.items()
        if value is not None
    }


def _name(text: str) -> str:
    return _quoted(text, safe="")


def _image(text: str) -> str:
    """The API takes the rest of the path for the image: its slashes stay."""
    return _quoted(text, safe="/:@")


def _quoted(text: str, *, safe: str) -> str:
    """Raises Invalid for what would lead to another path: `..` is resolved before it is sent."""
    if not text or any(part in (".", "..") for part in text.split("/")):
        raise Invalid("the name", f"{clean_message(text, 80)!r} is none of an image or an object")
    return quote(text, safe=safe)


def _range(namespace: str, name: str) -> str:
    return f"{RANGES}/{_name(namespace)}/{_name(name)}"
