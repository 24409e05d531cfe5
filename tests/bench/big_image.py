"""A huge image as a stream: a docker-save tar that is never in memory nor on our disk."""

from __future__ import annotations

import hashlib
import json
import random
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from tests.parts.save_tars import CREATED

CHUNK = 1 << 20
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class BigImage:
    """One layer: `random_chunks` MiB that no compression makes smaller, then as many of zeros."""

    name: str
    random_chunks: int
    seed: int

    def tar(self) -> Iterator[bytes]:
        """The tar, chunk by chunk; making it costs one more run over the layer, for its digest."""
        digest = hashlib.sha256()
        size = 0
        for chunk in self._layer():
            digest.update(chunk)
            size += len(chunk)
        yield _header("layer/layer.tar", size)
        yield from self._layer()  # a tar itself: whole blocks
        yield from self._papers(f"sha256:{digest.hexdigest()}")
        yield bytes(2 * _BLOCK)

    def _layer(self) -> Iterator[bytes]:
        size, random_source = self.random_chunks * CHUNK, random.Random(self.seed)  # noqa: S311 - filler
        yield _header("noise", size)
        for _ in range(self.random_chunks):
            yield random_source.randbytes(CHUNK)
        yield _header("zeros", size)
        for _ in range(self.random_chunks):
            yield bytes(CHUNK)
        yield bytes(2 * _BLOCK)

    def _papers(self, diff_id: str) -> Iterator[bytes]:
        config = {
            "architecture": "amd64",
            "os": "linux",
            "created": CREATED,
            "config": {"Cmd": ["/x"]},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created": CREATED, "created_by": "layer 0"}],
        }
        raw = json.dumps(config).encode()
        name = f"{hashlib.sha256(raw).hexdigest()}.json"
        manifest = [{"Config": name, "RepoTags": [self.name], "Layers": ["layer/layer.tar"]}]
        yield _member(name, raw)
        yield _member("manifest.json", json.dumps(manifest).encode())


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


def _member(name: str, content: bytes) -> bytes:
    return _header(name, len(content)) + content + bytes(-len(content) % _BLOCK)
