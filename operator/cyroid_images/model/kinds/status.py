"""The status of both kinds: small typed rows, bounded, with the moments of its conditions.

Lists are bounded because etcd takes 1.5 MB for an object: 64 pods x 128 images would be
about that. `first` cuts a list and counts what it left out; every message is made
printable and short by its own field. Not here: how a status is read (`read_status.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from cyroid_images.model.fault import Route
from cyroid_images.model.kinds.conditions import (
    Condition,
    ConditionType,
    Moment,
    ReasonField,
)
from cyroid_images.model.kinds.fields import Part
from cyroid_images.model.kinds.lifecycle import (
    CollectionStatus,
    RemovedImageStatus,
    SourceImageStatus,
    TransferStatus,
    UnusedImageStatus,
)
from cyroid_images.model.kinds.status_fields import (
    Count,
    DigestField,
    ImageText,
    Name,
    Omitted,
    OnlyIfTrue,
    PlatformText,
    RowMessage,
    Uid,
    map_field,
    rows_field,
)

MOST_TARGETS = 32
"""Rows in targetStatuses, worst first."""
MOST_MISSING = 32
"""Rows in missing, worst first."""
MOST_TAR_DELIVERIES = 64
"""Rows in tarDeliveries."""
MOST_FAILURES = 20
"""Rows in failures."""
MOST_IMAGE_STATUSES = 128
"""Rows in imageStatuses: as many as an ImageCache can list."""
MOST_DIGESTS = 2000
"""Entries in digests. With names as they are in use (80 characters) that is 320 KB."""
DIGEST_BYTES = 512 * 1024
"""Bytes in digests: 2,000 of the longest names would be 1.2 MB, which etcd hardly takes."""
MOST_TRANSFERS = 16
"""Rows in transfers, the furthest first."""
MOST_SOURCE_IMAGES = 256
"""Rows in sourceImages, what the registry lacks first. About 50 KB with names as in use."""
MOST_REMOVED = 128
"""Rows in removedImages: as many as an ImageCache can list."""
MOST_UNUSED = 256
"""Rows in unusedImages, the longest unused first."""


class Summary(Part):
    """For the columns of `kubectl get`: present of desired."""

    images: Annotated[str, Field(max_length=32)] | None = None
    """Images that are where they are wanted, of all, such as `12/13`."""


class RangeSummary(Summary):
    """For the columns of `kubectl get`: present of desired, ready of matched."""

    targets: Annotated[str, Field(max_length=32)] | None = None
    """Targets that hold every image, of all that match, such as `1/1`."""


class RangeImageCounts(Part):
    """Images of a RangeImages; one counts as present when it is in every target."""

    desired: Count = 0
    """Images in the spec."""
    present: Count = 0
    """Images that are, proven by digest, in every target."""
    failed: Count = 0
    """Images that are missing somewhere and need somebody: only a person can mend the reason
    (mark X in the table of reasons), or the last transfer failed."""
    via_tar: Count = 0
    """Images that tar brought into at least one target."""


class CacheImageCounts(Part):
    """Images that the spec of an ImageCache lists."""

    desired: Count = 0
    """Images in `spec.images`."""
    cached: Count = 0
    """Images of them that are, proven by digest, in the registry."""
    failed: Count = 0
    """Images of them that are not cached and need somebody: only a person can mend the reason
    (mark X in the table of reasons), or the last transfer failed."""


class OnDemandCounts(Part):
    """Images that ranges ask for and `spec.images` does not list."""

    wanted: Count = 0
    """Images, per platform, that only ranges ask for."""
    cached: Count = 0
    """Images of them that are, proven by digest, in the registry."""
    missing: Count = 0
    """Images of them that are not; the ranges that ask for them say why."""


class TargetCounts(Part):
    """Targets of a RangeImages."""

    matched: Count = 0
    """Pods that are targets."""
    ready: Count = 0
    """Targets that hold every image."""


class TargetStatus(Part):
    """One target: a pod and the engine that answers there."""

    pod: Name
    """Name of the pod."""
    uid: Uid
    """UID of the pod: another UID is another target."""
    engine: Annotated[str, Field(max_length=128)] | None = None
    """Version, image store and platform, such as `26.1.5 containerd linux/amd64`."""
    present: Count = 0
    """Images that are, proven by digest, in the engine; of one that does not answer: when it
    was last seen."""
    failed: Count = 0
    """Images that are missing here and need somebody, as in `images.failed`."""
    via_tar: Count = 0
    """Images that tar brought here."""
    reason: ReasonField | None = None
    """Why the target is not ready; absent when it is."""
    message: RowMessage | None = None
    """The same for people; one line."""


class MissingImage(Part):
    """One wanted image that is not in every target."""

    image: ImageText
    """The image as the spec names it."""
    reason: ReasonField
    """The worst of what keeps it out of a target, for machines."""
    message: RowMessage
    """The same for people; one line."""
    pods: Count
    """Targets that lack it."""
    first_pod: Name
    """Name of one of them: the first to which the message applies."""


class TarDelivery(Part):
    """The record of one load, written before its first byte; the facts behind TarFallback."""

    image: ImageText
    """The image as the spec names it."""
    uid: Uid
    """UID of the pod."""
    digest: DigestField
    """Digest of the content that the load brings, as whoever gives the tar names it."""
    layers: Annotated[str, Field(pattern="^[0-9a-f]{8}$", max_length=8)] | None = None
    """Eight hex digits of its platform and layers: other content has others, whoever names it."""
    reason: ReasonField
    """Why not by the registry, such as `RegistryUnreachable` or `ForcedBySpec`."""
    time: Moment
    """When the load began; RFC 3339, UTC."""


class TransferFailure(Part):
    """A transfer that failed and is not yet made good."""

    image: ImageText
    """The image as the spec names it."""
    pod: Name | None = None
    """Name of the target pod; absent for a transfer into the registry."""
    route: Route | None = None
    """`Registry` or `Tar`; absent for a transfer into the registry."""
    reason: ReasonField
    """What went wrong, for machines."""
    message: RowMessage
    """What went wrong, for people; one line."""
    attempts: Count
    """How often it was tried in a row."""
    next_attempt_time: Moment | None = None
    """When it is tried again; absent when only a change can help. RFC 3339, UTC."""


class ImageStatus(Part):
    """One image of an ImageCache."""

    image: ImageText
    """The image as the spec or a range names it."""
    on_demand: OnlyIfTrue = False
    """Only ranges ask for it: `spec.images` does not list it. Absent: false."""
    platform: PlatformText | None = None
    """Its platform, such as `linux/amd64`."""
    repository: Annotated[str, Field(max_length=255)] | None = None
    """Where it lives in the registry, such as `docker.io/library/nginx`."""
    digest: DigestField | None = None
    """Digest of the manifest or index in the registry; absent while it is not cached."""
    size_bytes: Annotated[int, Field(ge=0)] | None = None
    """Bytes of its config and layers as stored."""
    source: Annotated[str, Field(max_length=63)] | None = None
    """Name of the source that it came from."""
    reason: ReasonField | None = None
    """Why it is not cached; absent when it is."""
    message: RowMessage | None = None
    """The same for people; one line."""


class Status(Part):
    """What the status of both kinds has in common."""

    observed_generation: Annotated[int, Field(ge=-1)] = -1
    """`metadata.generation` that is settled: done, stalled or suspended; -1: none yet."""
    last_handled_reconcile_at: Annotated[str, Field(max_length=128)] | None = None
    """Token of the annotation `cyroid.io/reconcile-at` that the last manual pass answered."""
    failures: tuple[TransferFailure, ...] = rows_field(MOST_FAILURES)
    """Transfers that failed and are not yet made good; at most 20."""
    failures_omitted: Omitted = 0
    """Failures beyond those listed."""
    transfers: tuple[TransferStatus, ...] = rows_field(MOST_TRANSFERS)
    """Transfers that are under way, the furthest first; at most 16."""
    transfers_omitted: Omitted = 0
    """Transfers beyond those listed."""
    conditions: tuple[Condition, ...] = rows_field(8, "type")
    """What is the case, by type; see the table of conditions in the documentation."""

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of this type, or None when it is absent."""
        return next((found for found in self.conditions if found.type == kind), None)

    def to_document(self) -> dict[str, Any]:
        """As the API server stores it: camelCase, nothing absent, times in RFC 3339 UTC."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class RangeImagesStatus(Status):
    """What is known about a RangeImages."""

    summary: RangeSummary = RangeSummary()
    """For the columns of `kubectl get`."""
    images: RangeImageCounts = RangeImageCounts()
    """How many images are where."""
    targets: TargetCounts = TargetCounts()
    """How many targets there are."""
    missing: tuple[MissingImage, ...] = rows_field(MOST_MISSING)
    """One row per image that is not in every target, worst first; at most 32."""
    missing_omitted: Omitted = 0
    """Missing images beyond those listed."""
    target_statuses: tuple[TargetStatus, ...] = rows_field(MOST_TARGETS, "uid")
    """One row per target, worst first; at most 32."""
    targets_omitted: Omitted = 0
    """Targets beyond those listed."""
    tar_deliveries: tuple[TarDelivery, ...] = rows_field(MOST_TAR_DELIVERIES)
    """Loads by tar whose images are still wanted; at most 64. The record behind TarFallback."""
    tar_deliveries_omitted: Omitted = 0
    """Loads by tar beyond those listed."""


class ImageCacheStatus(Status):
    """What is known about an ImageCache."""

    summary: Summary = Summary()
    """For the columns of `kubectl get`."""
    images: CacheImageCounts = CacheImageCounts()
    """How many of the listed images are in the registry."""
    on_demand: OnDemandCounts = OnDemandCounts()
    """How many images only ranges ask for. They never make the cache not Ready."""
    stored_bytes: Annotated[int, Field(ge=0)] | None = None
    """Bytes of the cached images in the registry, shared layers counted once."""
    image_statuses: tuple[ImageStatus, ...] = rows_field(MOST_IMAGE_STATUSES)
    """One row per image and platform: what is not cached first, and of that what is listed; at
    most 128."""
    images_omitted: Omitted = 0
    """Images beyond those listed."""
    digests: Mapping[str, DigestField] = map_field(MOST_DIGESTS)
    """By image, and platform where one is asked for: the digest that was proven against a
    source. While no source answers nothing else is delivered. At most 2,000 and 512 KiB."""
    digests_omitted: Omitted = 0
    """Proven digests beyond those recorded."""
    source_images: tuple[SourceImageStatus, ...] = rows_field(MOST_SOURCE_IMAGES)
    """Named images that engine sources hold: what the registry lacks first, then the newest; at
    most 256."""
    source_images_omitted: Omitted = 0
    """Images of engine sources beyond those listed."""
    removed_images: tuple[RemovedImageStatus, ...] = rows_field(MOST_REMOVED)
    """One row per image of `spec.removedImages`; at most 128."""
    unused_images: tuple[UnusedImageStatus, ...] = rows_field(MOST_UNUSED)
    """Images that the registry holds and nobody asks for, the longest unused first; at most 256."""
    collection: CollectionStatus | None = None
    """The last collection, or the one that is under way."""
