"""Real engines that hang, die, fill up or wait for a registry that does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.errors import Cancelled, CyroidError, Reason, TransferError
from cyroid_images.model.engine import EngineEndpoint, ImageStore
from cyroid_images.model.images.manifest import Manifest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import Progress, ignore
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope
from tests.parts.apiserver import wait_for
from tests.parts.connections import open_connections
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.range_engine import LIMITS
from tests.parts.registry import CREDENTIALS, NewRegistry, RegistryPart
from tests.parts.save_tars import noise, saved_image
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow

STORES = pytest.mark.parametrize("containerd_store", [False, True], ids=["classic", "containerd"])
CUT_SHORT = StreamLimits(stall_seconds=1, first_byte_seconds=1, reply_seconds=1)


def transport_of(part: RegistryPart, repository: str, *layers: bytes) -> Reference:
    """A new image in the registry, by the name that an engine pulls it under."""
    files = tuple({"x": content} for content in layers)
    parsed = part.push_image(repository, "1", layers=files).parsed
    assert isinstance(parsed, Manifest)
    return Reference.parse(f"{part.pull_host}/{repository}@{parsed.digest}")


def names(part: EnginePart) -> set[str]:
    view = part.engine.view(part.engine.info(), {})
    return {str(name) for name in (*view.images, *view.by_digest)}


@pytest.fixture
def paused(any_engine: EnginePart) -> Iterator[EnginePart]:
    """An engine that hangs for as long as the test runs."""
    any_engine.pause()
    try:
        yield any_engine
    finally:
        any_engine.resume()


def test_an_engine_that_hangs_is_unreachable(paused: EnginePart) -> None:
    engine = Engine(paused.endpoint, answer_seconds=0.5)
    with pytest.raises(TransferError) as caught:
        engine.info()
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE


def test_a_pull_from_an_engine_that_hangs_gives_its_slot_back(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    any_engine.engine.info()
    transport = transport_of(registry, "faults/hang", noise(1000))
    any_engine.pause()
    try:
        with pytest.raises(TransferError) as caught:
            any_engine.engine.pull(transport, ignore, limits=CUT_SHORT, cancellation=NEVER)
    finally:
        any_engine.resume()
    # On a busy machine the bound of the whole call may be noticed before that of the first byte.
    assert caught.value.reason in (Reason.ENGINE_UNREACHABLE, Reason.TIMEOUT)


@pytest.mark.row("D2")
@STORES
def test_an_engine_killed_in_mid_pull_interrupts_it_and_can_pull_again(
    new_engine: NewEngine, new_registry: NewRegistry, containerd_store: bool
) -> None:
    """No half image carries a name; the next pull succeeds."""
    part, source = new_engine(containerd_store=containerd_store), new_registry()
    transport = transport_of(source, "faults/killed", *(noise(20_000_000, n) for n in range(3)))
    beginning = threading.Event()

    def kill(_: Progress) -> None:
        if not beginning.is_set():
            beginning.set()
            source.pause()  # so that the pull is still under way when the engine dies
            part.kill()

    with pytest.raises(TransferError) as caught:
        part.engine.pull(transport, kill, limits=LIMITS, cancellation=NEVER)
    assert caught.value.reason is Reason.TRANSFER_INTERRUPTED
    with pytest.raises(TransferError) as after:
        part.engine.info()
    assert after.value.reason is Reason.ENGINE_UNREACHABLE
    source.resume()
    before = part.port
    part.start()
    assert part.port == before
    assert names(part) == set()
    part.engine.pull(transport, ignore, limits=LIMITS, cancellation=NEVER)
    assert names(part) == {str(transport)}


@pytest.mark.row("D12")
@STORES
def test_a_pull_that_fills_the_disk_says_so(
    new_engine: NewEngine, registry: RegistryPart, containerd_store: bool
) -> None:
    part = new_engine(containerd_store=containerd_store, data_size="40m")
    transport = transport_of(registry, "faults/full", noise(60_000_000))
    with pytest.raises(TransferError) as caught:
        part.engine.pull(transport, ignore, limits=LIMITS, cancellation=NEVER)
    assert caught.value.reason is Reason.INSUFFICIENT_STORAGE
    assert names(part) == set()


@pytest.mark.row("D12")
@STORES
def test_a_load_that_fills_the_disk_says_so(new_engine: NewEngine, containerd_store: bool) -> None:
    part = new_engine(containerd_store=containerd_store, data_size="40m")
    saved = saved_image("faults/full:1", ({"x": noise(60_000_000)},))
    with pytest.raises(TransferError) as caught:
        part.load(saved.tar)
    assert caught.value.reason is Reason.INSUFFICIENT_STORAGE
    assert "faults/full:1" not in names(part)


def test_an_old_engine_that_fills_up_says_so(new_engine: NewEngine, registry: RegistryPart) -> None:
    part = new_engine(version="20", data_size="40m")
    transport = transport_of(registry, "faults/full", noise(60_000_000))
    with pytest.raises(TransferError) as of_pull:
        part.engine.pull(transport, ignore, limits=LIMITS, cancellation=NEVER)
    with pytest.raises(TransferError) as of_load:
        part.load(saved_image("faults/full:1", ({"x": noise(60_000_000)},)).tar)
    assert of_pull.value.reason is Reason.INSUFFICIENT_STORAGE
    assert of_load.value.reason is Reason.INSUFFICIENT_STORAGE


def test_a_save_without_room_to_stage_it_fails(new_engine: NewEngine) -> None:
    """A classic engine writes the whole image to disk before it sends a byte of it."""
    part = new_engine(data_size="60m")
    part.load_image("faults/big:1", ({"x": noise(16_000_000)},))
    for number in range(7):  # a load needs its size twice for a moment
        part.load_image(f"faults/filler:{number}", ({"x": noise(5_000_000, number + 2)},))
    name = Reference.parse("faults/big:1")
    with (
        pytest.raises(TransferError) as caught,
        part.engine.save(name, limits=LIMITS, cancellation=NEVER) as tar,
    ):
        sum(map(len, tar))
    assert caught.value.reason is Reason.INSUFFICIENT_STORAGE


CallOf = Callable[[EnginePart, RegistryPart, CancelScope], object]


def cancelled_pull(part: EnginePart, source: RegistryPart, cancellation: CancelScope) -> None:
    transport = Reference.parse(f"{source.pull_host}/faults/cancel@sha256:{'0' * 64}")
    part.engine.pull(transport, ignore, limits=LIMITS, cancellation=cancellation)


def cancelled_preflight(part: EnginePart, source: RegistryPart, cancellation: CancelScope) -> None:
    transport = Reference.parse(f"{source.pull_host}/faults/cancel@sha256:{'0' * 64}")
    part.engine.preflight(transport, None, cancellation)


def cancelled_push(part: EnginePart, source: RegistryPart, cancellation: CancelScope) -> None:
    name = Reference.parse(f"{source.push_host}/faults/cancel:1")
    part.engine.tag(Reference.parse("faults/cancel:1"), name)
    part.engine.push(name, CREDENTIALS, ignore, limits=LIMITS, cancellation=cancellation)


@pytest.mark.parametrize("call", [cancelled_pull, cancelled_preflight, cancelled_push])
def test_a_move_that_waits_for_a_registry_can_be_cancelled(
    any_engine: EnginePart, new_registry: NewRegistry, call: CallOf
) -> None:
    """The registry hangs, so the engine does; our thread does not."""
    source, scope = new_registry(), CancelScope()
    any_engine.load_image("faults/cancel:1")
    any_engine.engine.info()
    source.pause()
    raised: list[CyroidError] = []

    def work() -> None:
        try:
            call(any_engine, source, scope)
        except CyroidError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait_for(lambda: bool(open_connections(any_engine.port)), "a connection to the engine", 10)
        assert not raised
        scope.cancel()
        before = time.monotonic()
        thread.join(A_WHILE)
        assert not thread.is_alive(), f"still runs after {time.monotonic() - before:.1f} s"
    finally:
        source.resume()
        thread.join(30)
    assert [type(error) for error in raised] == [Cancelled]
    wait_for(lambda: not open_connections(any_engine.port), "every socket to be closed", 5)


def test_an_engine_is_asked_by_its_unix_socket_as_well(old_engine: EnginePart) -> None:
    assert Engine(old_engine.local).info().store is ImageStore.CLASSIC


def test_a_name_that_does_not_resolve_is_an_unreachable_engine() -> None:
    with pytest.raises(TransferError) as caught:
        Engine(EngineEndpoint("tcp://nosuch.invalid:2375"), answer_seconds=1).info()
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE
