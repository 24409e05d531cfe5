"""Which images of a bundle are taken, and why others are not: told by name.

A bundle says in its `manifest.json` which images it holds. Only these names are taken; what
else its image tars bring is skipped, what it lists and does not hold whole has failed. Of a
docker-save archive that stands alone every name is taken: it is what somebody chose to load.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cyroid_images.archive.damage import invalid
from cyroid_images.archive.inspection import Inspection, Strict
from cyroid_images.archive.layouts.bundle import declared_names, one_spelling
from cyroid_images.archive.scanning import scanned
from cyroid_images.archive.window import Window
from cyroid_images.blueprints.blueprint import Blueprint, UnreadableBlueprint
from cyroid_images.blueprints.reading import blueprint_of, parsed
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.images.reference import Reference
from cyroid_images.overview.blueprints import ImportedImage, LeftOut

MOST_RATIO = 100
"""How many times its size an archive may unpack to. Images have 2 to 5, sparse disks some 50."""
LEAST_ALLOWED = 1024**3
"""Bytes that the smallest archive may unpack to: a layer of zeros is no bomb yet."""

_BLUEPRINTS = ("blueprint.json", "range.json")
_UNLISTED = "the list of its bundle (docker_images of manifest.json) does not name it"
_NAMELESS = "it has no name (it was saved by its ID), so nobody can ask for it"
_TWICE = "two image tars of the bundle bring it with different content"
_ABSENT = "no image tar of the bundle holds it"


@dataclass(frozen=True, slots=True)
class BundleContents:
    """What a look into an archive found."""

    images: tuple[ArchiveImage, ...]
    """Those that are taken, each with at least one name."""
    skipped: tuple[LeftOut, ...] = ()
    failed: tuple[LeftOut, ...] = ()
    is_bundle: bool = False
    """It holds image tars; otherwise it may be an image tar itself."""
    has_list: bool = False
    """It says which images it holds."""
    blueprint: Blueprint | None = None
    warning: str | None = None
    """Why its blueprint could not be read, where it has one."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all that are taken, sorted."""
        return tuple(sorted({str(name) for image in self.images for name in image.names}))

    @property
    def rows(self) -> tuple[ImportedImage, ...]:
        """One per name and platform, sorted."""
        found = {
            (str(name), str(image.content.platform)): sum(each.blob.size for each in image.layers)
            for image in self.images
            for name in image.names
        }
        return tuple(
            ImportedImage(image=name, platform=platform, size_bytes=found[name, platform])
            for name, platform in sorted(found)
        )


def looked_into(window: Window) -> BundleContents:
    """What an archive brings; it need not hold images (see `checked`).

    Reads it whole. Raises HostileArchive, and TransferError where the volume gives nothing.
    """
    inspection = Strict(max(LEAST_ALLOWED, MOST_RATIO * window.size))
    view = scanned(window, inspection)
    blueprint, warning = _blueprint(window.name, inspection)
    contents = _of_bundle(window, view, inspection) if inspection.is_bundle else _of_tar(view)
    return replace(contents, blueprint=blueprint, warning=warning)


def checked(window: Window) -> BundleContents:
    """The same of an archive that is to be kept: it brings at least one image.

    Raises TransferError(ArchiveInvalid) otherwise, and says why nothing of it is taken.
    """
    found = looked_into(window)
    if found.is_bundle and not found.has_list:
        raise invalid(
            window.name,
            "its manifest.json lists no images (docker_images), and only what a bundle lists is"
            " taken: export it again with its Docker images",
        )
    if not found.images:
        left = found.failed or found.skipped
        raise invalid(window.name, f"{left[0].image}: {left[0].why}" if left else "holds no image")
    return found


def _of_tar(view: ArchiveView) -> BundleContents:
    failed = (LeftOut(image=name, why=fault.message) for name, fault in view.faults.items())
    return BundleContents(
        tuple(image for image in view.images if image.names),
        tuple(_skipped(view.images)),
        tuple(failed),
    )


def _of_bundle(window: Window, view: ArchiveView, inspection: Inspection) -> BundleContents:
    declared = declared_names(window.name, inspection.documents)
    images, twice = _unambiguous(view.images)
    there = {one_spelling(name) for image in images for name in image.names} | twice
    failed = [LeftOut(image=str(name), why=_TWICE) for name in sorted(twice, key=str)]
    faults = {_within(place): fault.message for place, fault in view.faults.items()}
    absent = sorted(str(name) for name in declared or () if one_spelling(name) not in there)
    failed += [LeftOut(image=name, why=_why_absent(name, faults)) for name in absent]
    failed += (LeftOut(image=tar, why=why) for tar, why in sorted(faults.items()))
    return BundleContents(
        images,
        tuple(_skipped(view.images)),
        tuple(failed),
        is_bundle=True,
        has_list=declared is not None,
    )


def _why_absent(name: str, faults: dict[str, str]) -> str:
    """Its tar is damaged where that is called after it; whoever matches is told of no more."""
    for tar in list(faults):
        if tar.rpartition("/")[2].removesuffix(".gz") in _file_names(name):
            return f"{tar}: {faults.pop(tar)}"
    if faults:
        return f"{_ABSENT} that can be read ({len(faults)} cannot)"
    return _ABSENT


def _file_names(name: str) -> Iterator[str]:
    """What an image tar of that name is called; it says nothing of what is in a tar."""
    reference = Reference.parse(name)
    for text in (name, f"{reference.name}:{reference.tag}"):
        yield f"{re.sub('[/:]', '_', text)}.tar"


def _within(place: str) -> str:
    """The place of an image tar in its bundle."""
    return place.rpartition("!")[2]


def _unambiguous(
    images: Iterable[ArchiveImage],
) -> tuple[tuple[ArchiveImage, ...], set[Reference]]:
    """Images with those names that mean one content for each platform, and the other names."""
    configs = defaultdict[tuple[Reference, object], set[object]](set)
    for image in images:
        for name in image.names:
            configs[one_spelling(name), image.content.platform].add(image.content.config)
    twice = {name for (name, _), found in configs.items() if len(found) > 1}
    kept = (
        replace(image, names=frozenset(n for n in image.names if one_spelling(n) not in twice))
        for image in images
    )
    return tuple(image for image in kept if image.names), twice


def _skipped(images: Iterable[ArchiveImage]) -> Iterator[LeftOut]:
    for image in images:
        for name in sorted(str(name) for name in image.undeclared):
            yield LeftOut(image=name, why=_UNLISTED)
        if not image.names and not image.undeclared:
            yield LeftOut(image=_within(image.archive), why=_NAMELESS)


def _blueprint(bundle: str, inspection: Inspection) -> tuple[Blueprint | None, str | None]:
    for name in _BLUEPRINTS:
        if (content := inspection.documents.get(name)) is not None:
            try:
                return blueprint_of(parsed(content, name), bundle.partition(".")[0]), None
            except UnreadableBlueprint as exc:
                return None, str(exc)
    return None, None
