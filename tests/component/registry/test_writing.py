"""Uploads to a real registry: stored once, proven before they are closed, or taken back."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_MANIFEST, Descriptor
from cyroid_images.registry.client import RegistryClient
from tests.parts.images import tiny_image
from tests.parts.registry import RegistryPart


def blob_of(content: bytes) -> Descriptor:
    return Descriptor("application/octet-stream", Digest.of(content), len(content))


def stored(registry: RegistryPart, repository: str, descriptor: Descriptor) -> bytes:
    """The blob as the pull listener serves it."""
    with RegistryClient(registry.pull_endpoint).open_blob(repository, descriptor) as chunks:
        return b"".join(chunks)


def bytes_of_open_uploads(registry: RegistryPart, repository: str) -> int:
    """What unfinished uploads hold on disk; 2.8.2 leaves an empty folder of each."""
    folder = registry.data_root / "docker/registry/v2/repositories" / repository / "_uploads"
    return sum(path.stat().st_size for path in folder.glob("*/data"))


def test_a_blob_of_known_length_is_stored(registry: RegistryPart) -> None:
    """The bytes sent are the answer."""
    content = os.urandom(300_000)
    wanted = blob_of(content)
    writer = RegistryClient(registry.push_endpoint)
    assert writer.upload_blob("writing/known", wanted, [content[:7], content[7:]]) == 300_000
    assert stored(registry, "writing/known", wanted) == content


def test_a_blob_that_is_there_is_not_read_at_the_source(registry: RegistryPart) -> None:
    """The registry is asked first."""
    content = b"there already"
    writer = RegistryClient(registry.push_endpoint)
    writer.upload_blob("writing/there", blob_of(content), [content])

    def untouched() -> Iterator[bytes]:
        pytest.fail("the source was read")
        yield b""

    assert writer.upload_blob("writing/there", blob_of(content), untouched()) == 0


def test_a_stream_of_unknown_length_is_stored_and_described(registry: RegistryPart) -> None:
    """Digest and size come back."""
    content = os.urandom(200_000)
    writer = RegistryClient(registry.push_endpoint)
    chunks = (content[at : at + 1000] for at in range(0, len(content), 1000))
    described = writer.upload_stream("writing/unknown", chunks, "application/octet-stream")
    assert described == blob_of(content)
    assert stored(registry, "writing/unknown", described) == content


def test_an_empty_blob_is_stored(registry: RegistryPart) -> None:
    """A body without a chunk is a body."""
    writer = RegistryClient(registry.push_endpoint)
    writer.upload_blob("writing/empty", blob_of(b""), [])
    assert writer.blob_size("writing/empty", Digest.of(b"")) == 0


@pytest.mark.parametrize("arrives", [b"other content", b"wanted", b"wanted content and more"])
def test_wrong_bytes_are_never_stored(registry: RegistryPart, arrives: bytes) -> None:
    """Flipped, short or long: the upload is not closed, and its bytes are removed."""
    wanted = blob_of(b"wanted content")
    writer = RegistryClient(registry.push_endpoint)
    with pytest.raises(TransferError) as caught:
        writer.upload_blob("writing/wrong", wanted, [arrives])
    assert caught.value.reason in (Reason.DIGEST_MISMATCH, Reason.BLOB_MISSING)
    assert writer.blob_size("writing/wrong", wanted.digest) is None
    assert bytes_of_open_uploads(registry, "writing/wrong") == 0


class SourceBroke(Exception):
    """What a source may raise."""


def test_a_source_that_fails_leaves_no_bytes_behind(registry: RegistryPart) -> None:
    """Its own error comes out; the upload is taken back by its newest Location."""

    def breaking() -> Iterator[bytes]:
        yield os.urandom(500_000)
        raise SourceBroke

    with pytest.raises(SourceBroke):
        RegistryClient(registry.push_endpoint).upload_stream("writing/broken", breaking(), "x/y")
    assert bytes_of_open_uploads(registry, "writing/broken") == 0


def test_a_blob_is_mounted_from_another_repository(registry: RegistryPart) -> None:
    """No byte moves."""
    content = b"mounted"
    writer = RegistryClient(registry.push_endpoint)
    writer.upload_blob("writing/from", blob_of(content), [content])
    assert writer.mount("writing/to", Digest.of(content), "writing/from")
    assert stored(registry, "writing/to", blob_of(content)) == content


def test_a_mount_from_nowhere_says_no_and_keeps_no_bytes(registry: RegistryPart) -> None:
    """The registry answers 202 and opens an upload instead."""
    writer = RegistryClient(registry.push_endpoint)
    assert not writer.mount("writing/to", Digest.of(b"nowhere"), "no/such")
    assert bytes_of_open_uploads(registry, "writing/to") == 0


def test_a_manifest_is_refused_before_it_is_sent_under_a_wrong_digest(
    registry: RegistryPart,
) -> None:
    """A caller's defect must not depend on the registry to be seen."""
    wrong = Digest.of(b"another")
    with pytest.raises(TransferError) as caught:
        RegistryClient(registry.push_endpoint).put_manifest("writing/m", wrong, b"{}", OCI_MANIFEST)
    assert caught.value.reason is Reason.MANIFEST_DIGEST_MISMATCH


def test_a_manifest_without_its_blobs_is_refused(registry: RegistryPart) -> None:
    """By the registry, which names the code."""
    image = tiny_image(config={"Cmd": ["/no-blobs"]})
    with pytest.raises(TransferError, match="MANIFEST_BLOB_UNKNOWN") as caught:
        RegistryClient(registry.push_endpoint).put_manifest(
            "writing/no-blobs", "1", image.manifest, OCI_MANIFEST
        )
    assert caught.value.reason is Reason.BLOB_MISSING


def test_a_deleted_manifest_is_gone_and_its_deletion_may_be_repeated(
    registry: RegistryPart,
) -> None:
    """With its tag; every action may be repeated without harm."""
    image = registry.push_image("writing/deleted", "1")
    writer = RegistryClient(registry.push_endpoint)
    writer.delete_manifest("writing/deleted", image.digest)
    writer.delete_manifest("writing/deleted", image.digest)
    assert not writer.has_manifest("writing/deleted", image.digest)
    assert writer.manifest("writing/deleted", "1") is None
