"""What engines tell of changes to their images: real ones, and one that does what it likes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from cyroid_images.engine import Engine
from cyroid_images.engine.image_events import CHUNKS_AT_ONCE, CHUNKS_PER_SECOND
from cyroid_images.errors import CyroidError, Reason, TransferError
from cyroid_images.model.engine import ImageListener
from cyroid_images.scheduling.cancel_scope import CancelScope
from tests.component.engine.calls import LONG
from tests.parts.apiserver import wait_for
from tests.parts.connections import open_connections
from tests.parts.engines import EnginePart
from tests.parts.scripted import (
    ScriptedServer,
    Step,
    chunked,
    cut_before_answer,
    drip,
    endless,
    hang,
    raw,
    reply_json,
)
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow

CARRIED = "transfer.cyroid.io/image:abc-1"
TAGGED = b'{"Type":"image","Action":"tag","Actor":{"ID":"sha256:a","Attributes":{"name":"x:1"}}}\n'
PATH = r"/v1[.]\d+/events"


@dataclass(slots=True)
class Listening:
    """A thread that listens, and what it was told."""

    engine: Engine
    since: float = field(default_factory=time.time)
    scope: CancelScope = field(default_factory=CancelScope)
    began: threading.Event = field(default_factory=threading.Event)
    changes: int = 0
    raised: list[CyroidError] = field(default_factory=list)
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        ours = frozenset({"transfer.cyroid.io"})
        listener = ImageListener(self.since, ours, self.began.set, self._changed)
        try:
            self.engine.listen(listener, self.scope)
        except CyroidError as error:
            self.raised.append(error)

    def _changed(self) -> None:
        self.changes += 1

    def hears(self, changes: int) -> None:
        wait_for(lambda: self.changes == changes, f"{changes} changes to be told", A_WHILE)

    def over(self) -> CyroidError | None:
        """How it ended."""
        self.thread.join(A_WHILE)
        assert not self.thread.is_alive()
        return self.raised[0] if self.raised else None


@pytest.fixture
def listening(any_engine: EnginePart) -> Iterator[Listening]:
    heard = Listening(any_engine.engine)
    assert heard.began.wait(A_WHILE), heard.raised
    yield heard
    heard.scope.cancel()
    assert heard.over() is not None


def test_every_change_is_told_and_what_transfers_of_ours_do_is_not(
    any_engine: EnginePart, listening: Listening
) -> None:
    any_engine.load_image("events.example/tool:1")
    listening.hears(1)
    any_engine.docker("tag", "events.example/tool:1", CARRIED)
    any_engine.docker("rmi", "--no-prune", CARRIED)
    any_engine.docker("tag", "events.example/tool:1", "events.example/other:2")
    listening.hears(2)
    any_engine.docker("rmi", "events.example/other:2")
    listening.hears(3)
    with any_engine.engine.save(
        next(iter(any_engine.engine.view(any_engine.engine.info(), {}).images)),
        limits=LONG,
        cancellation=CancelScope(),
    ) as tar:
        assert sum(map(len, tar)) > 0
    any_engine.docker("rmi", "events.example/tool:1")
    wait_for(lambda: listening.changes > 3, "the end of the image to be told", A_WHILE)


def test_what_happened_since_is_told_first(any_engine: EnginePart) -> None:
    since = time.time()
    any_engine.load_image("events.example/early:1")
    heard = Listening(any_engine.engine, since - 1)
    heard.hears(1)
    heard.scope.cancel()
    heard.over()


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (cut_before_answer, Reason.ENGINE_UNREACHABLE),
        (reply_json(403, {"message": "events are not for you"}), Reason.ENGINE_UNREACHABLE),
        (raw(b"nothing like HTTP\r\n\r\n"), Reason.PROTOCOL_ERROR),
        (endless(b"garbage " * 1000), Reason.PROTOCOL_ERROR),
        (endless(b'{"a": "' + b"x" * 65536), Reason.PROTOCOL_ERROR),
        (chunked(TAGGED, ends=False), Reason.TRANSFER_INTERRUPTED),
        (hang, Reason.ENGINE_UNREACHABLE),
    ],
    ids=["cut", "refused", "no HTTP", "garbage", "a huge object", "cut later", "hangs"],
)
def test_an_engine_that_tells_nonsense_or_nothing_ends_it_with_a_reason(
    scripted: ScriptedServer, engine: Engine, step: Step, reason: Reason
) -> None:
    scripted.script("GET", PATH, step)
    error = Listening(engine).over()
    assert isinstance(error, TransferError)
    assert error.reason is reason


def test_an_engine_that_ends_its_answer_ends_it(scripted: ScriptedServer, engine: Engine) -> None:
    scripted.script("GET", PATH, chunked(TAGGED, TAGGED))
    heard = Listening(engine)
    assert heard.over() is None
    assert heard.changes == 2


@pytest.mark.parametrize(
    "step",
    [endless(TAGGED), endless(TAGGED * 500), drip(b" ", 0.01)],
    ids=["events", "many at once", "blanks"],
)
def test_an_engine_that_talks_without_end_is_read_slowly_and_cut_at_once(
    scripted: ScriptedServer, engine: Engine, step: Step
) -> None:
    """What it sends waits in its own socket."""
    scripted.script("GET", PATH, step)
    heard = Listening(engine)
    assert heard.began.wait(A_WHILE)
    began = time.monotonic()
    heard.thread.join(3)
    assert heard.thread.is_alive()
    lasted = time.monotonic() - began
    at_most = (CHUNKS_AT_ONCE + CHUNKS_PER_SECOND * (lasted + 2)) * 1024
    assert heard.changes * len(TAGGED) <= at_most + 65536
    heard.scope.cancel()
    heard.thread.join(A_WHILE)
    assert not heard.thread.is_alive()
    port = int(scripted.host.rpartition(":")[2])
    wait_for(lambda: not open_connections(port), "all sockets to be closed", A_WHILE)
