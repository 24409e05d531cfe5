"""The huge image is a tar that an engine can load, though it is never whole anywhere."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile

from tests.bench.big_image import CHUNK, BigImage


def test_the_papers_name_the_layers_by_what_is_in_them() -> None:
    image = BigImage("bench.example/huge:1", (3, 1))
    with tarfile.open(fileobj=io.BytesIO(b"".join(image.tar()))) as tar:
        content = {member.name: _content(tar, member) for member in tar}
    (listed,) = json.loads(content["manifest.json"])
    config = content[listed["Config"]]
    assert listed["RepoTags"] == [image.name]
    assert listed["Config"] == f"{hashlib.sha256(config).hexdigest()}.json"
    assert json.loads(config)["rootfs"]["diff_ids"] == [
        f"sha256:{hashlib.sha256(content[layer]).hexdigest()}" for layer in listed["Layers"]
    ]


def test_a_layer_is_a_tar_of_noise_and_twice_as_many_zeros() -> None:
    with tarfile.open(fileobj=io.BytesIO(b"".join(BigImage("x:1", (3,)).tar()))) as tar:
        layer = _content(tar, tar.getmember("0/layer.tar"))
    with tarfile.open(fileobj=io.BytesIO(layer)) as inner:
        (member,) = inner.getmembers()
        disk = _content(inner, member)
    assert disk[CHUNK:] == bytes(2 * CHUNK)
    assert disk[:CHUNK].count(0) < CHUNK // 100


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()
