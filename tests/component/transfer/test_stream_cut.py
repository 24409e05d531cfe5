"""A streaming push that is cut or broken: it ends at once, leaves nothing, and may be repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.model.knowledge import ImageLocation, Wanted
from cyroid_images.model.telemetry.progress import Progress, ProgressObserver
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.transfer import lookup
from tests.component.transfer.test_stream_push import Streaming
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.save_tars import noise

pytestmark = pytest.mark.slow
SIZE = 40_000_000
MIDDLE = 5_000_000
"""Bytes after which a push is in the middle of its layer."""


def streaming(name: str, source: EnginePart, registry: RegistryPart) -> Streaming:
    one = Streaming(f"cut.example/{name}:1", source, registry)
    one.fill({"disk": noise(SIZE, len(name))})
    return one


def in_the_middle(act: Callable[[], None]) -> ProgressObserver:
    """Do this once, as soon as the push is in the middle."""
    done = threading.Event()

    def observe(progress: Progress) -> None:
        if progress.done > MIDDLE and not done.is_set():
            done.set()
            threading.Thread(target=act, daemon=True).start()

    return observe


def is_there(one: Streaming) -> bool:
    with RegistryClient(one.registry.push_endpoint) as client:
        slot = one.action().to
        return lookup.find(client, ImageLocation(slot.repository, slot.tag), Wanted()) is not None


def settled(before: set[threading.Thread]) -> None:
    """Every thread of the push has ended."""
    wait_for(lambda: set(threading.enumerate()) <= before, "the threads of the push to end", 5)


def test_a_stream_that_is_cancelled_in_the_middle_leaves_nothing(
    classic_engine: EnginePart, new_registry: NewRegistry
) -> None:
    one, scope = streaming("cancelled", classic_engine, new_registry()), CancelScope()
    action, before = one.action(), set(threading.enumerate())
    with pytest.raises(Cancelled):
        one.push(action, scope, in_the_middle(scope.cancel))
    settled(before)
    assert not is_there(one)
    assert one.push(action).sent_bytes


def test_a_stream_that_is_cancelled_before_its_first_byte_ends(
    classic_engine: EnginePart, new_registry: NewRegistry
) -> None:
    one, scope = streaming("early", classic_engine, new_registry()), CancelScope()
    action, before = one.action(), set(threading.enumerate())
    classic_engine.pause()
    try:
        threading.Timer(0.3, scope.cancel).start()
        with pytest.raises(Cancelled):
            one.push(action, scope)
    finally:
        classic_engine.resume()
    settled(before)


def test_a_registry_that_is_killed_in_the_middle_is_told_and_the_push_is_repeated(
    classic_engine: EnginePart, new_registry: NewRegistry
) -> None:
    registry = new_registry()
    one = streaming("killed", classic_engine, registry)
    action, before = one.action(), set(threading.enumerate())
    with pytest.raises(TransferError) as caught:
        one.push(action, observer=in_the_middle(registry.stop))
    assert caught.value.reason in (Reason.REGISTRY_UNREACHABLE, Reason.TRANSFER_INTERRUPTED)
    settled(before)
    registry.start()
    assert not is_there(one)
    assert one.push(action).sent_bytes
    assert is_there(one)


def test_a_full_registry_is_called_full(
    classic_engine: EnginePart, new_registry: NewRegistry
) -> None:
    one = streaming("full", classic_engine, new_registry(disk_bytes=10_000_000))
    before = set(threading.enumerate())
    with pytest.raises(TransferError) as caught:
        one.push()
    assert caught.value.reason is Reason.REGISTRY_FULL
    settled(before)


def test_a_base_that_two_images_share_is_sent_once(
    classic_engine: EnginePart, new_registry: NewRegistry
) -> None:
    """Docker 26 names the layer before its bytes: what the registry has is mounted, not sent."""
    registry = new_registry()
    one = Streaming("share.example/one:1", classic_engine, registry)
    base = {"disk": noise(3_000_000, 8)}
    classic_engine.load_image(one.name, (base, {"own": b"one"}))
    two = Streaming("share.example/two:1", classic_engine, registry, known=one.known)
    classic_engine.load_image(two.name, (base, {"own": b"two"}))
    first, second = one.push(), two.push()
    assert (first.sent_bytes or 0) > 3_000_000
    assert 0 < (second.sent_bytes or 0) < 10_000
    assert second.stored.manifest.layers[0] == first.stored.manifest.layers[0]
