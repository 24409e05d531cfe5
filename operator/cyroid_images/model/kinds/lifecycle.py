"""Rows of a status about an image's life: on its way, at a source, removed, collected."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cyroid_images.model.fault import Route
from cyroid_images.model.kinds.conditions import Moment, ReasonField
from cyroid_images.model.kinds.fields import Part
from cyroid_images.model.kinds.status_fields import (
    Count,
    DigestField,
    ImageText,
    Name,
    OnlyIfTrue,
    PlatformText,
    RowMessage,
)


class TransferStatus(Part):
    """One transfer that is under way."""

    image: ImageText
    """The image as the spec or a range names it."""
    pod: Name | None = None
    """Name of the target pod; absent for a transfer into the registry."""
    route: Route
    """`Registry` or `Tar`."""
    done_bytes: Count = 0
    """Bytes moved so far; they never go back."""
    total_bytes: Count | None = None
    """Bytes in all; absent until it is known."""
    bytes_per_second: Count = 0
    """How fast it is."""
    is_waiting: OnlyIfTrue = False
    """It waits for its turn. Absent: false."""


class SourceImageStatus(Part):
    """One image that an engine source holds."""

    image: ImageText
    """Its name in the engine."""
    source: Annotated[str, Field(max_length=63)]
    """Name of the source."""
    id: DigestField
    """What the engine calls it: another ID is another content."""
    size_bytes: Count | None = None
    """Bytes that the engine says it takes."""
    created: Moment | None = None
    """When it was built, as it says itself; RFC 3339, UTC."""
    in_registry: bool | None = None
    """Whether the registry had this content under this name when it was last asked; absent: not
    known."""
    reason: ReasonField | None = None
    """Why `pushPolicy: Automatic` could not push it, in words in `failures`; absent when that was
    not tried, or not in vain."""


class RemovedImageStatus(Part):
    """One image of `spec.removedImages`."""

    image: ImageText
    """The image as the spec names it."""
    is_removed: OnlyIfTrue = False
    """Its tag is gone from the registry. Absent: false."""
    reason: ReasonField | None = None
    """Why it is still there; absent when it is not."""
    message: RowMessage | None = None
    """The same for people; one line."""


class UnusedImageStatus(Part):
    """One image that the registry holds and nobody asks for, where `retention.unused` is set."""

    image: ImageText
    """Its name."""
    platform: PlatformText | None = None
    """Its platform, where one was asked for."""
    since: Moment
    """Since when nobody asks for it; RFC 3339, UTC."""


class CollectionStatus(Part):
    """The last collection of what no tag needs, or the one that is under way."""

    handled: Annotated[str, Field(max_length=128)] | None = None
    """Value of the annotation `cyroid.io/collect` that was answered last."""
    is_dry_run: OnlyIfTrue = False
    """It only counted. Absent: false."""
    started: Moment
    """When it began; RFC 3339, UTC."""
    finished: Moment | None = None
    """When it ended; absent while it is under way."""
    freed_bytes: Count | None = None
    """Bytes that were freed, or would be."""
    blobs: Count | None = None
    """Blobs that were removed, or would be."""
    last_run: Moment | None = None
    """When the last one ended that did not only count; RFC 3339, UTC."""
    reason: ReasonField | None = None
    """Why it failed; absent when it did not."""
    message: RowMessage | None = None
    """The same for people; one line."""
