"""A cancelled call ends at once, raises what the scope said, and leaves nothing open."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cyroid_images.errors import Cancelled, CyroidError, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from tests.parts.registry import RegistryPart
from tests.parts.scripted import Peer, ScriptedServer, drip, hang, reply, unread

LAYER = Descriptor("x", Digest.of(b"x" * 1_000_000), 1_000_000)
SOON = 1.0
"""Seconds within which a cancelled thread has to be back."""


def cancelled(call: Callable[[CancelScope], object], when: Callable[[], bool]) -> CyroidError:
    """What the call raised after it was cancelled; asserts that it came back soon."""
    scope, raised = CancelScope(), []

    def run() -> None:
        try:
            call(scope)
        except CyroidError as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 10
    while not when():
        assert time.monotonic() < deadline, "the call never came so far"
        time.sleep(0.01)
    scope.cancel()
    thread.join(SOON)
    assert not thread.is_alive(), "the call goes on"
    return raised[0]


def reader_of(server: ScriptedServer) -> RegistryClient:
    return RegistryClient(RegistryEndpoint(server.url), answer_seconds=60, stall_seconds=60)


def test_a_call_that_waits_for_a_first_byte_is_cut(scripted: ScriptedServer) -> None:
    """Even a short call: it would hold its thread for its whole patience."""
    scripted.script("GET", ".*", hang)
    client = reader_of(scripted)
    raised = cancelled(lambda by: client.manifest("a/b", "1", by), lambda: bool(scripted.requests))
    assert isinstance(raised, Cancelled)


def test_a_blob_is_cut_in_mid_stream(scripted: ScriptedServer) -> None:
    """The reader is blocked between two chunks."""
    scripted.script("GET", ".*", drip(b"x", 3600))
    client = reader_of(scripted)

    def read(scope: CancelScope) -> None:
        with client.open_blob("a/b", LAYER, scope) as chunks:
            list(chunks)

    assert isinstance(cancelled(read, lambda: bool(scripted.requests)), Cancelled)


def ignore(peer: Peer) -> None:
    """Neither read nor answer."""
    peer.leaving.wait(30)


def test_an_upload_is_cut_while_its_bytes_go_nowhere(scripted: ScriptedServer) -> None:
    """The peer reads nothing, so the writer is blocked; no response exists yet."""
    location = {"Location": "/u"}
    scripted.script("POST", ".*", reply(202, "", location))
    scripted.script("PATCH", "/u", unread(ignore))
    client = reader_of(scripted)
    raised = cancelled(
        lambda by: client.upload_stream("a/b", (b"x" * 65536 for _ in range(10_000)), "x/y", by),
        lambda: bool(scripted.seen("PATCH", "/u")),
    )
    assert isinstance(raised, Cancelled)


def test_a_cancelled_call_is_not_even_started(scripted: ScriptedServer) -> None:
    """No request for nobody."""
    scope = CancelScope()
    scope.cancel()
    with pytest.raises(Cancelled):
        reader_of(scripted).ping(scope)
    assert scripted.requests == []


def test_a_cause_is_raised_as_given(scripted: ScriptedServer) -> None:
    """A total time-out is a Timeout, not "no longer wanted"."""
    scope = CancelScope()
    scope.cancel(TransferError(Reason.TIMEOUT, "longer than timeouts.total"))
    with pytest.raises(TransferError) as caught:
        reader_of(scripted).ping(scope)
    assert caught.value.reason is Reason.TIMEOUT


@pytest.mark.slow
def test_an_upload_to_a_real_registry_that_is_cut_stores_nothing(registry: RegistryPart) -> None:
    """Its source hangs; the blob never exists."""
    writer = RegistryClient(registry.push_endpoint)
    content, begun, free = os.urandom(100_000), threading.Event(), threading.Event()

    def hanging() -> Iterator[bytes]:
        yield content
        begun.set()
        free.wait(0.5)  # a source that is under the same cancellation would raise by itself
        yield content

    wanted = Descriptor("x", Digest.of(content * 2), 200_000)
    raised = cancelled(
        lambda by: writer.upload_blob("cancelling/up", wanted, hanging(), by), begun.is_set
    )
    assert isinstance(raised, Cancelled)
    assert writer.blob_size("cancelling/up", wanted.digest) is None


@pytest.mark.slow
def test_p_c2_a_hundred_cycles_leave_no_socket(registry: RegistryPart) -> None:
    """P-C2: the predecessor's clients leaked; good and failing calls alike."""
    stored = registry.push_image("cancelling/cycles", "1")

    def cycle() -> None:
        with RegistryClient(registry.push_endpoint) as client:
            client.has_manifest("cancelling/cycles", stored.digest)
            client.upload_stream("cancelling/cycles", [b"x"], "x/y")
            with pytest.raises(TransferError):
                RegistryClient(registry.pull_endpoint).upload_stream(
                    "cancelling/cycles", [b"x"], "x/y"
                )
            with (
                pytest.raises(KeyError),
                client.open_blob("cancelling/cycles", stored.parsed.config),  # type: ignore[union-attr]
            ):
                raise KeyError

    cycle()
    before = open_files()
    for _ in range(100):
        cycle()
    assert open_files() <= before


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))
