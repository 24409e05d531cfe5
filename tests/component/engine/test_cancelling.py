"""A cancelled call ends within a second in each phase, tells its cause and leaves no socket."""

from __future__ import annotations

import threading

import pytest

from cyroid_images.engine import Engine
from cyroid_images.errors import CyroidError, Reason, TransferError
from cyroid_images.scheduling.cancel_scope import CancelScope
from tests.component.engine.calls import CALLS, LONG, blocks, load, script_all
from tests.parts.apiserver import wait_for
from tests.parts.connections import open_connections
from tests.parts.scripted import ScriptedServer, Step, drip, hang, unread

pytestmark = pytest.mark.slow

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
    scope = CancelScope()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            {**CALLS, "sending": load(blocks)}[call](patient, LONG, scope)
        except CyroidError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    asked = {"info": "info", "view": "json", "preflight": "json"}
    wait_for(lambda: has_come(scripted, asked.get(call, "images")), f"{call} to begin", 10)
    cause = TransferError(Reason.TIMEOUT, "longer than timeouts.total")
    scope.cancel(cause)
    thread.join(1)
    assert not thread.is_alive()
    assert raised == [cause]
    wait_for(
        lambda: not open_connections(int(scripted.host.rpartition(":")[2])),
        "all sockets to be closed",
        5,
    )


def test_a_call_that_was_cancelled_before_sends_nothing(
    scripted: ScriptedServer, engine: Engine
) -> None:
    scope = CancelScope()
    scope.cancel(cause := TransferError(Reason.TIMEOUT, "too late"))
    for call in CALLS.values():
        with pytest.raises(TransferError) as caught:
            call(engine, LONG, scope)
        assert caught.value is cause
    assert scripted.requests == []


def has_come(scripted: ScriptedServer, word: str) -> bool:
    return any(word in seen.target for seen in tuple(scripted.requests))
