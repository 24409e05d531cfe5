"""The files of a registry, as distribution 2.8 and 3 lay them out; no symbolic link is followed.

    docker/registry/v2/blobs/ALGORITHM/XX/HEX/data
    docker/registry/v2/repositories/NAME/_layers/ALGORITHM/HEX/link
    docker/registry/v2/repositories/NAME/_manifests/revisions/ALGORITHM/HEX/link
    docker/registry/v2/repositories/NAME/_manifests/tags/TAG/current/link
    docker/registry/v2/repositories/NAME/_manifests/tags/TAG/index/ALGORITHM/HEX/link
    docker/registry/v2/repositories/NAME/_uploads/UUID/...

A link is a file that holds a digest. Source: distribution, registry/storage/paths.go.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cyroid_images.errors import CyroidError, InvalidReference
from cyroid_images.model.images.digest import Digest

LARGEST_LINK = 256
"""Bytes of a link: a sha512 digest has 135."""
LINK = "link"
DATA = "data"


class OddTree(CyroidError):
    """The files are not as a registry leaves them: nothing is removed, since what they mean is
    not known."""


@dataclass(frozen=True, slots=True)
class Linked:
    """One link file: the digest that its folder is named after, and the one that it holds."""

    folder: Path
    named: Digest
    target: Digest | None
    """None: the file is empty or holds no digest."""
    at: float
    """When it was last written; seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """The file of one blob or manifest."""

    digest: Digest
    folder: Path
    size: int
    at: float
    """When it was last written; seconds since the epoch."""


class Tree:
    """Reads the files below one root; raises OddTree or OSError."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._v2 = self.root / "docker" / "registry" / "v2"

    def repositories(self) -> Iterator[tuple[str, Path]]:
        """Name and folder of each; OddTree where there are blobs and no repositories at all."""
        top, found = self._v2 / "repositories", False
        waiting = [top] if is_folder(top) else []
        while waiting:
            folder = waiting.pop()
            names = list(folders(folder))
            waiting += [folder / name for name in names if not name.startswith("_")]
            if folder != top and any(name.startswith("_") for name in names):
                found = True
                yield folder.relative_to(top).as_posix(), folder
        if not found and next(self.blobs(), None) is not None:
            raise OddTree(f"{top} has no repositories, but there are blobs: is the volume whole?")

    def blobs(self) -> Iterator[StoredBlob]:
        """Every blob and manifest that is stored; what is no blob is passed over."""
        for algorithm in folders(self._v2 / "blobs"):
            for prefix in folders(self._v2 / "blobs" / algorithm):
                parent = self._v2 / "blobs" / algorithm / prefix
                for name in folders(parent):
                    digest, found = _digest(f"{algorithm}:{name}"), _state(parent / name / DATA)
                    if digest is not None and found is not None:
                        yield StoredBlob(digest, parent / name, found.st_size, found.st_mtime)

    def blob_file(self, digest: Digest) -> Path:
        """Where the content of this digest is stored."""
        return self._v2 / "blobs" / digest.algorithm / digest.hex[:2] / digest.hex / DATA


def links(folder: Path) -> Iterator[Linked]:
    """The links in `folder/ALGORITHM/HEX/link`, of folders that are named after a digest."""
    for algorithm in folders(folder):
        for name in folders(folder / algorithm):
            named, path = _digest(f"{algorithm}:{name}"), folder / algorithm / name
            found = _state(path / LINK)
            if named is not None and found is not None:
                yield Linked(path, named, read_link(path / LINK), found.st_mtime)


def all_links(folder: Path) -> Iterator[Digest]:
    """Every digest that a link anywhere below holds or is named after; uploads left out."""
    waiting = [folder]
    while waiting:
        at = waiting.pop()
        below = [at / name for name in folders(at)]
        waiting += [each for each in below if each.name != "_uploads" and _is_ours(each, folder)]
        if _state(at / LINK) is None:
            continue
        target, named = read_link(at / LINK), _digest(f"{at.parent.name}:{at.name}")
        yield from (each for each in (target, named) if each is not None)


def read_link(path: Path) -> Digest | None:
    """The digest that a link holds; None for what is no digest, and where there is no file."""
    try:
        content = read_file(path, LARGEST_LINK)
    except FileNotFoundError:
        return None
    try:
        return Digest.parse(content.decode("ascii").strip())
    except (UnicodeDecodeError, InvalidReference):
        return None


def read_file(path: Path, most: int) -> bytes:
    """A whole small file; raises OddTree for one that is larger, or is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OddTree(f"{path} is not a file")
        content = file.read(most + 1)
    if len(content) > most:
        raise OddTree(f"{path} is larger than {most} bytes")
    return content


def folders(folder: Path) -> list[str]:
    """The names of the folders in a folder, in order; none where it does not exist."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except FileNotFoundError:
        return []
    for each in found:
        if each.is_symlink():
            raise OddTree(f"{each.path} is a symbolic link, and no registry makes those")
    return sorted(each.name for each in found if each.is_dir(follow_symlinks=False))


def is_folder(path: Path) -> bool:
    """Is it there, and a folder? A symbolic link is odd."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(mode):
        raise OddTree(f"{path} is a symbolic link, and no registry makes those")
    return stat.S_ISDIR(mode)


def is_file(path: Path) -> bool:
    """Is it there? What is no file is odd."""
    return _state(path) is not None


def newest(folder: Path) -> tuple[float, int]:
    """When something in a folder was last written, and the bytes of the files in it."""
    at, size = folder.lstat().st_mtime, 0
    for name in folders(folder):
        inner, more = newest(folder / name)
        at, size = max(at, inner), size + more
    with os.scandir(folder) as entries:
        for each in entries:
            if each.is_file(follow_symlinks=False):
                found = each.stat(follow_symlinks=False)
                at, size = max(at, found.st_mtime), size + found.st_size
    return at, size


def _is_ours(folder: Path, repository: Path) -> bool:
    """Below a repository: its own folders begin with `_`, others are repositories themselves."""
    return folder.parent != repository or folder.name.startswith("_")


def _state(path: Path) -> os.stat_result | None:
    """What a file is like; None where there is none; OddTree for what is no file."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OddTree(f"{path} is not a file")
    return found


def _digest(text: str) -> Digest | None:
    try:
        return Digest.parse(text)
    except InvalidReference:
        return None
