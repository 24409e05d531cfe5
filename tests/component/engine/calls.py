"""Every call of an Engine by name, for tests that ask the same of all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.model.engine import EngineInfo, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import CancelScope
from tests.parts.scripted import ScriptedServer, Step

TRANSPORT = Reference.parse(f"r:5000/x@{Digest('sha256', '0' * 64)}")
NAME = Reference.parse("r:5000/x:1")
SHORT = StreamLimits(stall_seconds=0.4, first_byte_seconds=3, reply_seconds=0.8)
LONG = StreamLimits(stall_seconds=30, first_byte_seconds=30, reply_seconds=30)
INFO = EngineInfo("ID", "n", "26", (1, 45), ImageStore.CLASSIC, Platform("linux", "amd64"))

Call = Callable[[Engine, StreamLimits, CancelScope], object]


def save_all(engine: Engine, limits: StreamLimits, cancellation: CancelScope) -> int:
    with engine.save(NAME, limits=limits, cancellation=cancellation) as tar:
        return sum(map(len, tar))


def load(tar: Callable[[], Iterator[bytes]]) -> Call:
    def call(engine: Engine, limits: StreamLimits, cancellation: CancelScope) -> object:
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


def script_all(scripted: ScriptedServer, step: Step) -> None:
    """The same step for everything but the negotiation."""
    scripted.script("GET", "/(info|v1.*|images.*|distribution.*)", step)
    scripted.script("POST", "/.*", step)
    scripted.script("DELETE", "/.*", step)
