"""Small images as docker-save tars, made by hand: what every engine can load."""

from __future__ import annotations

import hashlib
import io
import json
import random
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CREATED = "2024-01-02T03:04:05.12Z"


@dataclass(frozen=True, slots=True)
class SavedImage:
    """A tar that an engine loads, and what is in it."""

    tar: bytes
    config: bytes
    diff_ids: tuple[str, ...]


def saved_image(
    name: str,
    layers: Sequence[Mapping[str, bytes]] = ({"hello": b"hello\n"},),
    config: Mapping[str, Any] | None = None,
    **others: Any,
) -> SavedImage:
    """An image of these layers (path to content); `config` is what `docker run` goes by.

    `others` stand beside `config` in the configuration; None leaves that field out.
    """
    tars = [layer_tar(files) for files in layers]
    diff_ids = tuple(f"sha256:{hashlib.sha256(tar).hexdigest()}" for tar in tars)
    document: dict[str, Any] = {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": {"Cmd": ["/hello"]} if config is None else dict(config),
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": CREATED, "created_by": f"layer {i}"} for i in range(len(tars))],
    }
    document |= others
    raw = json.dumps({key: value for key, value in document.items() if value is not None}).encode()
    config_name = f"{hashlib.sha256(raw).hexdigest()}.json"
    paths = [f"l{number}/layer.tar" for number in range(len(tars))]
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": paths}]
    members = dict(zip(paths, tars, strict=True))
    members |= {config_name: raw, "manifest.json": json.dumps(manifest).encode()}
    return SavedImage(tar_of(members), raw, diff_ids)


def layer_tar(files: Mapping[str, bytes]) -> bytes:
    """An uncompressed layer; every file may be run."""
    return tar_of(files, mode=0o755)


def tar_of(members: Mapping[str, bytes], *, mode: int = 0o644) -> bytes:
    """A tar of these members, in this order, the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def noise(size: int, seed: int = 1) -> bytes:
    """Bytes that no compression makes smaller, the same for the same seed."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - not for secrets


def busybox() -> bytes | None:
    """The static busybox of this machine, if it has one: what `docker run` can run."""
    path = shutil.which("busybox")
    return Path(path).read_bytes() if path else None
