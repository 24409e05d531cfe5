"""What is to go, and how it goes: so that a kill at any moment leaves no link to nothing.

The links go first, of manifests, of tags' histories and of layers, since a registry gives
out only what is linked. Then blobs and uploads are moved aside, which takes no time however
large they are: from that moment on pushes may go on. What was moved aside is removed last,
once the rest is on the disk: nothing is synced while pushes wait, since file systems with a
journal keep the order anyway. Where one does not, a link to nothing is as good as none to a
registry without a cache, and the next collection removes it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cyroid_images.collect.marking import MarkedRepository, Marks
from cyroid_images.collect.tree import (
    DATA,
    LINK,
    StoredBlob,
    Tree,
    folders,
    is_folder,
    links,
    newest,
)
from cyroid_images.model.images.digest import Digest

ASIDE = "cyroid-collected"
"""The folder in the root of the volume, where no registry looks."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was begun and never ended."""

    folder: Path
    size: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """Everything that one collection removes."""

    blobs: tuple[StoredBlob, ...]
    links: tuple[Path, ...]
    """Folders of links, in the order in which they go."""
    uploads: tuple[Upload, ...]
    manifests: int
    """How many manifests are among them."""

    @property
    def size(self) -> int:
        """Bytes of the blobs and uploads."""
        return sum(each.size for each in self.blobs) + sum(each.size for each in self.uploads)


def unneeded(tree: Tree, marks: Marks, older_than: float) -> Sweep:
    """What nobody needs and is older than that moment; raises OddTree or OSError."""
    stored = [*tree.blobs()]
    blobs = tuple(
        each for each in stored if each.digest not in marks.needed and each.at < older_than
    )
    going = {each.digest for each in blobs}
    staying = {each.digest for each in stored} - going
    understood = [each for each in marks.repositories if not each.why_kept]
    manifests = [each for repository in understood for each in repository.unneeded]
    gone = [each.folder for each in manifests]
    for repository in understood:
        gone += _histories(repository)
    for repository in understood:
        gone += _layers(repository, staying, older_than)
    uploads = tuple(each for found in understood for each in _uploads(found, older_than))
    return Sweep(blobs, tuple(gone), uploads, len(manifests))


def take_away(tree: Tree, sweep: Sweep, step: Callable[[], None]) -> None:
    """Remove the links, and move the rest aside; raises OSError.

    `step` is called before each removal, and raises where it must not go on.
    """
    for folder in sweep.links:
        step()
        _unlink(folder)
    aside = tree.root / ASIDE
    aside.mkdir(mode=0o700, exist_ok=True)
    for number, folder in enumerate(_moved(sweep)):
        step()
        folder.rename(aside / f"{number}-{folder.name}")


def sync(tree: Tree, sweep: Sweep) -> None:
    """Have all of that on the disk; raises OSError."""
    changed = [*sweep.links, *_moved(sweep), tree.root / ASIDE / DATA]
    for folder in dict.fromkeys(each.parent for each in changed):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def empty(tree: Tree) -> int:
    """Remove what was moved aside, by this collection or one that was killed; bytes of it."""
    aside, size = tree.root / ASIDE, 0
    if is_folder(aside):
        _, size = newest(aside)
        shutil.rmtree(aside)
    return size


def _moved(sweep: Sweep) -> list[Path]:
    return [each.folder for each in sweep.blobs] + [each.folder for each in sweep.uploads]


def _histories(repository: MarkedRepository) -> list[Path]:
    """Where tags remember that they once named a manifest that goes."""
    going = {each.named for each in repository.unneeded}
    tags = repository.folder / "_manifests" / "tags"
    return [
        each.folder
        for tag in (folders(tags) if going else ())
        for each in links(tags / tag / "index")
        if each.named in going
    ]


def _layers(repository: MarkedRepository, staying: set[Digest], older_than: float) -> list[Path]:
    """Links to blobs that go, or went: the registry must not think that it has such a layer."""
    return [
        each.folder
        for each in links(repository.folder / "_layers")
        if each.at < older_than and (each.target or each.named) not in staying
    ]


def _uploads(repository: MarkedRepository, older_than: float) -> Iterable[Upload]:
    folder = repository.folder / "_uploads"
    for name in folders(folder):
        at, size = newest(folder / name)
        if at < older_than:
            yield Upload(folder / name, size)


def _unlink(folder: Path) -> None:
    """The link first: a folder without one means nothing to a registry."""
    (folder / LINK).unlink(missing_ok=True)
    shutil.rmtree(folder)
