"""How a range engine becomes as cold as a new one, and the proof that it is.

`docker rmi` alone is no proof: a containerd store keeps content that a lease holds, and
what it still has would make the next run faster. So the files on disk are looked at too.
"""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from tests.bench.hand import docker
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart

SECONDS = 60.0
SMALL = 1_000_000
"""Bytes of a blob that make no run faster: a containerd store may keep the manifest of a pull
by digest for good."""
_TINY = "bench.example/collected:1"


class Store(StrEnum):
    """Where a dockerd keeps images."""

    CLASSIC = "classic"
    CONTAINERD = "containerd"


_CLASSIC = ("image/*/layerdb/sha256/*", "image/*/imagedb/content/sha256/*")
"""Layers and configurations."""
_CONTAINERD = tuple(
    f"containerd/daemon/io.containerd.content.v1.content/{kind}"
    for kind in ("blobs/*/*", "ingest/*")
)
"""Blobs, and what was not ended."""


def empty(engine: EnginePart) -> None:
    """Remove all images; returns when nothing of them is left on its disk that counts."""
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
    layers = (path for pattern in _CLASSIC for path in root.glob(pattern))
    blobs = (path for pattern in _CONTAINERD for path in root.glob(pattern))
    return [str(path) for path in (*layers, *filter(_counts, blobs))]


def _counts(blob: Path) -> bool:
    """False also for one that is being removed."""
    with suppress(FileNotFoundError):
        return blob.is_dir() or blob.stat().st_size > SMALL
    return False
