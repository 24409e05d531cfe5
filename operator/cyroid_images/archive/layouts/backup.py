"""Backup sets: a folder of image archives and a `manifest.txt` that names them.

A line is `reference|file.tar.gz`, the file in the same folder. The name goes to an image
that has none of its own (it was saved by ID); names inside an archive count more than a
list beside it, so an image that has some keeps just these.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import replace

from cyroid_images.archive.damage import LARGEST_DOCUMENT, MOST_IMAGES, invalid
from cyroid_images.archive.window import Window
from cyroid_images.errors import InvalidReference, TransferError
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.images.reference import Reference

LIST = "manifest.txt"

Names = Mapping[str, frozenset[Reference]]
"""By archive: what its image is called if it has no name of its own."""


def backup_names(window: Window) -> tuple[Names, TransferError | None]:
    """What a `manifest.txt` says by archive, and what is wrong with it; good lines count."""
    if window.size > LARGEST_DOCUMENT:
        return {}, invalid(window.name, f"has more than {LARGEST_DOCUMENT} bytes")
    names: dict[str, frozenset[Reference]] = {}
    problem: TransferError | None = None
    text = window.read(0, LARGEST_DOCUMENT).decode("utf-8-sig", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        if not (written := line.strip()) or written.startswith("#"):
            continue
        try:
            name, archive = _line(written, window.name)
        except InvalidReference as exc:
            problem = problem or invalid(window.name, f"line {number}: {exc}")
            continue
        names[archive] = names.get(archive, frozenset()) | {name}
        if len(names) > MOST_IMAGES:
            return {}, invalid(window.name, f"names more than {MOST_IMAGES} archives")
    return names, problem


def called(view: ArchiveView, names: frozenset[Reference]) -> ArchiveView:
    """The view of one archive, its image without a name called so.

    Only one image for each platform can be meant; where more are nameless, all stay so.
    """
    nameless = [image.content.platform for image in view.images if _is_nameless(image)]
    images = tuple(
        replace(image, names=names)
        if _is_nameless(image) and nameless.count(image.content.platform) == 1
        else image
        for image in view.images
    )
    return replace(view, images=images)


def _is_nameless(image: ArchiveImage) -> bool:
    return not image.names and not image.undeclared


def _line(line: str, list_name: str) -> tuple[Reference, str]:
    """One line; raises InvalidReference for one that is not `reference|file`."""
    reference, bar, file = (part.strip() for part in line.partition("|"))
    if not bar or not file or "/" in file or file in (".", ".."):
        raise InvalidReference("expected `reference|file in the same folder`")
    archive = posixpath.normpath(posixpath.join(posixpath.dirname(list_name), file))
    return Reference.parse(reference), archive
