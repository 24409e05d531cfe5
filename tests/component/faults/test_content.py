"""Faults of content between a registry and an engine: platform, kind, compression, layers.

`schema 1` is refused by our own reader before an engine is asked (tests/unit/model/
test_manifest.py); `filesystem layer verification failed` and the like are provoked with a
flipped byte in tests/component/engine/test_registry_moves.py. `content digest .. not found`
at a load is in the recordings (`load-hybrid-partial-absent`): Docker 26 loads what it has
itself saved of an index that is there in part.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import zstandard

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.component.faults.provoking import at, put_index, refusal
from tests.parts.engines import EnginePart
from tests.parts.images import OCI_LAYER, manifest_of, tiny_image
from tests.parts.range_engine import LIMITS
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import layer_tar, saved_image, tar_of

pytestmark = pytest.mark.slow


def test_an_index_without_the_platform_of_the_engine_is_a_mismatch(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    arm = tiny_image([{"x": b"arm"}], architecture="arm64")
    digest = put_index(registry, "faults/arm", {"linux/arm64": arm})
    error = refusal(any_engine, "pull", at(registry.pull_host, "faults/arm", digest))
    assert error.reason is Reason.PLATFORM_MISMATCH, error


def test_an_artifact_that_is_no_image_is_a_protocol_error(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    image = tiny_image([{"x": b"artifact"}])
    registry.push("faults/artifact", "image", image)
    config = replace(image.parsed.config, media_type="application/vnd.cncf.helm.config.v1+json")
    layers = [replace(layer, media_type="application/x-chart") for layer in image.parsed.layers]
    content = manifest_of(config, layers)
    with RegistryClient(registry.push_endpoint) as client:
        digest = client.put_manifest("faults/artifact", "1", content, OCI_MANIFEST)
    error = refusal(any_engine, "pull", at(registry.pull_host, "faults/artifact", digest))
    assert error.reason is Reason.PROTOCOL_ERROR, error


def test_an_old_engine_that_is_given_zstd_fails_without_knowing_why(
    old_engine: EnginePart, registry: RegistryPart
) -> None:
    """It takes the blob for a plain tar that ends too early; so the plan has to know better."""
    plain = tiny_image([{"x": b"zstd"}], compressed=False)
    blob = zstandard.ZstdCompressor().compress(plain.layers[0].tar)
    layer = Descriptor(f"{OCI_LAYER}+zstd", Digest.of(blob), len(blob))
    content = manifest_of(plain.parsed.config, [layer])
    with RegistryClient(registry.push_endpoint) as client:
        client.upload_blob("faults/zstd", layer, [blob])
        client.upload_stream("faults/zstd", [plain.config], OCI_CONFIG)
        digest = client.put_manifest("faults/zstd", "1", content, OCI_MANIFEST)
    error = refusal(old_engine, "pull", at(registry.pull_host, "faults/zstd", digest))
    assert error.reason in (Reason.TRANSFER_INTERRUPTED, Reason.PULL_FAILED), error


@pytest.fixture
def partial(containerd_engine: EnginePart, registry: RegistryPart) -> Reference:
    """A name in the containerd store whose index has a child that is not there."""
    images = {
        f"linux/{machine}": tiny_image([{"x": machine.encode()}], architecture=machine)
        for machine in ("amd64", "arm64")
    }
    digest = put_index(registry, "faults/partial", images)
    transport = at(registry.pull_host, "faults/partial", digest)
    containerd_engine.engine.pull(transport, ignore, limits=LIMITS, cancellation=NEVER)
    name = Reference.parse(f"{registry.push_host}/faults/elsewhere:1")
    containerd_engine.engine.tag(transport, name)
    containerd_engine.engine.untag(transport)
    return name


def test_a_push_of_an_index_that_is_there_in_part_fails_for_another_cause(
    containerd_engine: EnginePart, partial: Reference
) -> None:
    """Docker 26; 27 pushes the one manifest that it has."""
    engine = containerd_engine.engine
    with pytest.raises(TransferError) as caught:
        engine.push(partial, None, ignore, limits=LIMITS, cancellation=NEVER)
    assert caught.value.reason is Reason.PUSH_FAILED, caught.value


def test_a_layer_that_is_not_what_its_config_says_is_never_loaded(any_engine: EnginePart) -> None:
    """`invalid diffID`, `wrong diff id calculated`: content of a broken archive."""
    saved = saved_image("faults/diff:1", ({"x": b"right"},))
    document = json.loads(saved.config)
    name = f"{Digest.of(saved.config).hex}.json"
    manifest = [{"Config": name, "RepoTags": ["faults/diff:1"], "Layers": ["l0/layer.tar"]}]
    layer = layer_tar({"x": b"wrong"})
    members = {"l0/layer.tar": layer, name: saved.config}
    assert document["rootfs"]["diff_ids"] != [str(Digest.of(layer))]
    with pytest.raises(TransferError) as caught:
        any_engine.load(tar_of({**members, "manifest.json": json.dumps(manifest).encode()}))
    assert caught.value.reason is Reason.LOAD_FAILED, caught.value
