"""The process of the stand-ins, and one of them as tests use an engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import httpx

from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.model.cancellation import NEVER
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.model.progress import ignore
from tests.parts.apiserver import free_ports, wait_for
from tests.parts.save_tars import SavedImage, saved_image

ROOT = Path(__file__).parents[3]
READY_SECONDS = 30.0
END_SECONDS = 10.0


class RangeEngine(Protocol):
    """What real engines and stand-ins have in common."""

    port: int
    engine: Engine

    def load_image(
        self,
        name: str,
        layers: Sequence[Mapping[str, bytes]] = ...,
        config: Mapping[str, Any] | None = None,
    ) -> SavedImage: ...

    def load(self, tar: bytes) -> None: ...


class StandInEngine:
    """One of them."""

    def __init__(self, address: str, port: int) -> None:
        self.address, self.port = address, port
        self.endpoint = EngineEndpoint(f"tcp://{address}:{port}")
        self.engine = Engine(self.endpoint)

    def load_image(
        self,
        name: str,
        layers: Sequence[Mapping[str, bytes]] = ({"hello": b"hello\n"},),
        config: Mapping[str, Any] | None = None,
    ) -> SavedImage:
        """Put a small image in, under this name."""
        image = saved_image(name, layers, config)
        self.load(image.tar)
        return image

    def load(self, tar: bytes) -> None:
        """Load a tar by our own leaf."""
        limits = StreamLimits(stall_seconds=30, first_byte_seconds=60, reply_seconds=60)
        length = len(tar)
        self.engine.load(iter([tar]), ignore, limits=limits, cancellation=NEVER, length=length)

    def copy_of(self, other: StandInEngine) -> None:
        """Hold what another one holds now."""
        url = f"http://{self.address}:{self.port}/stand-ins/copy"
        query = {"source": other.address}
        httpx.post(url, params=query, trust_env=False, timeout=30).raise_for_status()


class StandIns:
    """All of them: one process, one port."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self._url = f"http://127.0.0.1:{self.port}/stand-ins/tally"

    def at(self, address: str) -> StandInEngine:
        """The engine with this address of 127.0.0.0/8."""
        return StandInEngine(address, self.port)

    def tally(self) -> dict[str, dict[str, float]]:
        """What each was asked since the start, by address (see `server.Tally`)."""
        answer = httpx.get(self._url, trust_env=False, timeout=30)
        told: dict[str, dict[str, float]] = answer.raise_for_status().json()
        return told

    @contextmanager
    def running(self) -> Iterator[StandIns]:
        """Started; ends with the context."""
        command = [sys.executable, "-m", "tests.parts.stand_in", str(self.port)]
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            wait_for(self._answers, "the stand-ins to answer", READY_SECONDS, lambda: "")
            yield self
        finally:
            process.terminate()
            process.wait(END_SECONDS)

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            self.tally()
            return True
        return False
