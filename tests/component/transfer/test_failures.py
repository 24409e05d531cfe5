"""Moves that fail or are cut: the right reason, nothing half tagged, no name left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from cyroid_images.errors import Cancelled, CyroidError, Reason, TransferError
from cyroid_images.model.engine import EngineInfo, ImageStore
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.transfer import load, lookup, pull
from tests.component.transfer.moving import Moving, NoArchives, happened, under
from tests.parts.apiserver import wait_for
from tests.parts.connections import open_connections
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import NewRegistry, RegistryPart

pytestmark = pytest.mark.slow
BIG = 150_000_000
MEGABYTE = 1_000_000
STORES = pytest.mark.parametrize("containerd_store", [False, True], ids=["classic", "containerd"])


def refused(move: Callable[[], object]) -> TransferError:
    with pytest.raises(TransferError) as caught:
        move()
    return caught.value


def forget(one: Moving) -> None:
    """Take the image from the target, which may be the source: what is there is not pulled."""
    one.target.try_docker("rmi", "--force", one.name)


@pytest.fixture
def one(classic_engine: EnginePart, new_registry: NewRegistry, any_engine: EnginePart) -> Moving:
    """A small image in the source, and a registry that the test may break."""
    made = Moving(
        f"broken.example/x-{any_engine.port}:1", classic_engine, new_registry(), any_engine
    )
    for engine in (classic_engine, any_engine):
        engine.try_docker("rmi", "--force", made.name)
    made.fill()
    return made


OTHERS: dict[str, Callable[[EngineInfo], EngineInfo]] = {
    "another-engine": lambda info: replace(info, id="another-engine"),
    "on-a-clone-of-its-volume": lambda info: replace(info, name="another-pod"),
    "with-its-other-image-store": lambda info: replace(
        info, store=next(store for store in ImageStore if store is not info.store)
    ),
}


@pytest.mark.row("D5")
@pytest.mark.parametrize("made_other", OTHERS.values(), ids=OTHERS)
def test_p_c5_another_engine_at_the_address_is_sent_nothing(
    one: Moving, made_other: Callable[[EngineInfo], EngineInfo]
) -> None:
    """S16: the ID alone is claimed, and equal in engines on cloned volumes."""
    stored = one.push()
    pulling, loading = one.pulling(stored), one.loading()
    other = made_other(pulling.info)
    before = happened(one.target, "tag", "broken.example")
    wrong = refused(lambda: pull.pull(replace(pulling, info=other), one.target.engine, under()))
    assert wrong.reason is Reason.TARGET_IDENTITY_MISMATCH
    elsewhere = replace(loading, info=other)
    wrong = refused(lambda: load.load(elsewhere, one.target.engine, under(), NoArchives()))
    assert wrong.reason is Reason.TARGET_IDENTITY_MISMATCH
    assert happened(one.target, "pull", one.registry.pull_host) == 0
    if one.target is not one.source:
        assert happened(one.target, "tag", "broken.example") == before
    one.assert_tidy()


def test_a_registry_that_is_down_is_unreachable_for_pull_and_push(one: Moving) -> None:
    stored = one.push()
    one.registry.stop()
    assert refused(one.push).reason is Reason.REGISTRY_UNREACHABLE
    forget(one)
    assert refused(lambda: one.pull(stored)).reason is Reason.REGISTRY_UNREACHABLE
    one.fill()
    one.assert_tidy()
    one.registry.start()
    one.pull(one.push())
    one.assert_tidy()


def test_an_engine_that_does_not_trust_the_registry_pulls_nothing(one: Moving) -> None:
    stored = one.push()
    forget(one)
    error = refused(lambda: one.pull(stored, host=one.registry.outer_pull_host))
    assert error.reason is Reason.REGISTRY_NOT_TRUSTED
    one.fill()
    one.assert_tidy()


def test_a_layer_that_is_lost_on_the_registry_disk_is_a_missing_blob(
    one: Moving, new_engine: NewEngine
) -> None:
    one = replace(one, target=new_engine())
    stored = one.push()
    layer = max(stored.manifest.layers, key=lambda blob: blob.size)
    one.registry.blob_file(layer.digest).unlink()
    with RegistryClient(one.registry.push_endpoint) as registry:
        error = refused(lambda: lookup.verify(registry, stored))
    assert error.reason is Reason.BLOB_MISSING
    assert refused(lambda: one.pull(stored)).reason in (
        Reason.BLOB_MISSING,
        Reason.IMAGE_NOT_FOUND,
        Reason.DIGEST_MISMATCH,
    )
    assert one.arrived() is None
    one.assert_tidy()
    assert one.push() == stored
    one.pull(stored)
    assert one.arrived() is not None


@STORES
def test_a_pull_that_is_cancelled_in_the_middle_ends_at_once_and_tags_nothing(
    classic_engine: EnginePart,
    new_registry: NewRegistry,
    new_engine: NewEngine,
    containerd_store: bool,
) -> None:
    target = new_engine(containerd_store=containerd_store)
    one = Moving("cut.example/pull:1", classic_engine, new_registry(), target)
    one.fill(size=BIG)
    stored = one.push()

    def is_in_the_middle() -> bool:
        if target.downloaded() < MEGABYTE:
            return False
        one.registry.pause()
        return True

    cut(lambda cancellation: one.pull(stored, cancellation), is_in_the_middle)
    assert one.arrived() is None
    one.registry.resume()
    one.pull(stored)
    assert one.arrived() is not None
    one.assert_tidy()


@STORES
def test_a_load_that_is_cancelled_in_the_middle_ends_at_once_and_tags_nothing(
    classic_engine: EnginePart,
    registry: RegistryPart,
    new_engine: NewEngine,
    containerd_store: bool,
) -> None:
    target = new_engine(containerd_store=containerd_store)
    one = Moving("cut.example/load:1", classic_engine, registry, target)
    one.fill(size=BIG)

    def is_in_the_middle() -> bool:
        return bool(open_connections(target.port) and open_connections(one.source.port))

    cut(lambda cancellation: one.load(cancellation=cancellation), is_in_the_middle)
    assert one.arrived() is None
    one.load()
    assert one.arrived() is not None
    wait_for(lambda: is_tidy(one), "the engines to be tidy", 10)


def cut(move: Callable[[CancelScope], None], is_in_the_middle: Callable[[], bool]) -> None:
    """Run the move in a thread, cancel it in the middle, and see it end within a second."""
    scope, raised = CancelScope(), list[CyroidError]()

    def work() -> None:
        try:
            move(scope)
        except CyroidError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(is_in_the_middle, "the middle of the transfer", 30)
    scope.cancel()
    thread.join(1)
    ended_in_time = not thread.is_alive()
    thread.join(30)
    assert ended_in_time, "the move went on for more than a second"
    assert [type(error) for error in raised] == [Cancelled], raised


def is_tidy(one: Moving) -> bool:
    try:
        one.assert_tidy()
    except AssertionError:
        return False
    return True
