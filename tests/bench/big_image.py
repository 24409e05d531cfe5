"""A huge image as a stream: a docker-save tar that is never in memory nor on our disk."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.bench.images import config_of
from tests.bench.tars import END, header, member

CHUNK = 1 << 20
_KINDS = 3
"""A third is noise, which no compression makes smaller; the rest is zeros."""


@dataclass(frozen=True, slots=True)
class BigImage:
    """Layers of this many MiB each, a multiple of three; noise and zeros by turns."""

    name: str
    layers: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes of the layers' files."""
        return sum(self.layers) * CHUNK

    def tar(self) -> Iterator[bytes]:
        """The tar, chunk by chunk, hashed on its way: the papers come last."""
        names, diff_ids = [], []
        for number, chunks in enumerate(self.layers):
            digest = hashlib.sha256()
            names.append(f"{number}/layer.tar")
            yield header(names[-1], _tar_size(chunks))
            for piece in _layer(chunks, seed=number):
                digest.update(piece)
                yield piece  # whole blocks, so nothing is to be padded
            diff_ids.append(f"sha256:{digest.hexdigest()}")
        config = config_of(diff_ids)
        file = f"{hashlib.sha256(config).hexdigest()}.json"
        yield member(file, config)
        listed = [{"Config": file, "RepoTags": [self.name], "Layers": names}]
        yield member("manifest.json", json.dumps(listed).encode())
        yield END


def _tar_size(chunks: int) -> int:
    return chunks * CHUNK + len(header("", 0)) + len(END)


def _layer(chunks: int, *, seed: int) -> Iterator[bytes]:
    """A tar of one file."""
    noise, zeros = random.Random(seed), bytes(CHUNK)  # noqa: S311 - filler
    yield header(f"disk-{seed}", chunks * CHUNK)
    for number in range(chunks):
        yield zeros if number % _KINDS else noise.randbytes(CHUNK)
    yield END
