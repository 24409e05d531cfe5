"""One dockerd as a child process: how it is put into namespaces and taken out without a trace.

It runs as the first process of its own PID and mount namespace (in the network of the
tests), so that killing it takes containerd, shims, containers and mounts along. It runs in an
overlay over a cached file system, Docker 20.10 on the machine's own files.
Nothing here knows what engines are asked.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.lab import cgroups, docker, tools
from tests.parts.engine_tls import ServerPair

SCRATCH = Path("/var/tmp")
"""A real file system: overlay2 does not work on an overlay."""
END_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Setup:
    """Which dockerd, with which store, disk, certificate and trust."""

    port: int
    address: str = "127.0.0.1"
    """Another loopback address (127.0.0.2) for engines that share a port, as pods do."""
    version: str = "26"
    """"20" for Debian bookworm's 20.10, else one of `docker.VERSIONS`."""
    containerd_store: bool = False
    data_size: str = ""
    """Such as "40m": the data root is a tmpfs of that size, and ends with the process."""
    tls: ServerPair | None = None
    insecure_registries: tuple[str, ...] = ()
    extra: dict[str, object] = field(default_factory=dict)
    """Further lines of daemon.json."""


class Dockerd:
    """A dockerd whose data root outlives `stop` and `kill`, until `remove`."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self.folder = Path(tempfile.mkdtemp(prefix="cyroid-engine-", dir=SCRATCH))
        self.socket = self.folder / "docker.sock"
        self.log = self.folder / "dockerd.log"
        self._cgroup = f"cyroid-test-{self.folder.name[-8:]}"
        self._process: subprocess.Popen[bytes] | None = None
        self._write_files()

    def start(self) -> None:
        """Start the process; whether it answers is not known yet."""
        assert self._process is None, "this dockerd runs"
        self.socket.unlink(missing_ok=True)
        (self.folder / "docker.pid").unlink(missing_ok=True)
        unshare = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child"]
        command = ["setpriv", "--pdeathsig", "KILL", *unshare, "--propagation", "private"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "sh", "-ec", self._script()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> None:
        """SIGTERM, as an orderly shutdown; killed if it does not obey."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, FileNotFoundError, IndexError):
            self.signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash: everything in its namespaces ends with it."""
        if self._process is None:
            return
        # The child first, or nobody would be left to reap it.
        with suppress(ProcessLookupError, FileNotFoundError, IndexError):
            self.signal(signal.SIGKILL)
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(END_SECONDS)
        self._process = None

    def signal(self, number: int) -> None:
        """Send a signal to dockerd itself, not to what holds its namespaces."""
        os.kill(self._dockerd(), number)

    def remove(self) -> None:
        """Kill it and remove every file and cgroup that it made."""
        self.kill()
        shutil.rmtree(self.folder)
        cgroups.remove(self._cgroup)

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def use_store(self, *, containerd: bool) -> None:
        """The other image store from the next start on, over the same data root."""
        self._setup = replace(self._setup, containerd_store=containerd)
        self._write_settings()

    def _dockerd(self) -> int:
        """The only child of unshare, as we see it from outside."""
        assert self._process is not None, "this dockerd does not run"
        pid = self._process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])

    def _write_files(self) -> None:
        for name in ("data", "root", "upper", "work"):
            (self.folder / name).mkdir()
        self._write_settings()

    def _write_settings(self) -> None:
        daemon: dict[str, object] = {
            "insecure-registries": list(self._setup.insecure_registries),
            **self._setup.extra,
        }
        if self._setup.version != "20":  # since 29 an empty data root gets the containerd store
            daemon["features"] = {"containerd-snapshotter": self._setup.containerd_store}
        (self.folder / "daemon.json").write_text(json.dumps(daemon))

    def _script(self) -> str:
        """What the first process does before it becomes dockerd."""
        folder, lines = self.folder, ["mount -t proc proc /proc"]
        if self._setup.data_size:
            lines += [f"mount -t tmpfs -o size={self._setup.data_size} tmpfs {folder}/data"]
        if self._setup.version == "20":
            lines += ["mount -t tmpfs tmpfs /run", "mkdir /run/lock"]
            # dockerd puts a key there; a tmpfs takes it, and ends with the process.
            lines += ["mkdir -p /etc/docker", "mount -t tmpfs tmpfs /etc/docker"]
            return "\n".join([*lines, f"exec {tools.ensure('dockerd')} {self._flags()}"])
        root = folder / "root"
        lower = ":".join(map(str, docker.layers(self._setup.version)))
        layers = f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work"
        lines += [f"mount -t overlay -o {layers} overlay {root}"]
        lines += [f"mount --rbind /{name} {root}/{name}" for name in ("dev", "proc", "sys")]
        lines += [f"mount -t tmpfs tmpfs {root}/run", f"mkdir -p {root}{folder}"]
        # Recursive, for the tmpfs of a small data root.
        lines += [f"mount --rbind {folder} {root}{folder}"]
        path = "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return "\n".join([*lines, f"exec env {path} chroot {root} dockerd {self._flags()}"])

    def _flags(self) -> str:
        folder = self.folder
        flags = [
            f"-H tcp://{self._setup.address}:{self._setup.port}",
            f"-H unix://{self.socket}",
            f"--config-file {folder}/daemon.json --data-root {folder}/data",
            f"--exec-root /run/docker --pidfile {folder}/docker.pid",
            f"--cgroup-parent /{self._cgroup}",
            "--bridge none --iptables=false --ip-masq=false --ip-forward=false",
            self._tls_flags(),
        ]
        return " ".join(flags)

    def _tls_flags(self) -> str:
        tls = self._setup.tls
        if tls is None:
            return "--tls=false"
        for name, text in (("ca", tls.ca), ("cert", tls.certificate), ("key", tls.key)):
            (self.folder / f"{name}.pem").write_text(text)
        files = (("cacert", "ca"), ("cert", "cert"), ("key", "key"))
        return " ".join(
            ["--tlsverify", *(f"--tls{flag} {self.folder}/{name}.pem" for flag, name in files)]
        )
