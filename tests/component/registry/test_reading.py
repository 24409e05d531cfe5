"""What a real registry holds: only a 404 is absent, and digests are computed."""

from __future__ import annotations

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Index,
    Manifest,
)
from cyroid_images.registry.client import LARGEST_CONFIG, RegistryClient
from tests.parts.images import index_of, tiny_image
from tests.parts.registry import RegistryPart

NOWHERE = Digest.of(b"nowhere")


def test_a_registry_answers_a_ping(registry: RegistryPart) -> None:
    """With the right password, and on the listener that wants none."""
    RegistryClient(registry.push_endpoint).ping()
    RegistryClient(registry.pull_endpoint).ping()


def test_a_manifest_is_the_same_by_tag_and_by_digest(registry: RegistryPart) -> None:
    """Exact bytes, digest computed from them."""
    image = tiny_image(config={"Cmd": ["/same"]})
    registry.push("reading/same", "1", image)
    reader = RegistryClient(registry.pull_endpoint)
    by_tag, by_digest = (
        reader.manifest("reading/same", "1"),
        reader.manifest("reading/same", image.digest),
    )
    assert by_tag == by_digest
    assert by_tag is not None
    assert (by_tag.content, by_tag.digest) == (image.manifest, image.digest)


def test_what_was_pushed_is_readable_on_the_pull_listener_at_once(registry: RegistryPart) -> None:
    """Two processes over one data root, without a cache between."""
    stored = registry.push_image("reading/at-once", "1")
    assert isinstance(stored.parsed, Manifest)
    reader = RegistryClient(registry.pull_endpoint)
    assert reader.has_manifest("reading/at-once", stored.digest)
    sizes = [reader.blob_size("reading/at-once", one.digest) for one in stored.parsed.layers]
    assert sizes == [one.size for one in stored.parsed.layers]


def test_p_e1_only_what_is_not_there_is_absent(registry: RegistryPart) -> None:
    """P-E1: a 404 in an empty registry, and in a repository that exists."""
    registry.push_image("reading/absent", "1")
    reader = RegistryClient(registry.pull_endpoint)
    assert reader.manifest("reading/none", "1") is None
    assert reader.manifest("reading/absent", "2") is None
    assert reader.manifest("reading/absent", NOWHERE) is None
    assert not reader.has_manifest("reading/absent", NOWHERE)
    assert reader.blob_size("reading/absent", NOWHERE) is None


def test_a_config_is_read_whole_and_proven(registry: RegistryPart) -> None:
    """Its size and digest are those of the manifest."""
    image = tiny_image(config={"Cmd": ["/config"]})
    registry.push("reading/config", "1", image)
    reader = RegistryClient(registry.pull_endpoint)
    assert reader.config("reading/config", image.parsed.config) == image.config


def test_a_config_that_is_not_there_is_a_missing_blob(registry: RegistryPart) -> None:
    """The manifest named it, so it should be there."""
    absent = Descriptor(OCI_CONFIG, NOWHERE, 7)
    with pytest.raises(TransferError) as caught:
        RegistryClient(registry.pull_endpoint).config("reading/config", absent)
    assert caught.value.reason is Reason.BLOB_MISSING


def test_a_config_of_absurd_size_is_not_even_asked_for(registry: RegistryPart) -> None:
    """It would be held in memory."""
    huge = Descriptor(OCI_CONFIG, NOWHERE, LARGEST_CONFIG + 1)
    with pytest.raises(TransferError) as caught:
        RegistryClient(registry.pull_endpoint).config("reading/config", huge)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_a_layer_streams_as_it_is_stored(registry: RegistryPart) -> None:
    """Gzip stays gzip: decoding would change the digest."""
    image = tiny_image()
    registry.push("reading/layer", "1", image)
    reader = RegistryClient(registry.pull_endpoint)
    with reader.open_blob("reading/layer", image.layers[0].descriptor) as chunks:
        assert b"".join(chunks) == image.layers[0].blob


def test_a_layer_that_the_manifest_calls_larger_is_refused_at_the_headers(
    registry: RegistryPart,
) -> None:
    """Before a byte of it is read."""
    image = tiny_image()
    registry.push("reading/larger", "1", image)
    first = image.layers[0].descriptor
    larger = Descriptor(first.media_type, first.digest, first.size + 1)
    reader = RegistryClient(registry.pull_endpoint)
    with pytest.raises(TransferError) as caught, reader.open_blob("reading/larger", larger):
        pytest.fail("it was opened")
    assert caught.value.reason is Reason.BLOB_MISSING


def test_an_index_is_read_with_its_platforms(registry: RegistryPart) -> None:
    """All four manifest types are asked for at once."""
    image = tiny_image()
    registry.push("reading/index", "amd64", image)
    content = index_of({"linux/amd64": image})
    writer = RegistryClient(registry.push_endpoint)
    writer.put_manifest("reading/index", "1", content, OCI_INDEX)
    found = writer.manifest("reading/index", "1")
    assert found is not None
    assert isinstance(found.parsed, Index)
    assert found.parsed.entries[0].descriptor.digest == image.digest


@pytest.mark.slow
def test_p_c7_the_hundred_and_fiftieth_repository_is_found_like_the_first(
    registry: RegistryPart,
) -> None:
    """P-C7: the predecessor read the catalog, which ends after 100 entries."""
    image = tiny_image([{"x": b"many"}])
    writer = RegistryClient(registry.push_endpoint)
    registry.push("many/000", "1", image)
    for number in range(1, 150):
        name = f"many/{number:03}"
        for blob in (image.layers[0].descriptor, image.parsed.config):
            assert writer.mount(name, blob.digest, "many/000")
        writer.put_manifest(name, "1", image.manifest, OCI_MANIFEST)
    reader = RegistryClient(registry.pull_endpoint)
    assert all(reader.has_manifest(f"many/{number:03}", image.digest) for number in range(150))
    assert not reader.has_manifest("many/150", image.digest)
