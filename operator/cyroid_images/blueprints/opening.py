"""A file, a folder or a bundle of this machine as a blueprint, with what the bundle holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyroid_images.archive.scanning import looks_like_archive
from cyroid_images.archive.window import Window, opened
from cyroid_images.blueprints.blueprint import Blueprint, UnreadableBlueprint
from cyroid_images.blueprints.checking import BundleContents, looked_into
from cyroid_images.blueprints.reading import (
    LARGEST_DOCUMENT,
    blueprint_of,
    index_entry,
    parsed,
    project_of,
)
from cyroid_images.errors import TransferError
from cyroid_images.scheduling.cancel_scope import NEVER

_IN_A_FOLDER = ("blueprint.yaml", "blueprint.yml", "blueprint.json", "range.json")
_PROJECT = ("image.yaml", "image.yml")
_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class OpenedBlueprint:
    """What a person named on the command line."""

    blueprint: Blueprint
    bundle: BundleContents | None = None
    """Where it is a bundle: the images that it holds."""


def open_blueprint(path: Path) -> OpenedBlueprint:
    """Read a blueprint; raises UnreadableBlueprint, which says what was expected.

    A bundle is read whole, which takes as long as the disk needs. Raises HostileArchive for
    one that no program has packed so.
    """
    try:
        if path.is_dir():
            return OpenedBlueprint(_folder(path.resolve()))
        with opened(path.resolve(), path.name, NEVER) as window:
            return _file(window, path)
    except TransferError as exc:
        raise UnreadableBlueprint(exc.message) from exc
    except OSError as exc:
        raise UnreadableBlueprint(f"{path}: cannot be read: {exc.strerror}") from exc


def _file(window: Window, path: Path) -> OpenedBlueprint:
    if looks_like_archive(window):
        contents = looked_into(window)
        if contents.blueprint is None:
            why = contents.warning or (
                "the archive holds no blueprint.json: it brings images only; `import` takes it"
            )
            raise UnreadableBlueprint(f"{path}: {why}")
        return OpenedBlueprint(contents.blueprint, contents)
    if window.size > LARGEST_DOCUMENT:
        raise UnreadableBlueprint(
            f"{path}: neither a blueprint nor a zip or tar.gz bundle: {window.size} bytes"
        )
    document = parsed(window.read(0, LARGEST_DOCUMENT), path.name)
    folder = path.resolve().parent.name
    if path.name in _PROJECT:
        return OpenedBlueprint(project_of(document, folder))
    called = folder if path.name in _IN_A_FOLDER else path.stem
    return OpenedBlueprint(blueprint_of(document, called, _index(path.resolve().parent)))


def _folder(folder: Path) -> Blueprint:
    for name in _IN_A_FOLDER:
        if (document := _document(folder / name)) is not None:
            return blueprint_of(document, folder.name, _index(folder))
    for name in _PROJECT:
        if (document := _document(folder / name)) is not None:
            return project_of(document, folder.name)
    raise UnreadableBlueprint(
        f"{folder}: holds no {' or '.join((*_IN_A_FOLDER, *_PROJECT))}; name the folder of one"
        " blueprint, its file, or a bundle"
    )


def _index(folder: Path) -> Mapping[str, Any]:
    """What the `index.json` beside the blueprint, or that of the catalog, says of it.

    It is only compared with the VMs, so one that cannot be read costs a comparison.
    """
    for place in (folder, folder.parent, folder.parent.parent):
        try:
            document = _document(place / _INDEX)
        except UnreadableBlueprint:
            continue
        if document is not None and (entry := index_entry(document, folder.name)):
            return entry
    return {}


def _document(path: Path) -> Mapping[str, Any] | None:
    """The document of that name; None where there is no such file."""
    if not path.is_file():
        return None
    with opened(path.resolve(), path.name, NEVER) as window:
        return parsed(window.read(0, LARGEST_DOCUMENT + 1), path.name)
