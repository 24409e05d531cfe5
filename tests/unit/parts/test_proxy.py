"""The fault proxy: it changes nothing unasked, and each fault is the one that was asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.parts.proxy import Answer, Change, FaultProxy, Line
from tests.parts.scripted import ScriptedServer, chunked, reply

BODY = bytes(range(256)) * 300


@pytest.fixture
def peer() -> Iterator[ScriptedServer]:
    """A peer that serves the same bytes by length and in chunks, and takes anything."""
    with ScriptedServer() as server:
        server.script("GET", "/length", reply(200, BODY, {"X-Peer": "yes"}))
        server.script("GET", "/chunks", chunked(BODY[:10], BODY[10:]))
        server.script("HEAD", "/length", reply(200, BODY))
        server.script("PATCH", "/up", reply(202))
        yield server


@pytest.fixture
def proxy(peer: ScriptedServer) -> Iterator[FaultProxy]:
    with FaultProxy(peer.host) as proxy:
        yield proxy


@pytest.fixture
def http(proxy: FaultProxy) -> Iterator[httpx.Client]:
    """A client that keeps its connection, as engines do."""
    url = f"http://{proxy.host}"
    with httpx.Client(base_url=url, trust_env=False, timeout=5) as client:
        yield client


def test_without_faults_everything_passes_as_it_is(
    http: httpx.Client, proxy: FaultProxy, peer: ScriptedServer
) -> None:
    for path in ("/length", "/chunks"):
        assert http.get(path).content == BODY
    assert http.head("/length").headers["content-length"] == str(len(BODY))
    assert http.patch("/up", content=iter([b"a" * 70_000, b"b"])).status_code == 202
    assert peer.seen("PATCH", "/up")[0].body == b"a" * 70_000 + b"b"
    (upload,) = proxy.seen("PATCH", "/up")
    assert (upload.up, proxy.seen("GET", "/chunks")[0].down) == (70_001, len(BODY))


def test_a_request_is_answered_otherwise_as_often_as_was_asked_for(
    http: httpx.Client, proxy: FaultProxy, peer: ScriptedServer
) -> None:
    proxy.on("GET", "/len.*", Answer(503, {"Retry-After": "7"}, b"busy"), times=2)
    told = [http.get("/length") for _ in range(3)]
    assert [each.status_code for each in told] == [503, 503, 200]
    assert (told[0].headers["retry-after"], told[0].content) == ("7", b"busy")
    assert len(peer.seen("GET", "/length")) == 1


def test_one_byte_and_one_header_of_an_answer_are_changed(
    http: httpx.Client, proxy: FaultProxy
) -> None:
    proxy.on("GET", "/.*", Change({"x-peer": "other"}, flip_at=20_000))
    for path in ("/length", "/chunks"):
        answer = http.get(path)
        wrong = [at for at, byte in enumerate(answer.content) if byte != BODY[at]]
        assert (wrong, len(answer.content)) == ([20_000], len(BODY))
        assert answer.headers["x-peer"] == "other"


def test_an_answer_is_reset_or_falls_silent_in_its_middle(
    http: httpx.Client, proxy: FaultProxy
) -> None:
    for change, error in (
        (Change(reset_at=30_000), httpx.ReadError),
        (Change(silent_at=30_000), httpx.ReadTimeout),
    ):
        proxy.on("GET", "/length", change)
        content = bytearray()
        with pytest.raises(error):
            read_into(content, http)
        assert content == BODY[:30_000]


def read_into(content: bytearray, http: httpx.Client) -> None:
    with http.stream("GET", "/length", timeout=0.5) as answer:
        for piece in answer.iter_raw():
            content += piece


def test_a_slow_line_takes_its_time(http: httpx.Client, proxy: FaultProxy) -> None:
    proxy.line = Line(latency=0.01, bytes_per_second=500_000)
    began = time.monotonic()
    assert http.get("/length").content == BODY
    assert time.monotonic() - began > 0.14


def test_a_line_that_is_cut_resets_each_connection_at_that_byte(
    http: httpx.Client, proxy: FaultProxy
) -> None:
    proxy.line = Line(reset_after=1000)
    with pytest.raises(httpx.ReadError):
        http.get("/length")


def test_a_dark_line_swallows_and_a_later_light_lets_go_on(
    http: httpx.Client, proxy: FaultProxy
) -> None:
    assert http.get("/length").content == BODY
    proxy.line = Line(is_dark=True)
    with pytest.raises(httpx.ReadTimeout):
        http.get("/length", timeout=0.1)
    proxy.heal()
    assert http.get("/length").content == BODY


def test_a_frozen_connection_stays_silent_while_a_new_one_is_well(
    http: httpx.Client, proxy: FaultProxy
) -> None:
    assert http.get("/length").content == BODY
    proxy.freeze()
    with pytest.raises(httpx.ReadTimeout):
        http.get("/length", timeout=0.1)
    assert httpx.get(f"http://{proxy.host}/length", trust_env=False).content == BODY


def test_what_cannot_be_looked_into_passes_as_it_is(peer: ScriptedServer) -> None:
    with FaultProxy(peer.host, is_opaque=True) as proxy:
        url = f"http://{proxy.host}/chunks"
        assert httpx.get(url, trust_env=False).content == BODY
        proxy.line = Line(reset_after=100)
        with pytest.raises(httpx.HTTPError):
            httpx.get(url, trust_env=False)


def test_a_peer_that_refuses_ends_the_connection(proxy: FaultProxy, peer: ScriptedServer) -> None:
    peer.close()
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://{proxy.host}/length", trust_env=False)
