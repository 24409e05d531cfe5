"""Both senders against a peer that does as it is told: bounds, tokens, TLS, streams that break."""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.client import (
    ClientOptions,
    Forbidden,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    token_file,
)
from tests.component.client.both import Both, Make
from tests.parts.credentials import Authority
from tests.parts.scripted import (
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
)
from tests.parts.waiting import A_WHILE

HEALTH = "/api/v1/registry/health"
STREAM = "/api/v1/ranges/events"
HEALTHY = reply_json(200, {"healthy": True})
SECRET = "eyJ-not-for-anybody"
QUICK = ClientOptions(connect=2, total=1, silence=0.5, patience=1, retries=1)
CHANGES = {"reset": True, "changed": [], "removed": [], "ready": 1, "total": 2}
EVENT = f"event: ranges\ndata: {json.dumps(CHANGES)}\n\n".encode()


@pytest.fixture(params=[False, True], ids=["blocking", "awaiting"])
def make(request: pytest.FixtureRequest) -> Make:
    return partial(Both, awaits=request.param)


def test_the_token_goes_with_each_call_and_nowhere_else(
    make: Make, scripted: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    scripted.script("GET", HEALTH, reply_json(403, {"detail": "you may not"}))
    with caplog.at_level(logging.DEBUG), pytest.raises(Forbidden) as caught:
        make(scripted.url, SECRET).call("health")
    (seen,) = scripted.requests
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in seen.target
    told = [record.getMessage() for record in caplog.records if "Bearer" in record.getMessage()]
    assert [line for line in told if SECRET in line] == []
    assert SECRET not in f"{caught.value!r} {caught.value}"


def test_without_a_token_none_is_sent(make: Make, scripted: ScriptedServer) -> None:
    scripted.script("GET", HEALTH, HEALTHY)
    assert make(scripted.url).call("health").healthy
    assert "authorization" not in scripted.requests[0].headers


def test_a_renewed_token_is_used_at_once(
    make: Make, scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.script("GET", HEALTH, HEALTHY)
    file = tmp_path / "token"
    both = make(scripted.url, token_file(file))
    for text in ("first", "second"):
        file.write_text(f"{text}\n")
        both.call("health")
    sent = [seen.headers["authorization"] for seen in scripted.requests]
    assert sent == ["Bearer first", "Bearer second"]


def test_a_token_that_is_none_is_not_sent(make: Make, scripted: ScriptedServer) -> None:
    with pytest.raises(Unauthorized):
        make(scripted.url, f"{SECRET}\nX-Admin: 1").call("health")
    assert scripted.requests == []


def test_a_redirect_gets_no_token(make: Make, scripted: ScriptedServer) -> None:
    with ScriptedServer() as elsewhere:
        scripted.script("GET", HEALTH, reply(302, headers={"Location": f"{elsewhere.url}/x"}))
        with pytest.raises(UnexpectedAnswer):
            make(scripted.url, SECRET).call("health")
        assert elsewhere.requests == []


def test_a_proxy_of_the_environment_gets_no_token(
    make: Make, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.script("GET", HEALTH, HEALTHY)
    with ScriptedServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert make(scripted.url, SECRET).call("health").healthy
        assert proxy.requests == []


@pytest.mark.parametrize(
    "step",
    [
        cut_before_answer,
        hang,
        raw(b"no HTTP at all\r\n\r\n"),
        cut_after(5, b'{"healthy": true}'),
        cut_after(5, b'{"healthy": true}', reset=True),
        chunked(b'{"healthy"', ends=False),
        drip(b" ", 0.1),
    ],
    ids=["no word", "silence", "no HTTP", "cut", "reset", "cut in chunks", "trickle"],
)
def test_a_broken_peer_is_told_within_the_deadline(
    make: Make, scripted: ScriptedServer, step: Any
) -> None:
    scripted.script("GET", HEALTH, step)
    began = time.monotonic()
    with pytest.raises(Unavailable, match="GET /api/v1/registry/health: "):
        make(scripted.url, options=QUICK).call("health")
    assert time.monotonic() - began < A_WHILE
    assert len(scripted.requests) == 2, "one attempt, and one more"


def test_a_peer_that_recovers_is_not_noticed(make: Make, scripted: ScriptedServer) -> None:
    scripted.script("GET", HEALTH, cut_before_answer, HEALTHY)
    assert make(scripted.url, options=QUICK).call("health").healthy


def test_an_endless_answer_is_cut(make: Make, scripted: ScriptedServer) -> None:
    scripted.script("GET", HEALTH, endless(b" " * 1024 * 1024))
    with pytest.raises(UnexpectedAnswer, match="more than"):
        make(scripted.url).call("health")


def test_where_nobody_listens_it_says_so(make: Make) -> None:
    with ScriptedServer() as gone:
        url = gone.url
    with pytest.raises(Unavailable, match="no answer"):
        make(url, options=QUICK).call("health")


def test_a_push_is_never_sent_twice(make: Make, scripted: ScriptedServer) -> None:
    scripted.script("POST", "/api/v1/registry/push", cut_before_answer)
    with pytest.raises(Unavailable):
        make(scripted.url, options=QUICK).call("push", "a/b:1")
    (seen,) = scripted.requests
    assert json.loads(seen.body) == {"image_tag": "a/b:1"}


# -- streams --


def test_events_come_as_they_are_sent(make: Make, scripted: ScriptedServer) -> None:
    scripted.script("GET", STREAM, drip(EVENT, 0.0, count=3))
    given = make(scripted.url, SECRET).take(3, "watch_ranges", event="spring")
    assert [each.total for each in given] == [2, 2, 2]
    (seen,) = scripted.requests
    assert seen.headers["accept"] == "text/event-stream"
    assert seen.target == f"{STREAM}?event=spring"


def test_a_stream_outlives_its_server(make: Make, scripted: ScriptedServer) -> None:
    broken = chunked(EVENT, EVENT[:7], ends=False)
    scripted.script("GET", STREAM, broken, reply(503), chunked(EVENT, EVENT))
    given = make(scripted.url).take(3, "watch_ranges")
    assert len(given) == 3
    assert len(scripted.requests) == 3


def test_a_silent_stream_is_opened_again_and_told_in_the_end(
    make: Make, scripted: ScriptedServer
) -> None:
    scripted.script("GET", STREAM, hang)
    with pytest.raises(Unavailable):
        make(scripted.url, options=QUICK).take(1, "watch_ranges")
    assert len(scripted.requests) >= 2


def test_whoever_leaves_a_stream_closes_it(make: Make, scripted: ScriptedServer) -> None:
    left = threading.Event()

    def until_left(peer: Any) -> None:
        try:
            endless(EVENT)(peer)
        except OSError:
            left.set()
            raise

    scripted.script("GET", STREAM, until_left)
    make(scripted.url).take(2, "watch_ranges")
    assert left.wait(A_WHILE)


# -- TLS --


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("pki") / "ca")


@pytest.fixture
def secured(authority: Authority) -> Iterator[ScriptedServer]:
    pair = authority.server()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)
    with ScriptedServer(tls=tls) as server:
        server.script("GET", HEALTH, HEALTHY)
        yield server


def test_a_private_authority_is_named_by_its_file(
    make: Make, secured: ScriptedServer, authority: Authority
) -> None:
    options = ClientOptions(ca=authority.certificate)
    assert make(secured.url, SECRET, options=options).call("health").healthy


def test_whom_nobody_vouches_for_gets_no_token(make: Make, secured: ScriptedServer) -> None:
    with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
        make(secured.url, SECRET, options=QUICK).call("health")
    assert secured.requests == []
