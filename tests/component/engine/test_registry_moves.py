"""Push, look up and pull between real engines and a real registry."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Manifest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.registry import Credentials
from cyroid_images.model.telemetry.progress import Progress, ignore
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.component.faults.provoking import put_index
from tests.parts.engines import EnginePart
from tests.parts.images import tiny_image
from tests.parts.range_engine import LIMITS, RangeEngine
from tests.parts.registry import CREDENTIALS, NewRegistry, RegistryPart
from tests.parts.save_tars import noise

pytestmark = pytest.mark.slow

NOBODY = Digest.parse(f"sha256:{'0' * 64}")
WRONG = Credentials("cyroid", "guess-guess")


def at(host: str, repository: str, digest: Digest) -> Reference:
    return Reference.parse(f"{host}/{repository}@{digest}")


def pushed(part: RegistryPart, repository: str, *layers: bytes) -> Manifest:
    """An image of these layers, one file each, as the registry stores it."""
    files = tuple({"x": content} for content in layers or (b"hello",))
    parsed = part.push_image(repository, "1", layers=files).parsed
    assert isinstance(parsed, Manifest)
    return parsed


def pull(part: RangeEngine, transport: Reference) -> None:
    part.engine.pull(transport, ignore, limits=LIMITS, cancellation=NEVER)


def test_an_engine_pushes_and_the_registry_has_what_it_says(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    name = Reference.parse(f"{registry.push_host}/moves/pushed-{any_engine.port}:1")
    saved = any_engine.load_image(str(name), ({"noise": noise(3_000_000)},))
    told: list[Progress] = []
    digest = any_engine.engine.push(
        name, CREDENTIALS, told.append, limits=LIMITS, cancellation=NEVER
    )
    with RegistryClient(registry.push_endpoint) as client:
        stored = client.manifest(name.path, digest)
    assert stored is not None
    assert isinstance(stored.parsed, Manifest)
    assert stored.parsed.config.digest == Digest.of(saved.config)
    again = any_engine.engine.push(name, CREDENTIALS, ignore, limits=LIMITS, cancellation=NEVER)
    assert again == digest


def test_an_engine_pulls_by_digest_tags_and_lets_the_transport_name_go(
    range_engine: RangeEngine, registry: RegistryPart
) -> None:
    manifest = pushed(registry, "moves/pulled", noise(200_000))
    transport = at(registry.pull_host, "moves/pulled", manifest.digest)
    range_engine.engine.preflight(transport, None, NEVER)
    told: list[Progress] = []
    sizes = {layer.digest.short: layer.size for layer in manifest.layers}
    range_engine.engine.pull(transport, told.append, limits=LIMITS, cancellation=NEVER, sizes=sizes)
    assert told[-1] == Progress(sum(sizes.values()), sum(sizes.values()))
    name = Reference.parse("moves.example/pulled:1")
    range_engine.engine.tag(transport, name)
    range_engine.engine.untag(transport)
    info = range_engine.engine.info()
    view = range_engine.engine.view(info, {})
    assert transport not in view.by_digest
    image = view.images[name]
    expected = {ImageStore.CLASSIC: manifest.config.digest, ImageStore.CONTAINERD: manifest.digest}
    assert image.id == expected[info.store]


def test_the_same_image_pulled_and_loaded_is_the_same(
    any_engine: EnginePart, classic_engine: EnginePart, registry: RegistryPart
) -> None:
    """Pulled into one engine, saved from there and loaded into another."""
    stored = registry.push_image("moves/same", "1", config={"Cmd": ["/same"]})
    transport = at(registry.pull_host, "moves/same", stored.parsed.digest)
    pull(any_engine, transport)
    name = Reference.parse(f"moves.example/same-{any_engine.port}:1")
    any_engine.engine.tag(transport, name)
    with any_engine.engine.save(name, limits=LIMITS, cancellation=NEVER) as tar:
        classic_engine.engine.load(tar, ignore, limits=LIMITS, cancellation=NEVER)
    there = any_engine.engine.view(any_engine.engine.info(), {}).images[name]
    here = classic_engine.engine.view(classic_engine.engine.info(), {}).images[name]
    assert here.content.is_same(there.content)
    by_setup = replace(there.content, config=None, manifest=None, aliases=frozenset())
    assert here.content.is_same(by_setup)


@pytest.mark.parametrize("move", ["preflight", "pull"])
def test_a_missing_manifest_is_not_found(
    range_engine: RangeEngine, registry: RegistryPart, move: str
) -> None:
    registry.push_image("moves/there", "1")
    assert reason(range_engine, move, at(registry.pull_host, "moves/there", NOBODY)) == (
        Reason.IMAGE_NOT_FOUND
    )


@pytest.mark.row("D9")
@pytest.mark.parametrize("move", ["preflight", "pull"])
def test_a_registry_without_trust_is_named_with_the_line_that_is_missing(
    range_engine: RangeEngine, registry: RegistryPart, move: str
) -> None:
    stored = registry.push_image("moves/untrusted", "1")
    with pytest.raises(TransferError) as caught:
        run(
            range_engine,
            move,
            at(registry.outer_pull_host, "moves/untrusted", stored.parsed.digest),
        )
    assert caught.value.reason is Reason.REGISTRY_NOT_TRUSTED
    assert f'{{"insecure-registries": ["{registry.outer_pull_host}"]}}' in caught.value.message


@pytest.mark.parametrize("move", ["preflight", "pull"])
def test_a_registry_that_wants_a_password_says_so(
    range_engine: RangeEngine, registry: RegistryPart, move: str
) -> None:
    stored = registry.push_image("moves/closed", "1")
    transport = at(registry.push_host, "moves/closed", stored.parsed.digest)
    assert reason(range_engine, move, transport) is Reason.UNAUTHORIZED


def test_a_wrong_password_is_unauthorized_and_never_shown(
    range_engine: RangeEngine, registry: RegistryPart
) -> None:
    stored = registry.push_image("moves/closed", "1")
    transport = at(registry.push_host, "moves/closed", stored.parsed.digest)
    with pytest.raises(TransferError) as caught:
        run(range_engine, "preflight", transport, WRONG)
    assert caught.value.reason is Reason.UNAUTHORIZED
    assert "guess-guess" not in str(caught.value)


def test_preflight_takes_the_right_password(
    range_engine: RangeEngine, registry: RegistryPart
) -> None:
    stored = registry.push_image("moves/closed", "1")
    transport = at(registry.push_host, "moves/closed", stored.parsed.digest)
    range_engine.engine.preflight(transport, CREDENTIALS, NEVER)


@pytest.mark.parametrize("move", ["preflight", "pull"])
def test_a_registry_that_is_down_is_unreachable(range_engine: RangeEngine, move: str) -> None:
    assert reason(range_engine, move, at("127.0.0.1:9", "moves/x", NOBODY)) is (
        Reason.REGISTRY_UNREACHABLE
    )


def test_p_s3_a_failing_pull_never_answers_the_old_image(
    range_engine: RangeEngine, new_registry: NewRegistry
) -> None:
    """The transport name is still there from last time; the registry lost the layer since."""
    part = new_registry()
    old = pushed(part, "moves/stale", noise(5_000, range_engine.port))
    new = pushed(part, "moves/stale", noise(5_001, range_engine.port))
    pull(range_engine, at(part.pull_host, "moves/stale", old.digest))
    name = Reference.parse(f"{part.pull_host}/moves/stale:1")
    range_engine.engine.tag(at(part.pull_host, "moves/stale", old.digest), name)
    part.blob_file(new.layers[0].digest).unlink()
    with pytest.raises(TransferError):
        pull(range_engine, at(part.pull_host, "moves/stale", new.digest))
    view = range_engine.engine.view(range_engine.engine.info(), {})
    assert view.images[name].content.identities >= {old.digest}


def test_a_flipped_byte_in_a_layer_is_a_digest_mismatch(
    range_engine: RangeEngine, new_registry: NewRegistry
) -> None:
    part = new_registry()
    manifest = pushed(part, "moves/flipped", noise(50_000, range_engine.port + 1))
    path = part.blob_file(manifest.layers[0].digest)
    content = bytearray(path.read_bytes())
    content[20_000] ^= 1
    path.write_bytes(content)
    with pytest.raises(TransferError) as caught:
        pull(range_engine, at(part.pull_host, "moves/flipped", manifest.digest))
    assert caught.value.reason is Reason.DIGEST_MISMATCH


@pytest.mark.row("D9")
def test_a_push_is_refused_for_the_same_reasons(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    """Only source engines push; where, and with whose password, it goes wrong."""
    for host, credentials, expected in (
        (registry.outer_pull_host, None, Reason.REGISTRY_NOT_TRUSTED),
        (registry.push_host, None, Reason.UNAUTHORIZED),
        (registry.push_host, WRONG, Reason.UNAUTHORIZED),
        ("127.0.0.1:9", None, Reason.REGISTRY_UNREACHABLE),
    ):
        with pytest.raises(TransferError) as caught:
            run(any_engine, "push", at(host, "moves/refused", NOBODY), credentials)
        assert caught.value.reason is expected
        assert WRONG.password not in str(caught.value)
        if expected is Reason.REGISTRY_NOT_TRUSTED:
            assert f'{{"insecure-registries": ["{host}"]}}' in caught.value.message


def run(
    part: RangeEngine, move: str, transport: Reference, credentials: Credentials | None = None
) -> None:
    """One move that is going to fail."""
    match move:
        case "preflight":
            part.engine.preflight(transport, credentials, NEVER)
        case "pull":
            pull(part, transport)
        case "push":
            assert isinstance(part, EnginePart)
            name = replace(transport, tag="pushed", digest=None)
            part.load_image(str(name))
            part.engine.push(name, credentials, ignore, limits=LIMITS, cancellation=NEVER)


def reason(part: RangeEngine, move: str, transport: Reference) -> Reason:
    with pytest.raises(TransferError) as caught:
        run(part, move, transport)
    return caught.value.reason


def test_of_an_index_one_platform_is_saved_where_the_engine_knows_how(
    docker29_engine: EnginePart, registry: RegistryPart
) -> None:
    """Else the tar would carry every platform that somebody pulled, and attestations with it."""
    images = {
        f"linux/{machine}": tiny_image([{"x": machine.encode()}], architecture=machine)
        for machine in ("amd64", "arm64")
    }
    index = put_index(registry, "moves/index", images)
    transport = at(registry.pull_host, "moves/index", index)
    for platform in images:
        docker29_engine.docker("pull", "--platform", platform, str(transport))
    name = Reference.parse("moves.example/index:1")
    docker29_engine.engine.tag(transport, name)
    assert docker29_engine.engine.info().saves_by_platform
    asked = (None, Platform.parse("linux/arm64"))
    saved = [saved_blobs(docker29_engine, name, platform) for platform in asked]
    amd, arm = (f"blobs/sha256/{image.digest.hex}" for image in images.values())
    assert {amd, arm} <= saved[0]
    assert arm in saved[1]
    assert amd not in saved[1]


def saved_blobs(part: EnginePart, name: Reference, platform: Platform | None) -> set[str]:
    """The members of what the engine saves."""
    saving = part.engine.save(name, limits=LIMITS, cancellation=NEVER, platform=platform)
    with saving as chunks, tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        return set(tar.getnames())
