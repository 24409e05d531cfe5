"""Where built things are kept between labs, and how several users share them.

Nothing here knows what is cached. The one idea: a thing is made under a
temporary name while its lock is held and takes its real name when it is whole,
so what has its real name can be used without any lock.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.lab.progress import told


def root() -> Path:
    """The cache directory, made if it is absent."""
    own = os.environ.get("CYROID_LAB_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(own) if own else Path(shared) / "cyroid-lab"
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def key(*parts: str | bytes) -> str:
    """Twelve hexadecimal digits that stand for these parts in this order."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8) + data)  # the length keeps ("a", "b") from ("ab",)
    return digest.hexdigest()[:12]


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Holds the lock of that name against other threads and processes."""
    path = root() / "locks" / f"{name}.lock"
    path.parent.mkdir(exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with told(f"waiting for another run that holds {name}"):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made(path: Path, make: Callable[[Path], None]) -> Path:
    """The file or directory at `path`; if it is absent, `make` fills it first.

    `make` gets a temporary path beside it. If it fails, nothing is kept.
    """
    if path.exists():
        return path
    with locked(path.name):
        if path.exists():  # another process made it while this one waited
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.unfinished")
        remove(unfinished)  # of a process that was killed: we hold its lock
        try:
            make(unfinished)
            unfinished.rename(path)
        finally:
            remove(unfinished)
    return path


def remove(path: Path) -> None:
    """Removes a file or a tree, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
