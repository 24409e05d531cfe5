"""What archives hold, as values: images by name, and where in the archive their bytes are.

An archive is a file or a folder of the operator's archive volume. Where an image's layers
are stored compressed under digests of their own (an OCI layout), they are copied as they are
and the manifest stays; where only uncompressed layers are there (docker save), each layer's
digest is its diff ID and the manifest is ours to make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.images.reference import Reference

OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
"""An uncompressed layer (image-spec, layer.md); `+gzip` and `+zstd` name the compressed ones."""


@dataclass(frozen=True, slots=True)
class LayerFile:
    """One layer as an archive holds it."""

    diff_id: Digest
    blob: Descriptor
    """The stored bytes: media type, digest and size; uncompressed, the digest is the diff ID."""
    member: str
    """The name of its member in the tar, or of its file in the folder; links are resolved."""

    @property
    def is_compressed(self) -> bool:
        return self.blob.digest != self.diff_id


@dataclass(frozen=True, slots=True)
class ArchiveImage:
    """One image of an archive, complete as far as its list tells; bytes are proven when read."""

    archive: str
    """Which archive of the volume, as people find it: `bundles/lab.zip!images/kali.tar`."""
    names: frozenset[Reference]
    content: ImageContent
    config: bytes = field(repr=False)
    """The exact bytes of the image config."""
    layers: tuple[LayerFile, ...]
    manifest: bytes | None = field(default=None, repr=False)
    """The exact bytes of the stored manifest, when every layer is stored as it names it."""
    undeclared: frozenset[Reference] = frozenset()
    """Names that it has, too, and that the list of its bundle does not: they are not taken."""


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """One look at an archive source: every image, and what is wrong with the rest."""

    images: tuple[ArchiveImage, ...] = ()
    faults: Mapping[str, Fault] = field(default_factory=dict)
    """By archive: why nothing (more) of it could be read."""

    def named(self, name: Reference) -> tuple[ArchiveImage, ...]:
        """The images of this name, one per platform."""
        return tuple(image for image in self.images if name in image.names)
