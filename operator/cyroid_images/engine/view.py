"""What the answers of an engine mean as values: who it is, and which images it holds.

The list (`listing`) says which images exist: inspect of the containerd store still answers for
an image whose load failed. Inspect says what an image is. Its ID is the digest of the config
on a classic engine, and of the manifest or index on the containerd store (moby #48401).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cyroid_images.engine.classify import clean
from cyroid_images.engine.listing import MISSHAPEN, Row, not_an_engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import EngineInfo, EngineView, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import (
    EngineImage,
    ImageContent,
    canonical_setup,
    canonical_time,
    kept_once,
)
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference

NEWEST_API = (1, 48)
"""The newest API that we know; a newer engine speaks it as well."""

OLDEST_API = (1, 41)
"""Docker 20.10. Older ones lack what presence is proven by."""

_CONTAINERD = ["driver-type", "io.containerd.snapshotter.v1"]

MOST_LAYERS = 512
"""Layers believed of one image; the engines' own limit is 128 (MaxLayers, moby)."""


def negotiated(version: Mapping[str, Any]) -> tuple[int, int]:
    """The API version to speak with an engine that answers this to `/version`.

    Raises TransferError(EngineTooOld or EngineTooNew), or ProtocolError for no such answer.
    """
    try:
        newest = _api(version["ApiVersion"])
        oldest = _api(version.get("MinAPIVersion") or "0.0")
    except MISSHAPEN as exc:
        raise not_an_engine("version", exc) from exc
    said = clean(str(version.get("Version")))
    if newest < OLDEST_API:
        raise TransferError(
            Reason.ENGINE_TOO_OLD,
            f"Docker {said} has API {_text(newest)}; the operator needs {_text(OLDEST_API)}"
            " or newer (Docker 20.10)",
        )
    if oldest > NEWEST_API:
        raise TransferError(
            Reason.ENGINE_TOO_NEW,
            f"Docker {said} has no API older than {_text(oldest)}; the newest that this operator"
            f" knows is {_text(NEWEST_API)}: upgrade the operator",
        )
    return min(newest, NEWEST_API)


def _api(text: object) -> tuple[int, int]:
    major, minor = (int(part) for part in str(text).split("."))
    return major, minor


def _text(api: tuple[int, int]) -> str:
    return f"{api[0]}.{api[1]}"


def info_of(answer: Mapping[str, Any], api: tuple[int, int]) -> EngineInfo:
    """What `/info` says; raises TransferError(ProtocolError) when this is no such answer."""
    try:
        is_containerd = _CONTAINERD in (answer.get("DriverStatus") or [])
        return EngineInfo(
            id=clean(str(answer["ID"])),
            name=clean(str(answer["Name"])),
            version=clean(str(answer["ServerVersion"])),
            api=api,
            store=ImageStore.CONTAINERD if is_containerd else ImageStore.CLASSIC,
            platform=Platform.of(clean(answer["OSType"]), clean(answer["Architecture"])),
        )
    except MISSHAPEN as exc:
        raise not_an_engine("info", exc) from exc


Inspect = Callable[[Digest], Mapping[str, Any] | None]
"""Asks the engine for one image by ID; None when it has vanished meanwhile."""


def view_of(
    info: EngineInfo,
    rows: Iterable[Row],
    known: Mapping[Digest, ImageContent],
    inspect: Inspect,
) -> EngineView:
    """The view that a list means; inspects only what is not in `known`."""
    images: dict[Reference, EngineImage] = {}
    by_digest: dict[Reference, EngineImage] = {}
    half: set[Reference] = set()
    for row in rows:
        if not row.all_names:  # nobody can ask for it: a layer of a build, or an old version
            continue
        if row.whole == frozenset():  # an inspect would be answered all the same
            half |= row.all_names
            continue
        image = _image_of(info.store, row, known, inspect)
        if image is None:
            continue
        if not _is_whole(row, image.content.platform):
            half |= row.all_names
            continue
        images |= dict.fromkeys(image.names, image)
        by_digest |= dict.fromkeys(image.digests, image)
    return EngineView(info, images, by_digest, frozenset(half))


def _is_whole(row: Row, platform: Platform) -> bool:
    """Docker 27.0 cannot tell what is available; of a half image it knows no platform."""
    return bool(platform.os) and row.has_whole(platform)


def content_of(store: ImageStore, answer: Mapping[str, Any]) -> ImageContent:
    """What an inspect answer describes; raises TransferError(ProtocolError) for nonsense."""
    try:
        image_id = Digest.parse(answer["Id"])
        layers = (answer.get("RootFS") or {}).get("Layers") or []
        if len(layers) > MOST_LAYERS:
            raise ValueError(f"{len(layers)} layers")
        return ImageContent(
            platform=Platform.of(answer["Os"], answer["Architecture"], answer.get("Variant") or ""),
            diff_ids=tuple(Digest.parse(layer) for layer in layers),
            created=canonical_time(answer.get("Created")),
            setup=canonical_setup(answer.get("Config")),
            config=image_id if store is ImageStore.CLASSIC else None,
            aliases=frozenset({image_id}),
        )
    except MISSHAPEN as exc:
        raise not_an_engine("inspect", exc) from exc


def _image_of(
    store: ImageStore,
    row: Row,
    known: Mapping[Digest, ImageContent],
    inspect: Inspect,
) -> EngineImage | None:
    """One row of the list as a value; None when it vanished before it was inspected."""
    content = known.get(row.id)
    if content is None:
        answer = inspect(row.id)
        if answer is None:
            return None
        content = kept_once(content_of(store, answer))
    recorded = {reference.digest for reference in row.digests if reference.digest}
    if not recorded <= content.identities:
        content = kept_once(replace(content, aliases=content.aliases | recorded))
    return EngineImage(row.id, content, row.names, row.digests, row.size)
