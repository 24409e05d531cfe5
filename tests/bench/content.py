"""Layers with the content of a real root file system, as files in the lab's cache.

A layer is a tar of Debian's own files (binaries, libraries, texts) in an order and under a
folder of its own: gzip makes it about 0.4 of its size, as it does with what people deploy.
The same seed and size give the same bytes. Nothing here knows of images.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.lab import cache, docker

CHUNK = 1 << 20
_RECIPE = "2"  # another number makes every layer anew
_ENOUGH = 0.99
_BUILDER_LEVEL = 6
"""gzip's default, which builders use."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Files of about `size` bytes in all; another seed gives other bytes."""

    seed: int
    size: int

    @property
    def tar(self) -> Path:
        """The plain tar, made when it is first asked for."""
        return cache.made(self._path("tar"), self._write)

    @property
    def packed(self) -> Path:
        """The same as a builder leaves it: gzip at the default level."""
        return cache.made(self._path("tar.gz"), self._pack)

    def _path(self, ending: str) -> Path:
        name = cache.key(_RECIPE, _root().name, str(self.seed), str(self.size))
        return cache.root() / "bench" / f"layer-{name}.{ending}"

    def _write(self, path: Path) -> None:
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for name, file in _files(self):
                member = tarfile.TarInfo(name)
                member.size, member.mode = file.stat().st_size, 0o755
                with file.open("rb") as content:
                    tar.addfile(member, content)

    def _pack(self, path: Path) -> None:
        with (
            path.open("wb") as raw,
            gzip.GzipFile("", "wb", _BUILDER_LEVEL, raw, mtime=0) as packed,
        ):
            for chunk in chunks(self.tar):
                packed.write(chunk)


def chunks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, never more than a MiB of them at a time."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def digest_of(path: Path) -> str:
    """`sha256:...` of a cached file; kept beside it, as it costs a second per GB."""

    def compute(unfinished: Path) -> None:
        digest = hashlib.sha256()
        for chunk in chunks(path):
            digest.update(chunk)
        unfinished.write_text(f"sha256:{digest.hexdigest()}")

    return cache.made(path.with_name(f"{path.name}.digest"), compute).read_text()


def _root() -> Path:
    """What the test engines run in: it is there anyway."""
    (root,) = docker.layers("26")
    return root


def _files(layer: Layer) -> Iterator[tuple[str, Path]]:
    """Name in the layer and file, copy after copy, until there are enough bytes."""
    found = sorted(path for path in _root().rglob("*") if path.is_file() and not path.is_symlink())
    order = random.Random(layer.seed)  # noqa: S311 - an order, no secret
    given = 0
    for copy in count():
        order.shuffle(found)
        for path in found:
            # One file of a third of the layer would decide how well all of it packs.
            if (size := path.stat().st_size) > min(layer.size // 3, layer.size - given):
                continue
            yield f"opt/{layer.seed}/{copy}/{path.relative_to(_root())}", path
            given += size
            if given >= _ENOUGH * layer.size:
                return
