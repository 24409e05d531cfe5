"""The images of the benchmark: what they are made of, and how they get into an engine.

An image is a stream of tar members over cached layers, never one file nor in memory. For a
classic store its layers are plain; a containerd store gets them packed by gzip, as a build
or a pull there leaves them (after a load of plain layers it would push plain ones).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cyroid_images.model.images.manifest import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST
from tests.bench.content import Layer, chunks, digest_of
from tests.bench.tars import END, header, member, padding
from tests.parts.images import OCI_LAYER
from tests.parts.save_tars import CREATED

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Image:
    """A name with a tag, and its layers from the lowest up."""

    name: str
    layers: tuple[Layer, ...]

    @property
    def size(self) -> int:
        """Bytes of the plain layers."""
        return sum(layer.tar.stat().st_size for layer in self.layers)

    def plain_tar(self) -> Iterator[bytes]:
        """What `docker save` of a classic store gives."""
        paths = [layer.tar for layer in self.layers]
        names = [f"{number}/layer.tar" for number in range(len(paths))]
        yield from _files(zip(names, paths, strict=True))
        config, file = self._config(), f"{_hex(self._config())}.json"
        yield member(file, config)
        yield member("manifest.json", self._list(file, names))
        yield END

    def packed_tar(self) -> Iterator[bytes]:
        """An OCI layout with packed layers, and the list that a classic store needs."""
        paths = [layer.packed for layer in self.layers]
        config, manifest = self._config(), self._manifest(paths)
        names = [_blob(digest_of(path)) for path in paths]
        yield from _files(zip(names, paths, strict=True))
        for content in (config, manifest):
            yield member(_blob(_digest(content)), content)
        yield member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        yield member("index.json", self._index(manifest))
        yield member("manifest.json", self._list(_blob(_digest(config)), names))
        yield END

    def _config(self) -> bytes:
        diff_ids = [digest_of(layer.tar) for layer in self.layers]
        return config_of(diff_ids)

    def _manifest(self, paths: Iterable[Path]) -> bytes:
        config = self._config()
        layers = [
            {
                "mediaType": f"{OCI_LAYER}+gzip",
                "digest": digest_of(path),
                "size": path.stat().st_size,
            }
            for path in paths
        ]
        about = {"mediaType": OCI_CONFIG, "digest": _digest(config), "size": len(config)}
        head = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
        return json.dumps({**head, "config": about, "layers": layers}).encode()

    def _index(self, manifest: bytes) -> bytes:
        names = {
            "io.containerd.image.name": self.name,
            "org.opencontainers.image.ref.name": self.name.rpartition(":")[2],
        }
        entry = {
            "mediaType": OCI_MANIFEST,
            "digest": _digest(manifest),
            "size": len(manifest),
            "annotations": names,
        }
        head = {"schemaVersion": 2, "mediaType": OCI_INDEX}
        return json.dumps({**head, "manifests": [entry]}).encode()

    def _list(self, config: str, layers: list[str]) -> bytes:
        entry = {"Config": config, "RepoTags": [self.name], "Layers": layers}
        return json.dumps([entry]).encode()


BIG = Image("bench.example/windows:1", tuple(Layer(seed, 300 * MB) for seed in (1, 2, 3)))
"""Three layers, 0.9 GB: the one image of most measures."""

_DEBIAN, _KALI = (Layer(10, 60 * MB), Layer(11, 30 * MB)), (Layer(20, 90 * MB),)
BLUEPRINT = (
    Image("bench.example/fileserver:1", (*_DEBIAN, Layer(31, 25 * MB))),
    Image("bench.example/workstation:1", (*_DEBIAN, Layer(32, 40 * MB))),
    Image("bench.example/attack:1", (*_KALI, Layer(33, 60 * MB))),
    Image("bench.example/wordpress:1", (*_DEBIAN, Layer(34, 30 * MB), Layer(35, 5 * MB))),
    Image("bench.example/dc:1", (*_KALI, Layer(36, 20 * MB))),
)
"""Five images of one blueprint on two bases."""


def make(images: Iterable[Image]) -> None:
    """Have every layer in the cache, in both forms."""
    for image in images:
        for layer in image.layers:
            for path in (layer.tar, layer.packed):
                digest_of(path)


def config_of(diff_ids: list[str]) -> bytes:
    """The configuration of an image of these layers."""
    history = [{"created": CREATED, "created_by": f"layer {at}"} for at in range(len(diff_ids))]
    document = {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": history,
    }
    return json.dumps(document).encode()


def _files(members: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    for name, path in members:
        size = path.stat().st_size
        yield header(name, size)
        yield from chunks(path)
        yield padding(size)


def _digest(content: bytes) -> str:
    return f"sha256:{_hex(content)}"


def _hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"
