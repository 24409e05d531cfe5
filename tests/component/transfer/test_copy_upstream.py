"""Copies from one real registry to another: verbatim, once, resumed, or not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from cyroid_images.errors import Cancelled, CyroidError, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.repository import pin_tag
from cyroid_images.model.knowledge import HeldByUpstream
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from tests.component.transfer.copying import Copying, blobs_read, upstream_at
from tests.parts.front import cutting, passing_on
from tests.parts.images import TinyImage, tiny_image
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise
from tests.parts.scripted import ScriptedServer, Step, drip, reply
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryPart]:
    """The registry that copies arrive in."""
    part = RegistryPart(tmp_path_factory.mktemp("ours"))
    part.start()
    yield part
    part.close()


@pytest.fixture
def copying(scripted: ScriptedServer, registry: RegistryPart, ours: RegistryPart) -> Copying:
    """From a real registry, through a front that counts."""
    for method in ("GET", "HEAD"):
        scripted.script(method, ".*", passing_on(registry.pull_endpoint))
    return Copying(upstream_at(RegistryEndpoint(scripted.url)), ours)


def image_of(*seeds: int, size: int = 50_000) -> TinyImage:
    """An image with a layer of noise per seed."""
    return tiny_image([{"noise": noise(size, seed)} for seed in seeds], compressed=False)


def repository_in(ours: Copying, path: str) -> str:
    return f"{ours.upstream.host.replace(':', '_')}/{path}"


def disturb(scripted: ScriptedServer, digest: Digest, *steps: Step) -> None:
    """What happens to the first GETs of this blob; the last step repeats."""
    scripted.script("GET", f"/v2/.*/blobs/{digest}", *steps)


def bytes_of_open_uploads(ours: RegistryPart, repository: str) -> int:
    folder = ours.data_root / "docker/registry/v2/repositories" / repository / "_uploads"
    return sum(path.stat().st_size for path in Path(folder).glob("*/data"))


# -- what arrives


def test_an_image_arrives_as_it_is(copying: Copying, registry: RegistryPart) -> None:
    """The very bytes, under its digest, its tag and a tag of its own; ranges may pull it."""
    image = image_of(1, 2)
    registry.push("copy/as-is", "1", image)
    stored = copying.copy("copy/as-is:1")
    assert stored.manifest.digest == image.digest
    reader, repository = (
        RegistryClient(copying.ours.pull_endpoint),
        repository_in(copying, "copy/as-is"),
    )
    for reference in (image.digest, "1", pin_tag(image.digest)):
        fetched = reader.manifest(repository, reference)
        assert fetched is not None
        assert fetched.content == image.manifest
    for layer in image.layers:
        with reader.open_blob(repository, layer.descriptor) as chunks:
            assert b"".join(chunks) == layer.blob


def test_progress_is_of_a_total_and_never_goes_back(
    copying: Copying, registry: RegistryPart
) -> None:
    """Bytes of all blobs, told by six threads one after the other."""
    image = image_of(3, 4, 5, 6, size=300_000)
    registry.push("copy/progress", "1", image)
    copying.copy("copy/progress:1")
    done = [progress.done for progress in copying.progress]
    assert done == sorted(done)
    assert {progress.total for progress in copying.progress} == {image.parsed.size}
    assert done[-1] == image.parsed.size
    assert len(set(done)) > len(image.layers)


def test_the_second_time_no_blob_is_read(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """Also when nobody remembers the first time; the progress is whole all the same."""
    image = image_of(7)
    registry.push("copy/again", "1", image)
    copying.copy("copy/again:1")
    held, before = copying.found("copy/again:1"), blobs_read(scripted)
    again = Copying(copying.upstream, copying.ours)
    again.copy("copy/again:1", held)
    assert blobs_read(scripted) == before
    assert again.progress[-1].done == image.parsed.size


def test_a_layer_that_we_have_elsewhere_is_mounted(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """Two images on one base: its bytes come once."""
    base, first, second = image_of(8), image_of(8, 9), image_of(8, 10)
    registry.push("copy/first", "1", first)
    registry.push("copy/second", "1", second)
    copying.copy("copy/first:1")
    copying.copy("copy/second:1")
    shared = base.layers[0].descriptor.digest
    assert len(scripted.seen("GET", f"/v2/.*/blobs/{shared}")) == 1
    own = second.layers[1].descriptor.digest
    assert len(scripted.seen("GET", f"/v2/.*/blobs/{own}")) == 1


def test_a_place_that_has_the_layer_no_more_is_no_obstacle(
    copying: Copying, registry: RegistryPart, ours: RegistryPart
) -> None:
    """What is remembered is a hint; the bytes come from the upstream again."""
    image = image_of(11)
    registry.push("copy/gone", "1", image)
    held = copying.found("copy/gone:1")
    remembered = type(held.stored)("never/there", held.stored.manifest, held.content)
    copying.known.learn(ours.push_endpoint, remembered)
    copying.copy("copy/gone:1")
    assert RegistryClient(ours.pull_endpoint).has_manifest(
        repository_in(copying, "copy/gone"), image.digest
    )


def test_a_layer_that_stands_twice_is_copied_once(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """As empty layers do."""
    image = image_of(12, 12)
    registry.push("copy/twice", "1", image)
    copying.copy("copy/twice:1")
    assert len(scripted.seen("GET", f"/v2/.*/blobs/{image.layers[0].descriptor.digest}")) == 1


def test_s8_a_copy_reads_with_a_password(registry: RegistryPart, ours: RegistryPart) -> None:
    """Straight from the listener that wants it."""
    registry.push("copy/secret", "1", image_of(13))
    assert Copying(upstream_at(registry.push_endpoint), ours).copy("copy/secret:1")


# -- what breaks on the way


def test_r3_a_download_that_breaks_goes_on_where_it_stopped(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """Twice: the first break is forgiven, the second one comes after enough progress."""
    image = image_of(14, size=4_000_000)
    registry.push("copy/resumed", "1", image)
    layer = image.layers[0].descriptor.digest
    real = registry.pull_endpoint
    disturb(scripted, layer, cutting(real, 500_000), cutting(real, 1_500_000), passing_on(real))
    stored = copying.copy("copy/resumed:1")
    assert stored.manifest.digest == image.digest
    ranges = [seen.headers.get("range") for seen in scripted.seen("GET", f"/v2/.*/blobs/{layer}")]
    assert ranges == [None, "bytes=500000-", "bytes=2000000-"]
    assert copying.progress[-1].done == image.parsed.size


def test_a_download_that_breaks_again_and_again_fails(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """Too little came since the last time; the caller's pause is longer."""
    image = image_of(15, size=1_000_000)
    registry.push("copy/broken", "1", image)
    layer = image.layers[0].descriptor.digest
    disturb(scripted, layer, cutting(registry.pull_endpoint, 1000))
    failed = failure_of(copying, "copy/broken:1")
    assert failed.reason is Reason.TRANSFER_INTERRUPTED
    assert len(scripted.seen("GET", f"/v2/.*/blobs/{layer}")) == 2


def test_a_server_without_ranges_is_read_from_the_start(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """What we have is skipped, and the digest is right."""
    image = image_of(16)
    registry.push("copy/no-ranges", "1", image)
    layer = image.layers[0]
    whole = cutting(registry.pull_endpoint, 20_000), reply(200, layer.blob)
    disturb(scripted, layer.descriptor.digest, *whole)
    assert copying.copy("copy/no-ranges:1").manifest.digest == image.digest


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        pytest.param([reply(404)], Reason.BLOB_MISSING, id="missing"),
        pytest.param([reply(200, b"x" * 100)], Reason.BLOB_MISSING, id="shorter"),
        pytest.param([reply(503)], Reason.SERVER_ERROR, id="503-for-ever"),
        pytest.param(
            [reply(429, "", {"Retry-After": "3600"})], Reason.RATE_LIMITED, id="rate-limit"
        ),
        pytest.param([reply(401)], Reason.UNAUTHORIZED, id="unauthorized"),
    ],
)
def test_a_blob_that_fails_fails_the_image(
    copying: Copying,
    registry: RegistryPart,
    scripted: ScriptedServer,
    steps: Sequence[Step],
    reason: Reason,
) -> None:
    """The manifest is not written, nothing of the blob stays; a later copy is whole."""
    seed = 20 + list(Reason).index(reason)
    image = image_of(seed, seed + 500)
    path = f"copy/fails-{reason.value.lower()}-{len(steps)}-{id(steps[0]) % 9973}"
    registry.push(path, "1", image)
    disturb(scripted, image.layers[1].descriptor.digest, *steps)
    assert failure_of(copying, f"{path}:1").reason is reason
    repository = repository_in(copying, path)
    assert not RegistryClient(copying.ours.pull_endpoint).has_manifest(repository, image.digest)
    until(lambda: bytes_of_open_uploads(copying.ours, repository) == 0)
    disturb(scripted, image.layers[1].descriptor.digest, passing_on(registry.pull_endpoint))
    copying.copy(f"{path}:1")


def test_flipped_bytes_are_never_stored(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """The upload is not closed."""
    image = image_of(17)
    registry.push("copy/flipped", "1", image)
    layer = image.layers[0]
    disturb(scripted, layer.descriptor.digest, reply(200, b"x" * layer.descriptor.size))
    assert failure_of(copying, "copy/flipped:1").reason is Reason.DIGEST_MISMATCH
    repository = repository_in(copying, "copy/flipped")
    reader = RegistryClient(copying.ours.pull_endpoint)
    assert reader.blob_size(repository, layer.descriptor.digest) is None
    until(lambda: bytes_of_open_uploads(copying.ours, repository) == 0)


def test_a_manifest_that_went_is_a_source_that_changed(
    copying: Copying, registry: RegistryPart
) -> None:
    """Between look and copy."""
    registry.push("copy/went", "1", image_of(18))
    held = copying.found("copy/went:1")
    RegistryClient(registry.push_endpoint).delete_manifest("copy/went", held.id)
    assert failure_of(copying, "copy/went:1", held).reason is Reason.SOURCE_CHANGED


# -- how it ends


def test_one_bad_blob_ends_the_others_at_once(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """They would go on for an hour; their uploads are taken back."""
    image = image_of(30, 31, 32)
    registry.push("copy/ends", "1", image)
    held = copying.found("copy/ends:1")
    for layer in image.layers[:2]:
        length = {"Content-Type": "x/y"}
        disturb(scripted, layer.descriptor.digest, drip(layer.blob[:1000], 3600, headers=length))
    bad = image.layers[2].descriptor.digest
    disturb(scripted, bad, reply(404))
    began = time.monotonic()
    assert failure_of(copying, "copy/ends:1", held).reason is Reason.BLOB_MISSING
    assert time.monotonic() - began < A_WHILE
    repository = repository_in(copying, "copy/ends")
    until(lambda: bytes_of_open_uploads(copying.ours, repository) == 0)


def test_a_cut_ends_all_threads_and_leaves_nothing(
    copying: Copying, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    """Three downloads that hang in the middle, each with an upload behind it."""
    image = image_of(33, 34, 35)
    registry.push("copy/cut", "1", image)
    held = copying.found("copy/cut:1")
    for layer in image.layers:
        disturb(scripted, layer.descriptor.digest, drip(layer.blob[:1000], 3600))
    threads = threading.active_count()
    scope, raised = CancelScope(), []

    def run() -> None:
        try:
            copying.copy("copy/cut:1", held, scope)
        except CyroidError as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: blobs_read(scripted) >= 4 and copying.progress != [])
    scope.cancel()
    thread.join(A_WHILE)
    assert not thread.is_alive()
    assert isinstance(raised[0], Cancelled)
    assert not [one for one in threading.enumerate() if one.name.startswith("parallel")]
    assert threading.active_count() <= threads + len(scripted.requests)
    repository = repository_in(copying, "copy/cut")
    until(lambda: bytes_of_open_uploads(copying.ours, repository) == 0)
    assert not RegistryClient(copying.ours.pull_endpoint).has_manifest(repository, image.digest)


def failure_of(copying: Copying, image: str, held: HeldByUpstream | None = None) -> TransferError:
    with pytest.raises(TransferError) as caught:
        copying.copy(image, held)
    return caught.value


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.01)
