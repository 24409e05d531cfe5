"""An engine that lies, drips, floods or hangs takes neither memory nor a thread for long."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.errors import CyroidError, Reason, TransferError
from cyroid_images.model.cancellation import NEVER, Cancellation
from cyroid_images.model.digest import Digest
from cyroid_images.model.engine import EngineEndpoint, EngineInfo, Store
from cyroid_images.model.platform import Platform
from cyroid_images.model.progress import ignore
from cyroid_images.model.reference import Reference
from cyroid_images.reconcile.cancellation import Canceller
from tests.parts.apiserver import wait_for
from tests.parts.scripted import (
    Peer,
    ScriptedServer,
    Step,
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

pytestmark = pytest.mark.slow

TRANSPORT = Reference.parse(f"r:5000/x@{Digest('sha256', '0' * 64)}")
NAME = Reference.parse("r:5000/x:1")
SHORT = StreamLimits(stall_seconds=0.4, first_byte_seconds=3, reply_seconds=0.8)
LONG = StreamLimits(stall_seconds=30, first_byte_seconds=30, reply_seconds=30)
INFO = EngineInfo("ID", "n", "26", (1, 45), Store.CLASSIC, Platform("linux", "amd64"))

Call = Callable[[Engine, StreamLimits, Cancellation], object]


@pytest.fixture
def engine(scripted: ScriptedServer) -> Engine:
    """An Engine whose other side negotiates well and then does what a test scripts."""
    scripted.script("GET", "/version", reply_json(200, {"ApiVersion": "1.45", "Version": "26"}))
    return Engine(EngineEndpoint(f"tcp://{scripted.host}"), answer_seconds=0.6)


def save_all(engine: Engine, limits: StreamLimits, cancellation: Cancellation) -> int:
    with engine.save(NAME, limits=limits, cancellation=cancellation) as tar:
        return sum(map(len, tar))


def load(tar: Callable[[], Iterator[bytes]]) -> Call:
    def call(engine: Engine, limits: StreamLimits, cancellation: Cancellation) -> object:
        return engine.load(tar(), ignore, limits=limits, cancellation=cancellation)

    return call


def small() -> Iterator[bytes]:
    return iter([b"tar"])


def blocks() -> Iterator[bytes]:
    return itertools.repeat(b"\0" * 65536)


CALLS: dict[str, Call] = {
    "info": lambda engine, _, cancellation: engine.info(cancellation),
    "view": lambda engine, _, cancellation: engine.view(INFO, {}, cancellation),
    "preflight": lambda engine, _, cancellation: engine.preflight(TRANSPORT, None, cancellation),
    "pull": lambda engine, limits, cancellation: engine.pull(
        TRANSPORT, ignore, limits=limits, cancellation=cancellation
    ),
    "push": lambda engine, limits, cancellation: engine.push(
        NAME, None, ignore, limits=limits, cancellation=cancellation
    ),
    "save": save_all,
    "load": load(small),
}
STREAMS = ("pull", "push", "load")


def script_all(scripted: ScriptedServer, step: Step) -> None:
    """The same step for everything but the negotiation."""
    scripted.script("GET", "/(info|v1.*|images.*|distribution.*)", step)
    scripted.script("POST", "/.*", step)
    scripted.script("DELETE", "/.*", step)


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
    assert time.monotonic() - before < 3
    # A load had begun: its bytes were taken.
    assert reason is (Reason.TIMEOUT if call == "load" else Reason.ENGINE_UNREACHABLE)


@pytest.mark.parametrize("call", ["pull", "push", "save"])
def test_a_stream_that_stalls_times_out(
    scripted: ScriptedServer, engine: Engine, call: str
) -> None:
    script_all(scripted, drip(b'{"status":"Waiting"}', 60))
    assert error_of(call, engine).reason is Reason.TIMEOUT


@pytest.mark.parametrize("call", ["info", "view"])
def test_an_answer_that_drips_is_left_in_time(
    scripted: ScriptedServer, engine: Engine, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes in time, the whole never would."""
    monkeypatch.setattr("cyroid_images.engine.engine.VIEW_SECONDS", 0.8)
    script_all(scripted, drip(b" ", 0.05))
    before = time.monotonic()
    assert error_of(call, engine).reason is Reason.ENGINE_UNREACHABLE
    assert time.monotonic() - before < 3


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


PHASES: dict[str, tuple[str, Step]] = {
    **{f"{call}-before-the-answer": (call, hang) for call in CALLS},
    **{
        f"{call}-in-mid-stream": (call, drip(b'{"status":"Waiting"}', 0.05))
        for call in ("pull", "push", "save", "load", "preflight", "view")
    },
    "load-while-sending": ("sending", unread(hang)),
}


@pytest.mark.parametrize(("call", "step"), PHASES.values(), ids=PHASES.keys())
def test_a_cancelled_call_ends_within_a_second_and_tells_its_cause(
    scripted: ScriptedServer, engine: Engine, call: str, step: Step
) -> None:
    patient = Engine(engine.endpoint, answer_seconds=30)
    script_all(scripted, step)
    canceller = Canceller()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            {**CALLS, "sending": load(blocks)}[call](patient, LONG, canceller)
        except CyroidError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    asked = {"info": "info", "view": "json", "preflight": "json"}
    wait_for(lambda: has_come(scripted, asked.get(call, "images")), f"{call} to begin", 10)
    cause = TransferError(Reason.TIMEOUT, "longer than timeouts.total")
    canceller.cancel(cause)
    thread.join(1)
    assert not thread.is_alive()
    assert raised == [cause]
    wait_for(lambda: open_connections(scripted) == 0, "all sockets to be closed", 5)


def test_a_call_that_was_cancelled_before_sends_nothing(
    scripted: ScriptedServer, engine: Engine
) -> None:
    canceller = Canceller()
    canceller.cancel(cause := TransferError(Reason.TIMEOUT, "too late"))
    for call in CALLS.values():
        with pytest.raises(TransferError) as caught:
            call(engine, LONG, canceller)
        assert caught.value is cause
    assert scripted.requests == []


def has_come(scripted: ScriptedServer, word: str) -> bool:
    return any(word in seen.target for seen in tuple(scripted.requests))


def open_connections(scripted: ScriptedServer) -> int:
    """Connections to that port that we have not closed, by the kernel's list."""
    port = int(scripted.host.rpartition(":")[2])
    with open("/proc/net/tcp", encoding="ascii") as table:  # noqa: PTH123 - not a file to resolve
        rows = [line.split() for line in table.readlines()[1:]]
    ours = [row for row in rows if row[2].endswith(f":{port:04X}")]
    return sum(row[3] in ("01", "08") for row in ours)  # ESTABLISHED, CLOSE_WAIT
