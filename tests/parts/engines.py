"""Real Docker engines for tests: 20.10, 26.1 with either image store, 28 and 29 with containerd's.

The session's engines (`old_engine`, `classic_engine`, `containerd_engine`, `docker28_engine`,
`docker29_engine`) are shared, and emptied after each test; tests leave nothing paused. Whoever
kills, fills or reconfigures an engine takes one of its own from `new_engine`.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Protocol

import httpx
import pytest

from cyroid_images.engine import Engine
from cyroid_images.errors import TransferError
from cyroid_images.model.engine import EngineEndpoint
from tests.lab import tools
from tests.parts.apiserver import free_ports, wait_for
from tests.parts.dockerd import Dockerd, Setup
from tests.parts.engine_tls import ServerPair
from tests.parts.range_engine import RangeEngine

KEPT = "big.example"
"""The host of images that take long to make: they stay as long as the engine."""
READY_SECONDS = 60.0
"""dockerd answers within a second on an idle machine."""


class EnginePart(RangeEngine):
    """A running engine that can be asked, filled, paused, killed and started again."""

    def __init__(self, setup: Setup) -> None:
        self._dockerd = Dockerd(setup)
        self.local = EngineEndpoint(f"unix://{self._dockerd.socket}")
        """The unix socket: never TLS."""
        super().__init__(setup.address, setup.port, asked_at=self.local if setup.tls else None)

    def start(self) -> None:
        """Start it (again) and wait until it answers."""
        self._dockerd.start()
        wait_for(self._answers, "dockerd to answer", READY_SECONDS, self.log)

    def stop(self) -> None:
        """An orderly shutdown; the data root stays, unless it has a `data_size`."""
        self._dockerd.stop()

    def kill(self) -> None:
        """A crash, with everything that runs in it; the data root stays, as with `stop`."""
        self._dockerd.kill()

    def pause(self) -> None:
        """SIGSTOP: connections are taken by the kernel, nobody answers."""
        self._dockerd.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: the end of `pause`."""
        self._dockerd.signal(signal.SIGCONT)

    def use_store(self, *, containerd: bool) -> None:
        """The other image store from the next `start` on, over the same data root."""
        self._dockerd.use_store(containerd=containerd)

    def close(self) -> None:
        """End it and remove all its files; it cannot be started again."""
        self._dockerd.remove()

    def docker(self, *arguments: str) -> str:
        """What the docker command says; fails the test when it fails."""
        done = self.try_docker(*arguments)
        assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def try_docker(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the docker command against this engine; the caller checks the code."""
        return subprocess.run(
            [str(tools.ensure("docker")), "-H", self.local.url, *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"DOCKER_CONFIG": str(self._dockerd.folder), "PATH": os.environ["PATH"]},
        )

    def remove_images(self) -> None:
        """Every image but those of `KEPT`, as `docker rmi --force` does."""
        with httpx.Client(transport=self._socket(), base_url="http://engine", timeout=60) as http:
            for image in http.get("/images/json").raise_for_status().json():
                for name in image.get("RepoTags") or image.get("RepoDigests") or [image["Id"]]:
                    if not name.startswith(KEPT):
                        http.delete(f"/images/{name}", params={"force": "1"})

    def happened(self, event: str) -> list[str]:
        """Every `pull`, `push`, `tag` ... of an image until now, a line each with its name."""
        until = f"--until={time.time():.9f}"  # "now" in whole seconds would miss the last one
        return self.docker("events", "--since=1h", until, f"--filter=event={event}").splitlines()

    def downloaded(self) -> int:
        """Bytes of the layer that is being pulled right now; 0 while none is."""
        data = self._dockerd.folder / "data"
        ingest = "containerd/daemon/io.containerd.content.v1.content/ingest/*/data"
        sizes = [0]
        for path in (*data.glob("tmp/GetImageBlob*"), *data.glob(ingest)):
            with suppress(FileNotFoundError):
                sizes.append(path.stat().st_size)
        return max(sizes)

    def log(self) -> str:
        """The last lines that dockerd wrote."""
        return "\n".join(self._dockerd.log.read_text(errors="replace").splitlines()[-30:])

    def _socket(self) -> httpx.HTTPTransport:
        return httpx.HTTPTransport(uds=self.local.url.removeprefix("unix://"))

    def _answers(self) -> bool:
        assert self._dockerd.is_running(), f"dockerd ended:\n{self.log()}"
        # Connected by hand first: httpcore 1.0 leaks a unix socket whose connect is refused.
        with suppress(OSError, TransferError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(self.local.url.removeprefix("unix://"))
            Engine(self.local, answer_seconds=2).info()
            return True
        return False


class NewEngine(Protocol):
    """Starts an engine for one test."""

    def __call__(
        self,
        *,
        version: str = "26",
        containerd_store: bool = False,
        data_size: str = "",
        tls: ServerPair | None = None,
        insecure_registries: tuple[str, ...] = (),
        port: int | None = None,
        address: str = "127.0.0.1",
    ) -> EnginePart: ...


@pytest.fixture(scope="session")
def shared_engines() -> list[EnginePart]:
    """Those of the session that run."""
    return []


@pytest.fixture(autouse=True)
def emptied_engines(shared_engines: list[EnginePart]) -> Iterator[None]:
    """A containerd store lists for milliseconds per image, and every look asks for a list."""
    yield
    for part in shared_engines:
        part.remove_images()


@pytest.fixture(scope="session")
def old_engine(shared_engines: list[EnginePart]) -> Iterator[EnginePart]:
    """Docker 20.10, API 1.41, classic store."""
    yield from _running(shared_engines, version="20")


@pytest.fixture(scope="session")
def classic_engine(shared_engines: list[EnginePart]) -> Iterator[EnginePart]:
    """Docker 26.1, classic store."""
    yield from _running(shared_engines)


@pytest.fixture(scope="session")
def containerd_engine(shared_engines: list[EnginePart]) -> Iterator[EnginePart]:
    """Docker 26.1, containerd image store."""
    yield from _running(shared_engines, containerd_store=True)


@pytest.fixture(scope="session")
def docker28_engine(shared_engines: list[EnginePart]) -> Iterator[EnginePart]:
    """Docker 28.5 or newer (of Debian forky), containerd image store."""
    yield from _running(shared_engines, version="28", containerd_store=True)


@pytest.fixture(scope="session")
def docker29_engine(shared_engines: list[EnginePart]) -> Iterator[EnginePart]:
    """The 29 line, built from source, with the containerd image store: its default."""
    yield from _running(shared_engines, version="29", containerd_store=True)


@pytest.fixture(params=["old_engine", "classic_engine", "containerd_engine", "docker29_engine"])
def any_engine(request: pytest.FixtureRequest) -> EnginePart:
    """Each of these engines in turn: both stores, the oldest and the newest."""
    part: EnginePart = request.getfixturevalue(request.param)
    return part


@pytest.fixture
def new_engine() -> Iterator[NewEngine]:
    """Makes engines that end with the test."""
    parts: list[EnginePart] = []

    def make(*, port: int | None = None, **setup: Any) -> EnginePart:
        part = EnginePart(Setup(port=port or free_ports(1)[0], **setup))
        parts.append(part)
        part.start()
        return part

    yield make
    for part in parts:
        part.close()


def _running(shared: list[EnginePart], **setup: Any) -> Iterator[EnginePart]:
    part = EnginePart(Setup(port=free_ports(1)[0], **setup))
    try:
        part.start()
        shared.append(part)
        yield part
    finally:
        part.close()
