"""The process of the stand-ins, and one of them as tests use an engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.parts.apiserver import free_ports, wait_for
from tests.parts.range_engine import RangeEngine
from tests.parts.stand_in.lies import Lie

ROOT = Path(__file__).parents[3]
READY_SECONDS = 30.0
END_SECONDS = 10.0


class StandInEngine(RangeEngine):
    """One of them."""

    def copy_of(self, other: StandInEngine) -> None:
        """Hold what another one holds now."""
        self._do("copy", source=other.address)

    def empty(self) -> None:
        """Hold nothing from now on."""
        self._do("empty")

    def tell(self, lie: Lie, **about: str) -> None:
        """Hang or lie from now on; `about` as `Told` has it, lists with commas."""
        self._do("lie", lie=lie, **about)

    def _do(self, what: str, **query: str) -> None:
        url = f"http://{self.address}:{self.port}/stand-ins/{what}"
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
            process.kill()  # it keeps nothing, and what hangs in it may take long to say goodbye
            process.wait(END_SECONDS)

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            self.tally()
            return True
        return False
