"""Writes image archives (docker-save layout) from directories and files.

No engine is needed: an image is a tar of layers beside a small configuration.
"""

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.lab.shell import run

_MEGABYTE = 1 << 20
_EPOCH = "1970-01-01T00:00:00Z"  # the same content gives the same image ID on every day


@dataclass(frozen=True, slots=True)
class File:
    """A file that an image has in addition to its root file system."""

    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that an image consists of."""

    rootfs: Path | None = None
    files: Mapping[str, File] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)


def write(recipe: Recipe, tag: str, path: Path) -> None:
    """Writes the image as an archive that engines and containerd can load."""
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        layers = []
        if recipe.rootfs:
            layers.append(Path(scratch, "rootfs.tar"))
            _pack_directory(recipe.rootfs, layers[-1])
        if recipe.files or recipe.links:
            layers.append(Path(scratch, "files.tar"))
            _pack_files(recipe, layers[-1])
        diff_ids = [_digest(layer) for layer in layers]
        _write_archive(
            path, tag, _configuration(recipe, diff_ids), dict(zip(diff_ids, layers, strict=True))
        )


def _pack_directory(directory: Path, layer: Path) -> None:
    # Devices and kernel file systems belong to the runtime, not to an image.
    left_out = [f"--exclude=./{name}/*" for name in ("proc", "sys", "dev", "run", "tmp")]
    options = ["--numeric-owner", "--sort=name", "--one-file-system", *left_out]
    run(["tar", "-C", directory, *options, "-cf", layer, "."])


def _pack_files(recipe: Recipe, layer: Path) -> None:
    with tarfile.open(layer, "w") as tar:
        for name, file in recipe.files.items():
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.size = len(file.content)
            entry.mode = 0o755 if file.executable else 0o644
            tar.addfile(entry, io.BytesIO(file.content))
        for name, target in recipe.links.items():
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)


def _configuration(recipe: Recipe, diff_ids: list[str]) -> bytes:
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **recipe.env}
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "created": _EPOCH,
        "config": {
            "Env": [f"{name}={value}" for name, value in env.items()],
            "Entrypoint": list(recipe.entrypoint) or None,
            "Cmd": list(recipe.arguments) or None,
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}" for diff_id in diff_ids]},
        "history": [{"created": _EPOCH, "created_by": "tests.lab"} for _ in diff_ids],
    }
    return json.dumps(configuration).encode()


def _write_archive(path: Path, tag: str, config: bytes, layers: Mapping[str, Path]) -> None:
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    names = [f"{diff_id}/layer.tar" for diff_id in layers]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [tag], "Layers": names}])
    with tarfile.open(path, "w") as tar:
        for name, layer in zip(names, layers.values(), strict=True):
            with layer.open("rb") as file:
                _add(tar, name, file, layer.stat().st_size)
        _add(tar, config_name, io.BytesIO(config), len(config))
        _add(tar, "manifest.json", io.BytesIO(manifest.encode()), len(manifest))


def _add(tar: tarfile.TarFile, name: str, file: IO[bytes], size: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    entry.mode = 0o644
    tar.addfile(entry, file)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_MEGABYTE):
            digest.update(chunk)
    return digest.hexdigest()
