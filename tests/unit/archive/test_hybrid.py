"""The tar that engines load: exact length, both lists, and no list after a wrong blob."""

from __future__ import annotations

import hashlib
import io
import json
import random
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyroid_images.archive.hybrid import HybridLayer, HybridTar, hybrid
from cyroid_images.archive.tar import members
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    DOCKER_MANIFEST,
    OCI_MANIFEST,
    Descriptor,
    read_manifest,
)
from cyroid_images.model.images.reference import Reference
from tests.parts.images import TinyImage, tiny_image

NAME = Reference.parse("transport.example/image:abc")
PLAIN = "application/vnd.oci.image.layer.v1.tar"

Blobs = list[tuple[Digest, bytes]]


def plan_of(contents: list[bytes]) -> tuple[HybridTar, Blobs]:
    """An image of these layers, as a docker-save archive has them."""
    blobs = [(Digest.of(content), content) for content in contents]
    layers = tuple(
        HybridLayer(digest, Descriptor(PLAIN, digest, len(content))) for digest, content in blobs
    )
    return HybridTar(NAME, b'{"os":"linux"}', layers), blobs


def stored_plan(image: TinyImage) -> tuple[HybridTar, Blobs]:
    """An image of compressed layers, as a registry has it."""
    layers = tuple(HybridLayer(layer.diff_id, layer.descriptor) for layer in image.layers)
    blobs = [(layer.descriptor.digest, layer.blob) for layer in image.layers]
    return HybridTar(NAME, image.config, layers, image.manifest), blobs


def sent(blobs: Blobs, size: int = 700) -> Iterator[tuple[Digest, Iterable[bytes]]]:
    for digest, content in blobs:
        yield digest, (content[at : at + size] for at in range(0, len(content), size))


def read(tar: bytes) -> dict[str, bytes]:
    """By Python's own reader; the order stays."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file is not None
            found[member.name] = file.read()
    return found


def document(files: dict[str, bytes], name: str) -> Any:
    return json.loads(files[name])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=6), st.randoms(use_true_random=False))
def test_every_layer_survives_in_any_order_and_the_length_is_exact(
    contents: list[bytes], chance: random.Random
) -> None:
    plan, blobs = plan_of(contents)
    chance.shuffle(blobs)
    tar = b"".join(hybrid(plan, sent(blobs)))
    assert len(tar) == plan.length
    files = read(tar)
    assert {member.name: member.size for member, _ in members([tar])} == {
        name: len(content) for name, content in files.items()
    }
    assert all(
        hashlib.new(name.split("/")[1], content).hexdigest() == name.split("/")[2]
        for name, content in files.items()
        if name.startswith("blobs/")
    )
    listed = document(files, "manifest.json")[0]
    assert [files[path] for path in listed["Layers"]] == contents
    assert files[listed["Config"]] == plan.config
    assert listed["RepoTags"] == ["transport.example/image:abc"]
    assert list(files)[-3:] == ["oci-layout", "index.json", "manifest.json"]


def test_the_stored_manifest_is_kept_byte_by_byte() -> None:
    image = tiny_image()
    plan, blobs = stored_plan(image)
    files = read(b"".join(hybrid(plan, sent(blobs))))
    (entry,) = document(files, "index.json")["manifests"]
    assert entry["digest"] == str(image.digest)
    assert entry["size"] == len(image.manifest)
    assert entry["mediaType"] == OCI_MANIFEST
    assert entry["annotations"] == {
        "io.containerd.image.name": "transport.example/image:abc",
        "org.opencontainers.image.ref.name": "abc",
    }
    assert files[f"blobs/sha256/{image.digest.hex}"] == image.manifest
    assert document(files, "oci-layout") == {"imageLayoutVersion": "1.0.0"}


def test_a_manifest_of_docker_is_announced_as_one() -> None:
    image = tiny_image()
    manifest = image.manifest.replace(OCI_MANIFEST.encode(), DOCKER_MANIFEST.encode())
    plan, blobs = stored_plan(replace(image, manifest=manifest))
    files = read(b"".join(hybrid(plan, sent(blobs))))
    assert document(files, "index.json")["manifests"][0]["mediaType"] == DOCKER_MANIFEST


def test_without_a_stored_manifest_the_same_one_is_made_each_time() -> None:
    plan, _ = plan_of([b"one", b"two"])
    parsed = read_manifest(plan.manifest, "")
    assert plan.manifest == replace(plan).manifest
    assert parsed.media_type == OCI_MANIFEST
    assert [str(layer.digest) for layer in parsed.layers] == [  # type: ignore[union-attr]
        str(layer.diff_id) for layer in plan.layers
    ]


def test_a_layer_that_is_left_out_is_listed_and_not_carried() -> None:
    plan, blobs = plan_of([b"there", b"new"])
    first, second = plan.layers
    lean = replace(plan, layers=(replace(first, is_left_out=True), second))
    tar = b"".join(hybrid(lean, sent(blobs)))
    files = read(tar)
    assert len(tar) == lean.length == plan.length - 1024
    assert len(document(files, "manifest.json")[0]["Layers"]) == 2
    assert f"blobs/sha256/{first.diff_id.hex}" not in files


def test_a_layer_that_comes_twice_is_carried_once() -> None:
    plan, blobs = plan_of([b"twice", b"once", b"twice"])
    tar = b"".join(hybrid(plan, sent(blobs)))
    assert len(tar) == plan.length
    assert len(document(read(tar), "manifest.json")[0]["Layers"]) == 3


def test_a_layer_left_out_once_and_needed_again_is_carried() -> None:
    """A classic engine has the chain up to the first one, and opens the file of the second."""
    plan, _ = plan_of([b"twice", b"once", b"twice"])
    first, *rest = plan.layers
    assert (
        first.blob.digest in replace(plan, layers=(replace(first, is_left_out=True), *rest)).blobs
    )


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=3000), st.data())
def test_a_flipped_byte_ends_the_tar_before_any_list(content: bytes, data: st.DataObject) -> None:
    plan, _ = plan_of([content])
    at = data.draw(st.integers(0, len(content) - 1))
    flipped = content[:at] + bytes((content[at] ^ 1,)) + content[at + 1 :]
    assert_refused(plan, flipped, Reason.DIGEST_MISMATCH)


@pytest.mark.parametrize("size", [0, 511, 512, 1023])
def test_a_blob_that_is_short_ends_the_tar_before_any_list(size: int) -> None:
    plan, _ = plan_of([b"x" * 1024])
    assert_refused(plan, b"x" * size, Reason.BLOB_MISSING)


def test_a_blob_that_is_too_long_ends_the_tar_before_any_list() -> None:
    plan, _ = plan_of([b"x" * 1024])
    assert_refused(plan, b"x" * 1025, Reason.DIGEST_MISMATCH)


def test_a_blob_that_does_not_come_ends_the_tar_before_any_list() -> None:
    plan, blobs = plan_of([b"one", b"two"])
    passed: list[bytes] = []
    with pytest.raises(TransferError, match="is missing from") as raised:
        passed += hybrid(plan, sent(blobs[:1]))
    assert raised.value.reason is Reason.BLOB_MISSING
    assert b"manifest.json" not in b"".join(passed)


def test_blobs_over_eight_gibibytes_and_of_sha512_have_their_exact_length() -> None:
    plan, _ = plan_of([])
    huge = Descriptor(PLAIN, Digest("sha256", "0" * 64), 9 << 30)
    long = Descriptor(PLAIN, Digest("sha512", "1" * 128), 5)
    with_both = replace(plan, layers=tuple(HybridLayer(blob.digest, blob) for blob in (huge, long)))
    listed = sum(len(content) + -len(content) % 512 + 512 for _, content in with_both.lists())
    long_name = 512 + 512  # a GNU header of its own
    assert with_both.length == 512 + (9 << 30) + long_name + 512 + 512 + listed + 1024


def test_a_blob_of_sha512_is_hashed_by_sha512() -> None:
    plan, _ = plan_of([])
    digest = Digest("sha512", hashlib.sha512(b"content").hexdigest())
    layer = HybridLayer(Digest.of(b"content"), Descriptor(PLAIN, digest, 7))
    plan = replace(plan, layers=(layer,))
    tar = b"".join(hybrid(plan, sent([(digest, b"content")])))
    assert len(tar) == plan.length
    assert read(tar)[f"blobs/sha512/{digest.hex}"] == b"content"


def assert_refused(plan: HybridTar, content: bytes, reason: Reason) -> None:
    """What was handed on ends within the blob: no padding, no list, no end blocks."""
    pieces: list[bytes] = []
    tar = hybrid(plan, sent([(plan.layers[0].blob.digest, content)]))
    with pytest.raises(TransferError) as raised:
        pieces.extend(tar)
    assert raised.value.reason is reason
    header, *rest = pieces
    assert len(header) == 512
    passed = b"".join(rest)
    assert passed == content[: len(passed)]
