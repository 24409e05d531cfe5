"""The rows of an engine's list of images: by what names, and is all of the image there?

A containerd store lists an image of which a blob is missing: one that was pulled while a layer
was there in another form, as from a tar or as gzip, which it then does not fetch. Such an image
runs, but nobody can save, push or build from it. Since API 1.47 the list tells per manifest
whether all of it is `Available`; Docker 28 and 29 list half images, 26 leaves them out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cyroid_images.engine.classify import clean
from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.engine import EngineInfo, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference

MOST_IMAGES = 4096
"""Images of one look; a builder with a thousand is large. Each costs an inspect and memory."""

MOST_NAMES = 4 * MOST_IMAGES
"""Names and digests of all of them together."""

MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError, InvalidReference)
"""What reading an answer raises that is not of the form that engines give."""


@dataclass(frozen=True, slots=True)
class Row:
    """One image as the list tells of it."""

    id: Digest
    names: frozenset[Reference]
    digests: frozenset[Reference]
    size: int
    whole: frozenset[Platform] | None
    """The platforms of which everything is there; None where the engine was not asked."""

    @property
    def all_names(self) -> frozenset[Reference]:
        """What the image can be asked for by."""
        return self.names | self.digests

    def has_whole(self, platform: Platform) -> bool:
        """Is everything there for an image of this platform, as far as the engine tells?"""
        if self.whole is None:
            return True
        # Index and config may differ in the variant: it tells no two of our images apart here.
        machines = {(one.os, one.architecture) for one in self.whole}
        return (platform.os, platform.architecture) in machines


def lists_by_name(info: EngineInfo) -> bool:
    """Are single images to be asked for by the filter `reference` of the list?

    A containerd store works for each image that it lists (moby #47564, #53077; 10 ms on 26.1),
    and knows the filter since Docker 24 (moby #45269). A classic one lists 100 in 5 ms, and would
    leave the digests out that do not match.
    """
    return info.store is ImageStore.CONTAINERD and info.api >= (1, 43)


def lists_manifests(info: EngineInfo) -> bool:
    """Does the list tell what is `Available`? That costs the engine nothing more."""
    return info.store is ImageStore.CONTAINERD and info.api >= (1, 47)


def rows_of(info: EngineInfo, listed: object) -> tuple[Row, ...]:
    """The rows of a list; raises TransferError(ProtocolError) for nonsense and for too many."""
    if not isinstance(listed, list):
        raise TransferError(Reason.PROTOCOL_ERROR, "the engine's list of images is not a list")
    if len(listed) > MOST_IMAGES:
        raise _too_many(f"{len(listed)} images", MOST_IMAGES)
    try:
        rows = tuple(_row_of(item, with_manifests=lists_manifests(info)) for item in listed)
    except MISSHAPEN as exc:
        raise not_an_engine("list of images", exc) from exc
    if (names := sum(len(row.all_names) for row in rows)) > MOST_NAMES:
        raise _too_many(f"{names} names of images", MOST_NAMES)
    return rows


def rows_named(rows: Collection[Row], names: Collection[Reference]) -> tuple[Row, ...]:
    """The rows that have one of these names; a filter may let others through."""
    wanted = frozenset(names)
    return tuple(row for row in rows if row.all_names & wanted)


def not_an_engine(answer: str, exc: Exception) -> TransferError:
    """The error of an answer that no engine gives."""
    said = f"the response ({answer}) is not from a Docker engine: {clean(repr(exc))[:120]}"
    return TransferError(Reason.PROTOCOL_ERROR, said)


def _row_of(item: Mapping[str, Any], *, with_manifests: bool) -> Row:
    return Row(
        id=Digest.parse(item["Id"]),
        names=_references(item.get("RepoTags")),
        digests=_references(item.get("RepoDigests")),
        size=int(item.get("Size") or 0),
        whole=_whole(item.get("Manifests") or []) if with_manifests else None,
    )


def _whole(manifests: object) -> frozenset[Platform]:
    """The platforms whose manifest, config and layers are all there."""
    found: set[Platform] = set()
    for manifest in manifests if isinstance(manifests, list) else []:
        if manifest.get("Kind") == "image" and manifest.get("Available") is True:
            said = manifest["ImageData"]["Platform"]
            platform = (said["os"], said["architecture"], said.get("variant") or "")
            found.add(Platform.of(*platform))
    return frozenset(found)


def _references(texts: object) -> frozenset[Reference]:
    """The names that are references; `<none>:<none>` and old upper-case names are not."""
    found: set[Reference] = set()
    for text in texts if isinstance(texts, list) else []:
        with contextlib.suppress(InvalidReference):
            found.add(Reference.parse(str(text)))
    return frozenset(found)


def _too_many(found: str, most: int) -> TransferError:
    return TransferError(
        Reason.PROTOCOL_ERROR,
        f"the engine lists {found}, more than {most}: docker image prune removes unused ones",
    )
