"""The images of the demo as one docker-save archive, made while it is sent.

Nothing lies on disk: a layer's bytes come from a seed, so the same image has the same
digest in every run. All images share one base layer, as the real ones share their bases.
"""

import hashlib
import json
import random
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_BLOCK = 512  # bytes; the unit of tar
_PIECE = 1 << 20  # bytes made at a time
_END = b"\0" * (2 * _BLOCK)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a layer: its bytes are made anew each time they are asked for."""

    path: str
    size: int
    pieces: Callable[[], Iterator[bytes]]
    link: str = ""
    """Not empty: the file is a symbolic link to it."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image: its layers from the base up, and what `docker run` starts."""

    reference: str
    layers: tuple[tuple[File, ...], ...]
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """What an image is, wherever it is: digests of its config and uncompressed layers."""

    config: str
    layers: tuple[str, ...]


@dataclass(slots=True)
class Archive:
    """A docker-save archive of these images; `contents` is complete once it was streamed."""

    images: Sequence[Image]
    architecture: str
    contents: dict[str, Content]
    size: int = 0

    def stream(self) -> Iterator[bytes]:
        """The bytes of the archive; layers that images share are in it once."""
        digests: dict[tuple[File, ...], str] = {}
        manifest = []
        for image in self.images:
            for layer in image.layers:
                if layer not in digests:
                    yield from self._layer(f"layer-{len(digests)}.tar", layer, digests)
            layers = [digests[layer] for layer in image.layers]
            config = _config(image, self.architecture, layers)
            digest = hashlib.sha256(config).hexdigest()
            self.contents[image.reference] = Content(f"sha256:{digest}", tuple(layers))
            yield from _member(f"{digest}.json", config)
            known = list(digests)
            paths = [f"layer-{known.index(layer)}.tar" for layer in image.layers]
            tags = [image.reference]
            manifest.append({"Config": f"{digest}.json", "RepoTags": tags, "Layers": paths})
        yield from _member("manifest.json", json.dumps(manifest).encode())
        yield _END

    def _layer(
        self, path: str, layer: tuple[File, ...], digests: dict[tuple[File, ...], str]
    ) -> Iterator[bytes]:
        size = sum(_BLOCK + _padded(file.size) for file in layer) + len(_END)
        self.size += size
        digest = hashlib.sha256()
        yield _header(path, size)
        for piece in _layer_tar(layer):
            digest.update(piece)
            yield piece
        yield b"\0" * (_padded(size) - size)
        digests[layer] = f"sha256:{digest.hexdigest()}"


def text(path: str, content: str) -> File:
    """A small file."""
    return plain(path, content.encode())


def plain(path: str, content: bytes) -> File:
    """A file with these bytes."""
    return File(path, len(content), lambda: iter((content,)))


def link(path: str, to: str) -> File:
    """A symbolic link."""
    return File(path, 0, lambda: iter(()), link=to)


def noise(path: str, size: int, seed: str) -> File:
    """Bytes that no compression makes smaller."""
    return File(path, size, lambda: _noise(size, seed))


def words(path: str, size: int, seed: str) -> File:
    """Text that compresses to about half."""

    def pieces() -> Iterator[bytes]:
        for piece in _noise((size + 1) // 2, seed):
            yield piece.hex().encode()

    return File(path, size - size % 2, pieces)


def _noise(size: int, seed: str) -> Iterator[bytes]:
    source = random.Random(seed)  # noqa: S311 - to fill images, not for secrets
    for start in range(0, size, _PIECE):
        yield source.randbytes(min(_PIECE, size - start))


def _config(image: Image, architecture: str, layers: Sequence[str]) -> bytes:
    created = "2026-01-01T00:00:00Z"
    history = [{"created": created, "created_by": "cyroid-images demo"} for _ in layers]
    document = {
        "architecture": architecture,
        "os": "linux",
        "created": created,
        "config": {"Cmd": list(image.command), "Env": ["PATH=/bin"]},
        "rootfs": {"type": "layers", "diff_ids": list(layers)},
        "history": history,
    }
    return json.dumps(document).encode()


def _layer_tar(layer: Sequence[File]) -> Iterator[bytes]:
    for file in layer:
        yield _header(file.path, file.size, link=file.link)
        yield from file.pieces()
        yield b"\0" * (_padded(file.size) - file.size)
    yield _END


def _member(path: str, content: bytes) -> Iterator[bytes]:
    yield _header(path, len(content))
    yield content.ljust(_padded(len(content)), b"\0")


def _header(path: str, size: int, *, link: str = "") -> bytes:
    member = tarfile.TarInfo(path)
    member.size, member.mode = size, 0o755
    if link:
        member.type, member.linkname = tarfile.SYMTYPE, link
    return member.tobuf(tarfile.GNU_FORMAT)


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
