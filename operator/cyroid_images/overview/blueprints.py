"""A blueprint, and what came of a bundle, as people are shown it."""

from __future__ import annotations

from enum import StrEnum

from cyroid_images.overview.answer import Answer


class Whereabouts(StrEnum):
    """Where an image of a blueprint is."""

    REGISTRY = "in the registry"
    BUNDLE = "in the bundle"
    SOURCE = "at a source"
    MISSING = "missing"
    """The cache was asked for it and has not got it: see `message`."""
    UNKNOWN = "not asked"
    """Nobody has asked the cache for it yet, or the cluster could not be asked."""


class BlueprintImageRow(Answer):
    """One image of a blueprint."""

    image: str
    platform: str | None = None
    """Null: that of the engine."""
    machines: int
    """VMs that start from it."""
    where: Whereabouts
    size_bytes: int | None = None
    """As it is stored there; null where that is not known."""
    message: str | None = None
    """The source that has it, or why it is not there."""


class RefusedRow(Answer):
    """A VM whose image cannot be delivered."""

    machine: str
    wanted: str
    why: str


class BlueprintReport(Answer):
    """A blueprint: its images, what of it is none, and what is odd about it."""

    name: str
    version: str
    machines: int
    images: tuple[BlueprintImageRow, ...]
    refused: tuple[RefusedRow, ...] = ()
    warnings: tuple[str, ...] = ()


class ImportedImage(Answer):
    """An image that a bundle brings."""

    image: str
    platform: str
    size_bytes: int
    """Bytes of its layers as the bundle holds them."""


class LeftOut(Answer):
    """An image of a bundle that is not taken, or could not be."""

    image: str
    """Its name; where it has none that can be read, its place in the bundle."""
    why: str


class BundleImported(Answer):
    """What came of an upload of a bundle."""

    name: str
    """The archive on the volume, such as `bundles/lab-1a2b3c4d.zip`."""
    size_bytes: int
    loaded: tuple[str, ...]
    """Images that ranges can have from now on."""
    skipped: tuple[LeftOut, ...] = ()
    """Images that are not taken: the bundle's own list does not name them."""
    failed: tuple[LeftOut, ...] = ()
    """Images that the bundle lists and does not hold whole."""
    pushed: tuple[str, ...] = ()
    """Those of the loaded ones that the registry is asked to hold now; their progress is that
    of any push."""
    details: tuple[ImportedImage, ...] = ()
    """One row per loaded image and platform."""
    blueprint: BlueprintReport | None = None
    """The blueprint of the bundle, where it has one that can be read."""
    message: str | None = None
    """What is to be done by somebody, if anything."""


class DockerImagesLoaded(Answer):
    """What came of an upload of a docker-save archive, as CYROID's clients read it."""

    status: str = "loaded"
    images: tuple[str, ...]
    count: int
    size_bytes: int
    size_gb: float
    name: str
    """The archive on the volume."""
