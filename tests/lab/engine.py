"""A Docker engine of the lab's own, used only to run `docker build`.

It lives in its own mount and process namespace, keeps its layers in the cache
and dies with the process that started it.
"""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import cache, cgroups, processes, tools
from tests.lab.errors import LabError
from tests.lab.shell import run

_CGROUP = "cyroid-lab-build"
_START = 30.0  # seconds: it takes 0.2 on an idle machine
_ENTER = """
mount -t proc proc /proc
mount -t tmpfs tmpfs /run && mkdir /run/lock
mount -t tmpfs tmpfs /etc/docker
exec "$@"
"""


class Engine:
    """The docker command, bound to one engine."""

    def __init__(self, socket: Path) -> None:
        self._command = [str(tools.ensure("docker")), "-H", f"unix://{socket}"]

    def __call__(self, *arguments: object) -> str:
        """Runs `docker` with these arguments and gives its output."""
        env = {**os.environ, "DOCKER_BUILDKIT": "0"}  # BuildKit is not in Debian's package
        return run([*self._command, *arguments], env=env, timeout=1200)


@contextmanager
def running() -> Iterator[Engine]:
    """An engine for as long as it lasts; one at a time, others wait."""
    settings = Path("/etc/docker")
    with cache.locked("engine"), tempfile.TemporaryDirectory(prefix="cyroid-lab-") as scratch:
        made_settings = not settings.exists()
        settings.mkdir(exist_ok=True)  # dockerd puts a key there; a tmpfs takes it
        try:
            with _started(Path(scratch)) as engine:
                yield engine
        finally:
            cgroups.remove(_CGROUP)
            if made_settings:
                settings.rmdir()


@contextmanager
def _started(scratch: Path) -> Iterator[Engine]:
    log = scratch / "log"
    command = ["setpriv", "--pdeathsig", "KILL"]
    command += ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    command += ["--propagation", "private", "sh", "-ec", _ENTER, "sh", *_dockerd(scratch)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        engine = Engine(scratch / "socket")
        _wait(engine, process, log)
        yield engine
    finally:
        processes.end_namespace(process)


def _dockerd(scratch: Path) -> list[str]:
    data = cache.root() / "engine"
    # An engine without a bridge removes docker0, which may belong to another one.
    bridge = "docker0" if Path("/sys/class/net/docker0").exists() else "none"
    return [
        *(str(tools.ensure("dockerd")), "--host", f"unix://{scratch / 'socket'}"),
        *("--data-root", str(data), "--exec-root", "/run/docker", "--pidfile", "/run/docker.pid"),
        *("--cgroup-parent", f"/{_CGROUP}"),
        *("--bridge", bridge, "--iptables=false", "--ip-masq=false", "--ip-forward=false"),
    ]


def _wait(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START
    while process.poll() is None and time.monotonic() < deadline:
        try:
            engine("version")
        except LabError:
            time.sleep(0.1)
        else:
            return
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
    raise LabError(f"the engine that builds images did not start\n{tail}")
