"""S6: no registry, upstream, token server or storage host holds a thread for longer than it may.

Each call is made against a peer that keeps the connection busy without end: a flood of
1xx, a header or a body that drips, a body of ours that it does not take. Read time-outs alone
would start anew with every byte.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_MANIFEST, Descriptor
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from cyroid_images.registry.upstream import UpstreamRules
from tests.parts.images import tiny_image
from tests.parts.scripted import Peer, ScriptedServer, Step, hang, reply, reply_json, unread

pytestmark = pytest.mark.slow

ANSWER, STALL = 0.15, 0.4
"""Seconds: a head, and the next bytes of a stream. Nothing that hangs here ever ends by itself."""
BUDGET = 20.0
"""Seconds after which a call counts as held; many times what it may take."""

IMAGE = tiny_image()
BLOB = b"x" * 300_000
LAYER = Descriptor("x", Digest.of(BLOB), len(BLOB))
UPLOADS = "/v2/a/b/blobs/uploads/"
LATE = {Reason.REGISTRY_UNREACHABLE, Reason.TIMEOUT, Reason.PROTOCOL_ERROR}
"""The last: a number of ever more digits is refused before its time is over."""
REFUSED = {Reason.SERVER_ERROR}


def repeating(begin: bytes, again: bytes) -> Step:
    """Some bytes, and then some more for ever, often enough for any read time-out."""

    def step(peer: Peer) -> None:
        peer.send(begin)
        while not peer.leaving.wait(ANSWER / 6):
            peer.send(again)

    return step


NO_HEAD = {
    "hangs": hang,
    "1xx-flood": repeating(b"", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"),
    "continue-flood": repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "header-drip": repeating(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "status-drip": repeating(b"HTTP/1.1 200 ", b"O"),
    "headers-without-end": repeating(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
}
MOST_DIFFERENT = ("hangs", "1xx-flood", "header-drip")
NO_BODY = {
    "body-drip": repeating(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
    "chunk-size-drip": repeating(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "refusal-drip": repeating(b"HTTP/1.1 500 No\r\nContent-Length: 60000\r\n\r\n", b" "),
}


def client_of(server: ScriptedServer, *, is_upstream: bool = False) -> RegistryClient:
    rules = UpstreamRules() if is_upstream else None
    endpoint = RegistryEndpoint(server.url.replace("127.0.0.1", "localhost"))
    return RegistryClient(endpoint, answer_seconds=ANSWER, stall_seconds=STALL, rules=rules)


def outcome_of(call: Callable[[], object]) -> TransferError | None:
    """What the call raised; fails where it holds its thread."""
    raised: list[TransferError] = []

    def run() -> None:
        try:
            call()
        except TransferError as exc:
            raised.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(BUDGET)
    assert not thread.is_alive(), "the call holds its thread"
    return raised[0] if raised else None


def read_blob(to: RegistryClient) -> bytes:
    with to.open_blob("a/b", LAYER) as chunks:
        return b"".join(chunks)


CALLS: dict[str, tuple[str, str, Callable[[RegistryClient], object]]] = {
    "ping": ("GET", "/v2/", lambda to: to.ping()),
    "manifest": ("GET", ".*/manifests/.*", lambda to: to.manifest("a/b", "1")),
    "has_manifest": ("HEAD", ".*/manifests/.*", lambda to: to.has_manifest("a/b", IMAGE.digest)),
    "tag_digest": ("HEAD", ".*/manifests/.*", lambda to: to.tag_digest("a/b", "1")),
    "put_manifest": (
        "PUT",
        ".*/manifests/.*",
        lambda to: to.put_manifest("a/b", "1", IMAGE.manifest, OCI_MANIFEST),
    ),
    "delete_manifest": (
        "DELETE",
        ".*/manifests/.*",
        lambda to: to.delete_manifest("a/b", IMAGE.digest),
    ),
    "delete_tag": ("DELETE", ".*/manifests/1", lambda to: to.delete_manifest("a/b", "1")),
    "tags": ("GET", ".*/tags/list", lambda to: to.tags("a/b")),
    "blob_size": ("HEAD", ".*/blobs/.*", lambda to: to.blob_size("a/b", LAYER.digest)),
    "config": ("GET", ".*/blobs/.*", lambda to: to.config("a/b", IMAGE.parsed.config)),
    "open_blob": ("GET", ".*/blobs/.*", read_blob),
    "mount": ("POST", UPLOADS, lambda to: to.mount("a/b", LAYER.digest, "c/d")),
    "upload-post": ("POST", UPLOADS, lambda to: to.upload_stream("a/b", [BLOB], "x/y")),
    "upload-patch": ("PATCH", "/u", lambda to: to.upload_stream("a/b", [BLOB], "x/y")),
    "upload-put": ("PUT", "/u", lambda to: to.upload_stream("a/b", [BLOB], "x/y")),
}
"""By name: the request of the call that is answered badly."""
SMALL = [name for name, call in CALLS.items() if call[0] != "HEAD" and name != "open_blob"]
"""Those whose response has a body, and one that is small."""


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("step", [NO_HEAD[each] for each in MOST_DIFFERENT], ids=MOST_DIFFERENT)
def test_s6_a_head_that_never_ends_is_waited_for_no_longer_than_it_may_take(
    scripted: ScriptedServer, name: str, step: Step
) -> None:
    """Whatever the verb."""
    method, path, call = CALLS[name]
    scripted.script("POST", UPLOADS, reply(202, "", {"Location": "/u"}))
    scripted.script("PATCH", "/u", reply(202, "", {"Location": "/u"}))
    scripted.script("DELETE", "/u", step)  # an upload is taken back: that must not hold it, either
    scripted.script(method, path, step)
    failed = outcome_of(lambda: call(client_of(scripted)))
    assert failed is not None
    assert failed.reason is Reason.REGISTRY_UNREACHABLE
    assert "no response within" in failed.message


@pytest.mark.parametrize("step", NO_BODY.values(), ids=NO_BODY)
@pytest.mark.parametrize("name", SMALL)
def test_s6_a_small_body_that_drips_is_read_no_longer_than_it_may_take(
    scripted: ScriptedServer, name: str, step: Step
) -> None:
    """A refusal keeps the reason of its status. Of a blob only the transfer knows its time."""
    method, path, call = CALLS[name]
    scripted.script("POST", UPLOADS, reply(202, "", {"Location": "/u"}))
    scripted.script("PATCH", "/u", reply(202, "", {"Location": "/u"}))
    scripted.script("DELETE", "/u", reply(204))
    scripted.script(method, path, step)
    failed = outcome_of(lambda: call(client_of(scripted)))
    assert failed is not None
    assert failed.reason in (REFUSED if step is NO_BODY["refusal-drip"] else LATE)


@pytest.mark.parametrize("step", NO_HEAD.values(), ids=NO_HEAD)
def test_s6_a_token_server_is_waited_for_no_longer(scripted: ScriptedServer, step: Step) -> None:
    challenge = {"WWW-Authenticate": f'Bearer realm="{client_of(scripted).endpoint.url}/token"'}
    scripted.script("GET", "/v2/", reply(401, "", challenge))
    scripted.script("GET", "/token", step)
    for is_upstream in (False, True):
        failed = outcome_of(client_of(scripted, is_upstream=is_upstream).ping)
        assert failed is not None
        assert failed.reason is Reason.REGISTRY_UNREACHABLE


@pytest.mark.parametrize("name", ["token", "challenge"])
@pytest.mark.parametrize("step", NO_BODY.values(), ids=NO_BODY)
def test_s6_a_token_that_drips_is_waited_for_no_longer(
    scripted: ScriptedServer, name: str, step: Step
) -> None:
    realm = f"{client_of(scripted).endpoint.url}/token"
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}"'}
    scripted.script("GET", "/v2/", reply(401, "", challenge))
    scripted.script("GET", "/token", step)
    if name == "challenge":
        head = f'HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm="{realm}"\r\n'
        scripted.script(
            "GET", "/v2/", repeating(f"{head}Content-Length: 9000\r\n\r\n".encode(), b"x")
        )
    failed = outcome_of(client_of(scripted).ping)
    assert failed is not None
    assert failed.reason in LATE


@pytest.mark.parametrize("step", [NO_HEAD[each] for each in MOST_DIFFERENT], ids=MOST_DIFFERENT)
@pytest.mark.parametrize("path", [".*/manifests/.*", ".*/blobs/.*"])
def test_s6_a_storage_host_is_waited_for_no_longer(
    scripted: ScriptedServer, path: str, step: Step
) -> None:
    """An upstream may send readers there."""
    with ScriptedServer() as storage:
        storage.script("GET", ".*", step)
        scripted.script("GET", path, reply(307, "", {"Location": f"{storage.url}/x"}))
        client = client_of(scripted, is_upstream=True)
        call = CALLS["manifest" if "manifests" in path else "open_blob"][2]
        failed = outcome_of(lambda: call(client))
        assert failed is not None
        assert failed.reason is Reason.REGISTRY_UNREACHABLE


@pytest.mark.parametrize("step", [*NO_HEAD.values()], ids=NO_HEAD)
def test_s6_an_upstream_is_waited_for_no_longer(scripted: ScriptedServer, step: Step) -> None:
    """It is asked again for what passes by itself; to be late does not."""
    scripted.script("GET", ".*", step)
    failed = outcome_of(lambda: client_of(scripted, is_upstream=True).manifest("a/b", "1"))
    assert failed is not None
    assert failed.reason is Reason.REGISTRY_UNREACHABLE
    assert len(scripted.requests) == 1


def test_s6_a_call_that_is_sent_from_token_to_token_ends(scripted: ScriptedServer) -> None:
    """Each head in time, and all of them together as well."""
    challenge = {"WWW-Authenticate": f'Bearer realm="{client_of(scripted).endpoint.url}/token"'}

    def slowly(step: Step) -> Step:
        def late(peer: Peer) -> None:
            peer.leaving.wait(ANSWER / 2)
            step(peer)

        return late

    scripted.script("GET", "/v2/", slowly(reply(401, "", challenge)))
    scripted.script("GET", "/token", slowly(reply_json(200, {"token": "t0ken"})))
    failed = outcome_of(client_of(scripted).ping)
    assert failed is not None
    assert failed.reason in (Reason.UNAUTHORIZED, Reason.REGISTRY_UNREACHABLE)


def sipping(peer: Peer) -> None:
    """Take a body a few bytes at a time, and never all of it."""
    while not peer.leaving.wait(ANSWER / 6):
        if not peer.connection.recv(16):
            return


def test_s6_an_upload_that_is_not_taken_ends(scripted: ScriptedServer) -> None:
    """The registry has so long for each chunk, whatever it sips."""
    scripted.script("POST", UPLOADS, reply(202, "", {"Location": "/u"}))
    scripted.script("PATCH", "/u", unread(sipping))
    chunks = (bytes(8_000_000) for _ in range(100))
    failed = outcome_of(lambda: client_of(scripted).upload_stream("a/b", chunks, "x/y"))
    assert failed is not None
    assert failed.reason is Reason.TIMEOUT
    assert "no data accepted for" in failed.message


def test_a_source_that_thinks_for_long_is_not_the_registrys_fault(
    scripted: ScriptedServer,
) -> None:
    """An engine may write an image to its disk for minutes before it saves the first byte."""
    scripted.script("POST", UPLOADS, reply(202, "", {"Location": "/u"}))
    scripted.script("PATCH", "/u", reply(202, "", {"Location": "/u"}))
    scripted.script("PUT", "/u", reply(201))
    slow = threading.Event()

    def thinking() -> Iterator[bytes]:
        for _ in range(2):
            slow.wait(STALL * 2)
            yield BLOB

    assert outcome_of(lambda: client_of(scripted).upload_stream("a/b", thinking(), "x/y")) is None


def test_a_reader_that_thinks_for_long_is_not_the_registrys_fault(
    scripted: ScriptedServer,
) -> None:
    """An engine may take a tar slowly."""
    scripted.script("GET", ".*/blobs/.*", reply(200, BLOB))
    slow = threading.Event()

    def read() -> None:
        with client_of(scripted).open_blob("a/b", LAYER) as chunks:
            slow.wait(ANSWER * 2)
            assert next(chunks)
            slow.wait(STALL * 2)
            assert b"".join(chunks)

    assert outcome_of(read) is None


def test_a_stream_whose_chunks_never_come_ends(scripted: ScriptedServer) -> None:
    """Bytes on the wire that are no bytes of the blob are no progress."""
    scripted.script("GET", ".*/blobs/.*", NO_BODY["chunk-size-drip"])
    failed = outcome_of(lambda: read_blob(client_of(scripted)))
    assert failed is not None
    assert failed.reason in (Reason.TIMEOUT, Reason.PROTOCOL_ERROR)
