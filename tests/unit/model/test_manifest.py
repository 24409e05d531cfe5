"""Manifests and indexes from the bytes that a registry serves, friendly and hostile."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    Manifest,
    read_manifest,
)
from cyroid_images.model.images.platform import Platform


def descriptor(number: int, **more: Any) -> dict[str, Any]:
    return {"mediaType": "a/b", "digest": f"sha256:{number:064}", "size": number, **more}


def manifest(**more: Any) -> dict[str, Any]:
    layers = [descriptor(2), descriptor(3, mediaType="application/vnd.oci.image.layer.v1.tar+zstd")]
    return {"mediaType": OCI_MANIFEST, "config": descriptor(1), "layers": layers, **more}


def index(*children: dict[str, Any]) -> dict[str, Any]:
    return {"mediaType": OCI_INDEX, "manifests": list(children)}


def read(document: object, media_type: str = OCI_MANIFEST) -> Manifest | Index:
    return read_manifest(json.dumps(document).encode(), media_type)


def test_a_manifest_is_read_with_the_digest_of_its_bytes() -> None:
    content = json.dumps(manifest()).encode()
    read_back = read_manifest(content, DOCKER_MANIFEST)
    assert isinstance(read_back, Manifest)
    assert read_back.digest == Digest.of(content)
    assert read_back.media_type == OCI_MANIFEST
    assert read_back.size == 6
    assert read_back.has_zstd


def test_without_a_media_type_of_its_own_the_header_counts() -> None:
    document = {key: value for key, value in manifest().items() if key != "mediaType"}
    assert read(document, f"{DOCKER_MANIFEST}; charset=utf-8").media_type == DOCKER_MANIFEST


@pytest.mark.parametrize("media_type", [OCI_INDEX, DOCKER_LIST])
def test_an_index_chooses_by_platform_and_never_another(media_type: str) -> None:
    amd64 = descriptor(1, platform={"os": "linux", "architecture": "amd64"})
    arm64 = descriptor(2, platform={"os": "linux", "architecture": "arm64", "variant": "v8"})
    read_back = read({**index(amd64, arm64), "mediaType": media_type})
    assert isinstance(read_back, Index)
    chosen = read_back.choose(Platform.parse("linux/arm64"))
    assert chosen is not None
    assert chosen.size == 2
    assert read_back.choose(Platform.parse("linux/s390x")) is None


def test_an_attestation_in_an_index_is_no_platform() -> None:
    attestation = descriptor(1, platform={"os": "unknown", "architecture": "unknown"})
    read_back = read(index(attestation, descriptor(2)))
    assert isinstance(read_back, Index)
    assert [entry.platform for entry in read_back.entries] == [None, None]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"manifests":' + b"[" * 100_000,
        json.dumps({"schemaVersion": 1, "fsLayers": []}).encode(),
        json.dumps({**manifest(), "manifests": []}).encode(),
        json.dumps(manifest(config=None)).encode(),
        json.dumps(manifest(layers=[descriptor(1, size=-1)])).encode(),
        json.dumps(manifest(layers=[descriptor(1, digest="sha256:abc")])).encode(),
        json.dumps(manifest(layers=[descriptor(1, digest=5)])).encode(),
        json.dumps(index(descriptor(1, platform={"os": "linux"}))).encode(),
        json.dumps(index(descriptor(1, platform=["linux"]))).encode(),
    ],
)
def test_anything_else_is_a_protocol_error(content: bytes) -> None:
    with pytest.raises(TransferError) as refused:
        read_manifest(content, OCI_MANIFEST)
    assert refused.value.reason == Reason.PROTOCOL_ERROR
    assert len(refused.value.message) < 300
