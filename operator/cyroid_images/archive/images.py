"""Which images are in an archive: both layouts, told together.

Since Docker 25 an archive has both lists. Where `manifest.json` leads to uncompressed layers
it is enough; where its layers are compressed (an engine with the containerd store wrote it),
the OCI layout has the digests and the manifest, and `manifest.json` may only add names.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from cyroid_images.archive.contents import Contents
from cyroid_images.archive.damage import fault, invalid
from cyroid_images.archive.layouts.docker_save import (
    SavedEntry,
    saved_config,
    saved_entries,
    saved_image,
    saved_layers,
)
from cyroid_images.archive.layouts.oci_layout import layout_images
from cyroid_images.errors import TransferError
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference


def images_in(contents: Contents) -> ArchiveView:
    """Every whole image of one archive, and the first thing that is wrong with the others.

    Raises ArchiveInvalid where a list itself is broken or nothing is an image.
    """
    saved = _Saved(contents)
    for entry in saved_entries(contents):
        saved.read(entry)
    layout = list(layout_images(contents))
    images = [*saved.images, *(saved.named(image) for image in _new(layout, saved))]
    problems = [*saved.problems]
    if saved.compressed or not saved.images:
        problems += (item for item in layout if isinstance(item, TransferError))
    problems += saved.unexplained(images)
    if not images:
        raise (problems or [invalid(contents.archive, "holds no image")])[0]
    faults = {contents.archive: fault(contents.archive, problems[0])} if problems else {}
    return ArchiveView(tuple(images), faults)


def _new(layout: list[ArchiveImage | TransferError], saved: _Saved) -> list[ArchiveImage]:
    """The images of the layout that `manifest.json` did not tell already."""
    known = {image.content.config for image in saved.images}
    return [
        item
        for item in layout
        if isinstance(item, ArchiveImage) and item.content.config not in known
    ]


@dataclass(slots=True)
class _Saved:
    """What `manifest.json` told so far."""

    contents: Contents
    images: list[ArchiveImage] = field(default_factory=list)
    problems: list[TransferError] = field(default_factory=list)
    compressed: dict[Digest | None, frozenset[Reference]] = field(default_factory=dict)
    """By config: names of images whose layers only an OCI layout can tell."""

    def read(self, entry: SavedEntry) -> None:
        """One image; a broken one does not hide the others."""
        try:
            config, content = saved_config(self.contents, entry)
            layers = saved_layers(self.contents, entry, content)
        except TransferError as exc:
            self.problems.append(exc)
            return
        if layers is not None:
            self.images.append(saved_image(self.contents, entry, config, layers))
        else:
            names = self.compressed.get(content.config, frozenset())
            self.compressed[content.config] = names | entry.names

    def named(self, image: ArchiveImage) -> ArchiveImage:
        """An image of the layout with the names of both."""
        names = self.compressed.get(image.content.config, frozenset())
        return replace(image, names=image.names | names)

    def unexplained(self, images: list[ArchiveImage]) -> list[TransferError]:
        """Compressed layers that no OCI layout explains."""
        known = {image.content.config for image in images}
        if self.compressed.keys() <= known:
            return []
        why = "its layers are compressed and it has no OCI layout with their digests"
        return [invalid(self.contents.archive, why)]
