"""Where each image of a blueprint is: in its bundle, in the registry, at a source, or missing.

Read from an ImageCache's status and nothing else: where that says nothing of an image, or the
cluster could not be asked, it is "not asked", never "missing".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cyroid_images.archive.layouts.bundle import one_spelling
from cyroid_images.blueprints.blueprint import Blueprint, BlueprintImage
from cyroid_images.blueprints.checking import BundleContents
from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.status import ImageStatus
from cyroid_images.model.upstream import normal_host
from cyroid_images.overview.blueprints import (
    BlueprintImageRow,
    BlueprintReport,
    RefusedRow,
    Whereabouts,
)
from cyroid_images.overview.used_by import stored_as

_NOT_ASKED = "the cluster was not asked"
_NOBODY_ASKED = "nobody has asked the cache for it yet"


def report_of(
    blueprint: Blueprint, bundle: BundleContents | None = None, cache: ImageCache | None = None
) -> BlueprintReport:
    """A row per image; `cache` is None where the cluster could not be asked."""
    in_bundle = _sizes(bundle)
    shown = None if cache is None else _Shown(cache)
    warning = () if bundle is None or bundle.warning is None else (bundle.warning,)
    return BlueprintReport(
        name=blueprint.name,
        version=blueprint.version,
        machines=blueprint.machines,
        images=tuple(_row(image, in_bundle, shown) for image in blueprint.images),
        refused=tuple(
            RefusedRow(machine=each.machine, wanted=each.wanted, why=each.why)
            for each in blueprint.refused
        ),
        warnings=(*blueprint.warnings, *warning),
    )


class _Shown:
    """What the status of a cache says, by where its registry keeps an image."""

    def __init__(self, cache: ImageCache) -> None:
        self._cache = cache
        self._rows = dict(_by_place(cache))

    def row(self, image: Reference) -> ImageStatus | None:
        return self._rows.get(stored_as(self._cache, image))

    def source(self, image: Reference) -> tuple[str, int | None] | None:
        """The first source that has it, or that is asked for images of its host."""
        for each in self._cache.status.source_images:
            if _parsed(each.image) == image:
                return f"{each.source} has it", each.size_bytes
        for source in self._cache.spec.sources:
            if source.upstream is not None:
                hosts = {normal_host(host) for host in source.upstream.hosts}
                if image.host in hosts:
                    return f"{source.name} is asked for it when somebody wants it", None
        return None


def _row(
    image: BlueprintImage, in_bundle: Mapping[Reference, int], shown: _Shown | None
) -> BlueprintImageRow:
    where, size, message = _found(image.reference, in_bundle, shown)
    return BlueprintImageRow(
        image=image.image,
        platform=str(image.platform) if image.platform else None,
        machines=len(image.machines),
        where=where,
        size_bytes=size,
        message=message,
    )


def _found(
    image: Reference, in_bundle: Mapping[Reference, int], shown: _Shown | None
) -> tuple[Whereabouts, int | None, str | None]:
    row = None if shown is None else shown.row(image)
    if row is not None and row.digest is not None:
        return Whereabouts.REGISTRY, row.size_bytes, None
    if (size := in_bundle.get(one_spelling(image))) is not None:
        return Whereabouts.BUNDLE, size, None
    if shown is None:
        return Whereabouts.UNKNOWN, None, _NOT_ASKED
    if (source := shown.source(image)) is not None:
        return Whereabouts.SOURCE, source[1], source[0]
    if row is not None and row.reason is not None:
        return Whereabouts.MISSING, None, f"{row.reason}: {row.message}"
    return Whereabouts.UNKNOWN, None, _NOBODY_ASKED


def _sizes(bundle: BundleContents | None) -> dict[Reference, int]:
    """By name: bytes of the layers as the bundle holds them."""
    return {
        one_spelling(Reference.parse(row.image)): row.size_bytes
        for row in (() if bundle is None else bundle.rows)
    }


def _by_place(cache: ImageCache) -> Iterator[tuple[StoredAs, ImageStatus]]:
    """What is there counts more than what is missing for another platform."""
    rows = sorted(cache.status.image_statuses, key=lambda row: row.digest is not None)
    for row in rows:
        if (reference := _parsed(row.image)) is not None:
            yield stored_as(cache, reference), row


def _parsed(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except InvalidReference:
        return None
