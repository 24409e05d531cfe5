"""A registry whose disk was damaged: found by digest and size, never believed."""

from __future__ import annotations

from pathlib import Path

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.registry.client import RegistryClient
from tests.parts.images import TinyImage, tiny_image
from tests.parts.registry import RegistryPart


def pushed(registry: RegistryPart, name: str) -> TinyImage:
    """An image of this test alone."""
    image = tiny_image([{"name": name.encode()}], {"Cmd": [name]})
    registry.push(f"damage/{name}", "1", image)
    return image


def flip(path: Path) -> None:
    """One bit, in the middle; the size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def read_layer(registry: RegistryPart, name: str, image: TinyImage) -> bytes:
    reader = RegistryClient(registry.pull_endpoint)
    with reader.open_blob(f"damage/{name}", image.layers[0].descriptor) as chunks:
        return b"".join(chunks)


def test_r8_a_flipped_byte_in_a_layer_is_found_while_reading(registry: RegistryPart) -> None:
    """The registry serves it with 200 and the old digest."""
    image = pushed(registry, "flipped")
    flip(registry.blob_file(image.layers[0].descriptor.digest))
    with pytest.raises(TransferError) as caught:
        read_layer(registry, "flipped", image)
    assert caught.value.reason is Reason.DIGEST_MISMATCH


def test_r8_the_registry_never_writes_anew_a_blob_that_it_has(registry: RegistryPart) -> None:
    """It takes the bytes, says 201 and keeps the damage: a repair starts with a delete."""
    image = pushed(registry, "anew")
    layer = image.layers[0]
    path = registry.blob_file(layer.descriptor.digest)
    path.write_bytes(path.read_bytes()[:-7])
    writer = RegistryClient(registry.push_endpoint)
    sent = writer.upload_blob("damage/anew", layer.descriptor, [layer.blob])
    assert sent == layer.descriptor.size
    assert writer.blob_size("damage/anew", layer.descriptor.digest) == sent - 7


def test_r9_a_truncated_layer_is_found_by_its_size_without_download(
    registry: RegistryPart,
) -> None:
    """HEAD tells the size on disk."""
    image = pushed(registry, "truncated")
    layer = image.layers[0].descriptor
    path = registry.blob_file(layer.digest)
    path.write_bytes(path.read_bytes()[:-7])
    reader = RegistryClient(registry.pull_endpoint)
    assert reader.blob_size("damage/truncated", layer.digest) == layer.size - 7
    with pytest.raises(TransferError) as caught:
        read_layer(registry, "truncated", image)
    assert caught.value.reason is Reason.BLOB_MISSING


def test_r9_a_removed_layer_is_absent(registry: RegistryPart) -> None:
    """The link is there, the bytes are not."""
    image = pushed(registry, "removed")
    layer = image.layers[0].descriptor
    registry.blob_file(layer.digest).unlink()
    assert RegistryClient(registry.pull_endpoint).blob_size("damage/removed", layer.digest) is None
    with pytest.raises(TransferError) as caught:
        read_layer(registry, "removed", image)
    assert caught.value.reason is Reason.BLOB_MISSING


def test_r9_a_flipped_config_is_found(registry: RegistryPart) -> None:
    """It decides how a container runs."""
    image = pushed(registry, "config")
    flip(registry.blob_file(image.parsed.config.digest))
    with pytest.raises(TransferError) as caught:
        RegistryClient(registry.pull_endpoint).config("damage/config", image.parsed.config)
    assert caught.value.reason is Reason.DIGEST_MISMATCH


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_r10_an_altered_manifest_is_refused(registry: RegistryPart, by: str) -> None:
    """The registry serves it with 200 and the old digest in its header."""
    image = pushed(registry, f"altered-by-{by}")
    path = registry.blob_file(image.digest)
    path.write_bytes(image.manifest.replace(b'"schemaVersion": 2', b'"schemaVersion":  2'))
    reference = "1" if by == "tag" else image.digest
    with pytest.raises(TransferError) as caught:
        RegistryClient(registry.pull_endpoint).manifest(f"damage/altered-by-{by}", reference)
    assert caught.value.reason is Reason.MANIFEST_DIGEST_MISMATCH


def test_r13_a_removed_manifest_is_absent_or_a_failure_but_never_found(
    registry: RegistryPart,
) -> None:
    """Its file is gone, its links are there."""
    image = pushed(registry, "lost")
    registry.blob_file(image.digest).unlink()
    assert RegistryClient(registry.pull_endpoint).manifest("damage/lost", image.digest) is None
