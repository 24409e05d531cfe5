"""How a range engine becomes as cold as a new one, and the proof that it is.

`docker rmi` alone is no proof: a containerd store keeps content that a lease holds, and
what it still has would make the next run faster. So the files on disk are looked at too.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from tests.bench.hand import docker
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart

SECONDS = 60.0
_TINY = "bench.example/collected:1"


class Store(StrEnum):
    """Where a dockerd keeps images."""

    CLASSIC = "classic"
    CONTAINERD = "containerd"


_FILES = (
    "image/*/layerdb/sha256/*",
    "image/*/imagedb/content/sha256/*",
    "containerd/daemon/io.containerd.content.v1.content/blobs/*/*",
    "containerd/daemon/io.containerd.content.v1.content/ingest/*",
)
"""Layers and configurations of a classic store, blobs of a containerd store."""


def empty(engine: EnginePart) -> None:
    """Remove all images; returns when nothing of them is left on its disk."""
    if images := docker(engine, "images", "--all", "--quiet", "--no-trunc").split():
        docker(engine, "rmi", "--force", *dict.fromkeys(images))
    root = data_root(engine)
    wait_for(
        lambda: not _left(root) or _collects(engine),
        "an empty engine",
        SECONDS,
        lambda: "\n".join(_left(root)[:20]),
    )


def _collects(engine: EnginePart) -> bool:
    """Have the engine collect once more: what a lease of a pull held during the last removal
    stays until another image is removed. False: it is to be looked at again.
    """
    engine.load_image(_TINY)
    docker(engine, "rmi", "--force", _TINY)
    return False


def data_root(engine: EnginePart) -> Path:
    """Where it keeps everything."""
    return Path(engine.local.url.removeprefix("unix://")).parent / "data"


def _left(root: Path) -> list[str]:
    return [str(path) for pattern in _FILES for path in root.glob(pattern)]
