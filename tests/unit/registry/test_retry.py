"""Which failures of an upstream pass by themselves, and for how long they are borne."""

from __future__ import annotations

import threading

import httpx
import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.registry.retry import (
    LONGEST_WAIT,
    OUR_OWN,
    pause_after_failure,
    pause_after_response,
)
from cyroid_images.scheduling.cancel_scope import CancelScope


@pytest.mark.parametrize(
    ("status", "asked", "pause"),
    [
        pytest.param(500, None, 3.0, id="500-as-planned"),
        pytest.param(503, "5", 5.0, id="503-as-asked"),
        pytest.param(503, "3600", None, id="503-for-too-long"),
        pytest.param(408, None, 3.0, id="408-as-planned"),
        pytest.param(429, "2", 3.0, id="429-asked-for-less-than-planned"),
        pytest.param(429, str(int(LONGEST_WAIT)), LONGEST_WAIT, id="429-as-asked"),
        pytest.param(429, "3600", None, id="429-for-too-long"),
        pytest.param(429, None, None, id="429-without-a-time"),
        pytest.param(200, None, None, id="200"),
        pytest.param(401, "1", None, id="401"),
        pytest.param(404, None, None, id="404"),
    ],
)
def test_an_answer_has_its_pause(status: int, asked: str | None, pause: float | None) -> None:
    """None: whoever asked is told at once."""
    headers = {"Retry-After": asked} if asked else {}
    assert pause_after_response(httpx.Response(status, headers=headers), 3.0) == pause


@pytest.mark.parametrize(
    ("failure", "pause"),
    [
        pytest.param(httpx.ReadError("reset"), 3.0, id="reset"),
        pytest.param(
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            3.0,
            id="closed",
        ),
        pytest.param(httpx.RemoteProtocolError("illegal status line"), None, id="nonsense"),
        pytest.param(httpx.ConnectError("refused"), None, id="refused"),
        pytest.param(httpx.ReadTimeout("slow"), None, id="silent"),
        pytest.param(TransferError(Reason.SERVER_ERROR, "x"), 3.0, id="token-server-503"),
        pytest.param(
            TransferError(Reason.RATE_LIMITED, "x", retry_after=4), 4.0, id="token-server-429"
        ),
        pytest.param(TransferError(Reason.RATE_LIMITED, "x"), None, id="token-server-limit"),
        pytest.param(TransferError(Reason.UNAUTHORIZED, "x"), None, id="unauthorized"),
    ],
)
def test_a_broken_connection_has_its_pause(failure: Exception, pause: float | None) -> None:
    """Only what broke without an answer, and was not refused."""
    assert pause_after_failure(failure, 3.0) == pause


def test_a_wait_ends_when_it_is_cut() -> None:
    """And raises what the scope says; a minute would outlast the join."""
    scope, raised = CancelScope(), []

    def run() -> None:
        try:
            OUR_OWN.wait(60.0, scope)
        except Cancelled as exc:
            raised.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    scope.cancel()
    thread.join(5)
    assert not thread.is_alive()
    assert raised


def test_a_wait_ends_by_itself() -> None:
    """Nothing is raised."""
    OUR_OWN.wait(0.001, CancelScope())
