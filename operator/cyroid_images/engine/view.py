"""What the answers of an engine mean as values: who it is, and which images it lists.

The list says which images exist: inspect of the containerd store still answers for an image
whose load failed. Inspect says what an image is. Its ID is the digest of the config on a
classic engine, and of the manifest or index on the containerd store (moby #48401).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cyroid_images.engine.classify import clean
from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.digest import Digest
from cyroid_images.model.engine import EngineInfo, EngineView, Store
from cyroid_images.model.image import (
    EngineImage,
    ImageContent,
    canonical_setup,
    canonical_time,
    kept_once,
)
from cyroid_images.model.platform import Platform
from cyroid_images.model.reference import Reference

NEWEST_API = (1, 48)
"""The newest API that we know; a newer engine speaks it as well."""

OLDEST_API = (1, 41)
"""Docker 20.10. Older ones lack what presence is proven by."""

_CONTAINERD = ["driver-type", "io.containerd.snapshotter.v1"]
_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, InvalidReference)


def negotiated(version: Mapping[str, Any]) -> tuple[int, int]:
    """The API version to speak with an engine that answers this to `/version`.

    Raises TransferError(EngineTooOld), or ProtocolError when this is no such answer.
    """
    try:
        major, minor = (int(part) for part in str(version["ApiVersion"]).split("."))
    except _MISSHAPEN as exc:
        raise _no_engine("version", exc) from exc
    if (major, minor) < OLDEST_API:
        said = clean(str(version.get("Version")))
        raise TransferError(
            Reason.ENGINE_TOO_OLD, f"engine {said} speaks API {major}.{minor}; 1.41 is the oldest"
        )
    return min((major, minor), NEWEST_API)


def info_of(answer: Mapping[str, Any], api: tuple[int, int]) -> EngineInfo:
    """What `/info` says; raises TransferError(ProtocolError) when this is no such answer."""
    try:
        is_containerd = _CONTAINERD in (answer.get("DriverStatus") or [])
        return EngineInfo(
            id=clean(str(answer["ID"])),
            name=clean(str(answer["Name"])),
            version=clean(str(answer["ServerVersion"])),
            api=api,
            store=Store.CONTAINERD if is_containerd else Store.CLASSIC,
            platform=Platform.of(clean(answer["OSType"]), clean(answer["Architecture"])),
        )
    except _MISSHAPEN as exc:
        raise _no_engine("info", exc) from exc


Inspect = Callable[[Digest], Mapping[str, Any] | None]
"""Asks the engine for one image by ID; None when it has vanished meanwhile."""


def view_of(
    info: EngineInfo,
    listed: object,
    known: Mapping[Digest, ImageContent],
    inspect: Inspect,
) -> EngineView:
    """The view that a list means; inspects only what is not in `known`."""
    images: dict[Reference, EngineImage] = {}
    by_digest: dict[Reference, EngineImage] = {}
    if not isinstance(listed, list):
        raise TransferError(Reason.PROTOCOL_ERROR, "the engine's list of images is no list")
    for item in listed:
        image = _image_of(info.store, item, known, inspect)
        if image is None:
            continue
        images |= dict.fromkeys(image.names, image)
        by_digest |= dict.fromkeys(image.digests, image)
    return EngineView(info, images, by_digest)


def lists_by_name(info: EngineInfo) -> bool:
    """Is one image to be asked for by the filter `reference` of the list?

    A containerd store works for each image that it lists (moby #47564, #53077; 10 ms on 26.1),
    and knows the filter since Docker 24 (moby #45269). A classic one lists 100 in 5 ms, and would
    leave the digests out that do not match.
    """
    return info.store is Store.CONTAINERD and info.api >= (1, 43)


def rows_named(listed: object, name: Reference) -> object:
    """Of such a list the rows with this name; what is no list stays what it is."""
    if not isinstance(listed, list):
        return listed
    try:
        return [item for item in listed if name in _references(item.get("RepoTags"))]
    except _MISSHAPEN as exc:
        raise _no_engine("list of images", exc) from exc


def content_of(store: Store, answer: Mapping[str, Any]) -> ImageContent:
    """What an inspect answer describes; raises TransferError(ProtocolError) for nonsense."""
    try:
        image_id = Digest.parse(answer["Id"])
        layers = (answer.get("RootFS") or {}).get("Layers") or []
        return ImageContent(
            platform=Platform.of(answer["Os"], answer["Architecture"], answer.get("Variant") or ""),
            diff_ids=tuple(Digest.parse(layer) for layer in layers),
            created=canonical_time(answer.get("Created")),
            setup=canonical_setup(answer.get("Config")),
            config=image_id if store is Store.CLASSIC else None,
            aliases=frozenset({image_id}),
        )
    except _MISSHAPEN as exc:
        raise _no_engine("inspect", exc) from exc


def _image_of(
    store: Store,
    item: Mapping[str, Any],
    known: Mapping[Digest, ImageContent],
    inspect: Inspect,
) -> EngineImage | None:
    """One row of the list as a value; None when it vanished before it was inspected."""
    try:
        image_id = Digest.parse(item["Id"])
        names, digests = _references(item.get("RepoTags")), _references(item.get("RepoDigests"))
        size = int(item.get("Size") or 0)
    except _MISSHAPEN as exc:
        raise _no_engine("list of images", exc) from exc
    content = known.get(image_id)
    if content is None:
        answer = inspect(image_id)
        if answer is None:
            return None
        content = kept_once(content_of(store, answer))
    recorded = {reference.digest for reference in digests if reference.digest}
    if not recorded <= content.aliases:
        content = kept_once(replace(content, aliases=content.aliases | recorded))
    return EngineImage(image_id, content, names, digests, size)


def _references(texts: object) -> frozenset[Reference]:
    """The names that are references; `<none>:<none>` and old upper-case names are not."""
    found: set[Reference] = set()
    for text in texts if isinstance(texts, list) else []:
        with contextlib.suppress(InvalidReference):
            found.add(Reference.parse(str(text)))
    return frozenset(found)


def _no_engine(answer: str, exc: Exception) -> TransferError:
    return TransferError(
        Reason.PROTOCOL_ERROR, f"no engine's answer ({answer}): {clean(repr(exc))[:120]}"
    )
