"""The operator's archive volume as a source of images: which there are, and their bytes.

A look at what has not changed costs one `stat` per file; the bytes are read, and proven,
when somebody wants them. Archives are only ever read. What an image of an archive is called
in a spec (aliases, digests) is for whoever asks.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from cyroid_images.archive.damage import fault
from cyroid_images.archive.images import images_in
from cyroid_images.archive.layers import Layers, layers_in, proven
from cyroid_images.archive.layouts.backup import LIST, Names, backup_names, called
from cyroid_images.archive.layouts.bundle import is_image_tar
from cyroid_images.archive.layouts.folder import folder_contents, opened_member
from cyroid_images.archive.memory import Memory
from cyroid_images.archive.scanning import looks_like_archive, merged, scanned
from cyroid_images.archive.volume import Astray, Place, Volume
from cyroid_images.archive.window import opened
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.archive import ArchiveImage, ArchiveView, LayerFile
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

Faults = Mapping[str, Fault]
"""By archive."""

_NO_ARCHIVE = Fault(Reason.ARCHIVE_INVALID, "is neither a tar nor a zip")
_ABSENT = Fault(Reason.ARCHIVE_INVALID, f"{LIST} lists it, but the file does not exist")


class Archives:
    """All archives below one folder; may be used by several threads at once."""

    def __init__(self, root: Path) -> None:
        self._volume = Volume(root)
        self._memory = Memory()

    def look(self, path: str, cancellation: CancelScope = NEVER) -> ArchiveView:
        """Every image at this path: a file, or a folder with all that lies below it.

        What is damaged is a fault of the view, everything else is told. The first look at
        a compressed archive reads it whole. Raises TransferError(ArchiveMissing) when
        there is no such path within the volume.
        """
        place = self._volume.place(path)
        if place.is_folder and not place.is_layout:
            return self._folder(place, cancellation)
        names, _ = self._backup(posixpath.dirname(place.name), cancellation)
        view = self._called(place, names, cancellation)
        if not view.images and not view.faults:
            return ArchiveView(faults={place.name: _NO_ARCHIVE})
        return view

    def blobs(
        self,
        image: ArchiveImage,
        wanted: Collection[Digest] | None = None,
        cancellation: CancelScope = NEVER,
    ) -> Layers:
        """The stored bytes of an image's layers (all, or those of these blob digests).

        One pass in the archive's own order; a layer's bytes are good until the next one is
        asked for, and its last chunk comes only once size and digest are proven. Raises
        TransferError: DigestMismatch for other bytes, ArchiveInvalid for a damaged archive
        or a layer that is gone, ArchiveMissing for an archive that is.
        """
        chosen = {
            layer.blob.digest: layer
            for layer in image.layers
            if wanted is None or layer.blob.digest in wanted
        }
        by_member = {layer.member: layer for layer in chosen.values()}
        return self._blobs(image.archive, by_member, cancellation) if by_member else iter(())

    def _folder(self, folder: Place, cancellation: CancelScope) -> ArchiveView:
        views, places, names = list[ArchiveView](), list[Place](), dict[str, frozenset[Reference]]()
        for found in self._volume.below(folder, cancellation):
            if isinstance(found, Astray):
                views.append(ArchiveView(faults={found.name: fault(found.name, found.error)}))
            elif posixpath.basename(found.name) == LIST:
                told, faults = self._backup(posixpath.dirname(found.name), cancellation)
                names |= told
                views.append(ArchiveView(faults=faults))
            else:
                places.append(found)
        views += (self._called(place, names, cancellation) for place in places)
        absent = names.keys() - {place.name for place in places}
        views += (ArchiveView(faults={name: _ABSENT}) for name in sorted(absent))
        return merged(views)

    def _backup(self, folder: str, cancellation: CancelScope) -> tuple[Names, Faults]:
        """What the `manifest.txt` of a folder says, if there is one, and what is wrong with it."""
        name = posixpath.normpath(posixpath.join(folder, LIST))
        try:
            place = self._volume.place(name)
            with opened(place.path, name, cancellation) as window:
                names, problem = backup_names(window)
        except TransferError as exc:
            cancellation.raise_if_cancelled()
            is_absent = exc.reason is Reason.ARCHIVE_MISSING
            return {}, {} if is_absent else {name: fault(name, exc)}
        return names, {name: fault(name, problem)} if problem else {}

    def _called(self, place: Place, names: Names, cancellation: CancelScope) -> ArchiveView:
        view = self._memory.find(place.name, place.stamp)
        if view is None:
            view = self._read(place, cancellation)
            if all(found.reason is Reason.ARCHIVE_INVALID for found in view.faults.values()):
                self._memory.keep(place.name, place.stamp, view)
        return called(view, names[place.name]) if place.name in names else view

    def _read(self, place: Place, cancellation: CancelScope) -> ArchiveView:
        """One archive as it is now; empty for a file that neither is one nor says so."""
        try:
            if place.is_folder:
                return images_in(folder_contents(self._volume, place, cancellation))
            with opened(place.path, place.name, cancellation) as window:
                if place.calls_itself_archive or looks_like_archive(window):
                    return scanned(window)
                return ArchiveView()
        except TransferError as exc:
            cancellation.raise_if_cancelled()
            return ArchiveView(faults={place.name: fault(place.name, exc)})

    def _blobs(
        self, archive: str, wanted: dict[str, LayerFile], cancellation: CancelScope
    ) -> Layers:
        place, inner = self._split(archive)
        if not place.is_folder:
            with opened(place.path, place.name, cancellation) as window:
                yield from layers_in(window, inner, wanted)
            return
        for member, layer in wanted.items():
            with opened_member(self._volume, place.name, member, cancellation) as window:
                yield layer, proven(window.chunks(), layer, archive, window)

    def _split(self, archive: str) -> tuple[Place, str | None]:
        """The file and the image tar in it: what stands before a `!` is a bundle if it is there."""
        cuts = [at for at, letter in enumerate(archive) if letter == "!"]
        for at in reversed(cuts):
            name, inner = archive[:at], archive[at + 1 :]
            with suppress(TransferError):
                if is_image_tar(inner) and not (place := self._volume.place(name)).is_folder:
                    return place, inner
        return self._volume.place(archive), None
