"""An engine that lies, drips, floods or hangs takes neither memory nor a thread for long."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.component.engine.calls import (
    CALLS,
    LONG,
    SHORT,
    blocks,
    load,
    save_all,
    script_all,
    small,
)
from tests.parts.scripted import (
    Peer,
    ScriptedServer,
    chunked,
    cut_after,
    cut_before_answer,
    drip,
    endless,
    hang,
    raw,
    reply,
    reply_json,
    unread,
)
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow

STREAMS = ("pull", "push", "load")


def error_of(call: str, engine: Engine, limits: StreamLimits = SHORT) -> TransferError:
    with pytest.raises(TransferError) as caught:
        CALLS[call](engine, limits, NEVER)
    return caught.value


@pytest.mark.parametrize("call", CALLS)
def test_p_e5_an_engine_that_cuts_every_connection_is_unreachable(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, cut_before_answer)
    expected = Reason.TRANSFER_INTERRUPTED if call == "load" else Reason.ENGINE_UNREACHABLE
    assert error_of(call, engine).reason is expected


@pytest.mark.parametrize("call", CALLS)
def test_p_e5_an_engine_that_refuses_is_unreachable(call: str) -> None:
    refused = Engine(EngineEndpoint("tcp://127.0.0.1:9"), answer_seconds=1)
    assert error_of(call, refused).reason is Reason.ENGINE_UNREACHABLE


@pytest.mark.parametrize("call", ["info", "view"])
def test_p_e5_an_engine_that_answers_500_is_unreachable_in_its_own_words(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, reply_json(500, {"message": "store \x1b[31mbroken"}))
    error = error_of(call, engine)
    assert error.reason is Reason.ENGINE_UNREACHABLE
    assert "store broken" in error.message


@pytest.mark.parametrize("call", ["info", "view", "pull", "push", "load"])
def test_an_engine_that_hangs_is_left_in_time(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, hang)
    before = time.monotonic()
    reason = error_of(call, engine).reason
    assert time.monotonic() - before < A_WHILE
    # A load had begun: its bytes were taken.
    assert reason is (Reason.TIMEOUT if call == "load" else Reason.ENGINE_UNREACHABLE)


@pytest.mark.parametrize("call", ["pull", "push", "save"])
def test_a_stream_that_stalls_times_out(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, drip(b'{"status":"Waiting"}', 60))
    assert error_of(call, engine).reason is Reason.TIMEOUT


@pytest.mark.row("H8")
@pytest.mark.parametrize("call", ["info", "view"])
def test_an_answer_that_drips_is_left_in_time(
    scripted: ScriptedServer, engine: Engine, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, the whole never would."""
    monkeypatch.setattr("cyroid_images.engine.engine.VIEW_SECONDS", 0.8)
    script_all(scripted, drip(b" ", 0.05))
    before = time.monotonic()
    assert error_of(call, engine).reason is Reason.ENGINE_UNREACHABLE
    assert time.monotonic() - before < A_WHILE


def test_a_header_that_drips_is_left_in_time(scripted: ScriptedServer, engine: Engine) -> None:
    def step(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not peer.leaving.wait(0.05):
            peer.send(b"x")

    script_all(scripted, step)
    assert error_of("info", engine).reason is Reason.ENGINE_UNREACHABLE


@pytest.mark.parametrize("call", CALLS)
def test_what_is_no_http_is_a_protocol_error(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))
    assert error_of(call, engine).reason is Reason.PROTOCOL_ERROR


@pytest.mark.parametrize("call", [*STREAMS, "preflight", "info", "view"])
def test_a_page_instead_of_json_is_a_protocol_error(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, reply(200, "<html>welcome</html>"))
    assert error_of(call, engine).reason is Reason.PROTOCOL_ERROR


@pytest.mark.row("H8")
@pytest.mark.parametrize("call", [*STREAMS, "info", "view", "preflight"])
@pytest.mark.parametrize("chunk", [b'{"status":"' + b"x" * 65536, b"x" * 65536])
def test_an_endless_answer_is_a_protocol_error(
    scripted: ScriptedServer, engine: Engine, call: str, chunk: bytes
) -> None:
    script_all(scripted, endless(chunk))
    assert error_of(call, engine, LONG).reason is Reason.PROTOCOL_ERROR


@pytest.mark.parametrize("call", [*STREAMS, "save", "preflight"])
def test_an_endless_error_answer_is_bounded(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, endless(b"no space left on device ", status=500))
    error = error_of(call, engine, LONG)
    assert error.reason in (Reason.INSUFFICIENT_STORAGE, Reason.REGISTRY_FULL)
    assert len(error.message) < 500


@pytest.mark.parametrize("call", CALLS)
def test_a_redirect_is_never_followed(scripted: ScriptedServer, engine: Engine, call: str) -> None:
    with ScriptedServer() as elsewhere:
        for status in (301, 302, 307, 308):
            script_all(scripted, reply(status, b"", {"Location": f"{elsewhere.url}/v1.45/info"}))
            error_of(call, engine)
        assert elsewhere.requests == []


@pytest.mark.parametrize("call", STREAMS)
def test_a_stream_that_is_cut_is_interrupted(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, chunked(b'{"status":"Waiting"}', ends=False))
    assert error_of(call, engine).reason is Reason.TRANSFER_INTERRUPTED


def test_a_cut_save_is_interrupted(scripted: ScriptedServer, engine: Engine) -> None:
    script_all(scripted, cut_after(5, b"0123456789"))
    assert error_of("save", engine).reason is Reason.TRANSFER_INTERRUPTED


def test_p_c6_a_slow_first_byte_does_not_kill_a_save(
    scripted: ScriptedServer, engine: Engine
) -> None:
    """A classic engine writes the whole image to disk before it sends a byte."""

    def slow(peer: Peer) -> None:
        peer.leaving.wait(SHORT.stall_seconds * 3)
        reply(200, b"tar")(peer)

    scripted.script("GET", ".*/get", slow)
    assert save_all(engine, SHORT, NEVER) == 3


def test_a_silent_unpacking_does_not_kill_a_load(scripted: ScriptedServer, engine: Engine) -> None:
    """The containerd store says nothing until it is done."""

    def slow(peer: Peer) -> None:
        peer.leaving.wait(SHORT.stall_seconds * 1.5)
        reply(200, b'{"stream":"Loaded image: x:1\\n"}')(peer)

    scripted.script("POST", ".*/load", slow)
    assert load(small)(engine, SHORT, NEVER) == ("x:1",)


def test_a_silent_unpacking_does_not_kill_a_pull(scripted: ScriptedServer, engine: Engine) -> None:
    """All layers are there; Docker 26 with the containerd store says nothing until the end."""

    def slow(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        peer.send(b'{"status":"Pulling fs layer","id":"a"}{"status":"Download complete","id":"a"}')
        peer.leaving.wait(SHORT.stall_seconds * 1.5)
        peer.send(b'{"status":"Status: Downloaded newer image"}')
        raise OSError

    scripted.script("POST", ".*/create", slow)
    CALLS["pull"](engine, SHORT, NEVER)


def test_an_early_refusal_of_a_load_is_heard_above_the_broken_pipe(
    scripted: ScriptedServer, engine: Engine
) -> None:
    """The engine answers and closes while we still send: its words say why."""

    def refuse(peer: Peer) -> None:
        body = json.dumps({"error": "write /l1/layer.tar: no space left on device"}).encode()
        reply(200, body, {"Connection": "close"})(peer)
        raise OSError

    scripted.script("POST", ".*/load", unread(refuse))
    with pytest.raises(TransferError) as caught:
        load(blocks)(engine, LONG, NEVER)
    assert caught.value.reason is Reason.INSUFFICIENT_STORAGE


def test_a_failure_of_the_source_passes_through_a_load(
    scripted: ScriptedServer, engine: Engine
) -> None:
    """The engine sees a cut body, and the caller what cut it."""

    def source() -> Iterator[bytes]:
        yield b"tar"
        raise TransferError(Reason.ARCHIVE_INVALID, "the archive is truncated")

    scripted.script("POST", ".*/load", hang)
    with pytest.raises(TransferError) as caught:
        load(source)(engine, LONG, NEVER)
    assert caught.value.reason is Reason.ARCHIVE_INVALID


@pytest.mark.parametrize("length", [None, 9])
def test_a_load_says_its_length_when_it_is_known(
    scripted: ScriptedServer, engine: Engine, length: int | None
) -> None:
    scripted.script("POST", ".*/load", reply(200, b'{"stream":"Loaded image: x:1"}'))
    engine.load(iter([b"a" * 4, b"b" * 5]), ignore, limits=LONG, cancellation=NEVER, length=length)
    (seen,) = scripted.seen("POST", ".*/load")
    assert seen.body == b"aaaabbbbb"
    assert seen.headers.get("content-length") == (str(length) if length else None)
    assert seen.target.endswith("/images/load?quiet=0")
