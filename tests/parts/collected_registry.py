"""A real registry: its push listener runs under the chart's script, its collector beside it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from cyroid_images.collect.gate import PAUSED, STOPPED
from cyroid_images.errors import TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.registry.client import RegistryClient
from tests.lab import tools
from tests.parts.apiserver import free_ports, wait_for
from tests.parts.registry import CREDENTIALS, RegistryPart
from tests.parts.waiting import A_WHILE

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "charts/cyroid-images/files/registry/push.sh"
AUTH = (CREDENTIALS.username, CREDENTIALS.password)
OLD_SECONDS = 7200.0
"""How old `age` makes everything: older than the grace time of the collector."""


class CollectedRegistry(RegistryPart):
    """The pod of the chart's registry as three processes over one folder."""

    def __init__(self, folder: Path, *, shell: tuple[str, ...] = ("sh",), path: str = "") -> None:
        """`path` goes before the usual PATH of the script."""
        self.gate = folder / "gate"
        self.gate.mkdir(parents=True)
        self._shell = shell
        self._path = path
        self._collector: subprocess.Popen[bytes] | None = None
        (self._collector_port,) = free_ports(1)
        super().__init__(folder)

    @property
    def collector_url(self) -> str:
        return f"http://127.0.0.1:{self._collector_port}"

    @property
    def is_stopped(self) -> bool:
        """Does the script say that the push listener's process has ended?"""
        return (self.gate / STOPPED).exists()

    @property
    def is_paused(self) -> bool:
        return (self.gate / PAUSED).exists()

    def start_collector(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "collector.log").open("ab") as log:
            self._collector = subprocess.Popen(
                [
                    *("setpriv", "--pdeathsig", "KILL"),
                    *(sys.executable, "-m", "cyroid_images", "collect", "--grace=1h"),
                    *(f"--root={self.data_root}", f"--gate={self.gate}"),
                    f"--push-port={self._ports['push']}",
                    f"--listen=127.0.0.1:{self._collector_port}",
                    f"--htpasswd={self._folder / 'htpasswd'}",
                ],
                stdout=log,
                stderr=log,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "operator")},
            )
        wait_for(self._is_collecting, "the collector to answer", A_WHILE, self.collector_log)

    def kill_collector(self) -> None:
        """As the kernel does when memory is short."""
        if self._collector is not None:
            self._collector.kill()
            self._collector.wait(timeout=30)
            self._collector = None

    def end_collector(self) -> None:
        """As the kubelet does."""
        assert self._collector is not None
        self._collector.terminate()
        self._collector.wait(timeout=30)
        self._collector = None

    def end_push_listener(self) -> int:
        """End the script as the kubelet does; its exit code."""
        script = self._running.pop("push")
        script.terminate()
        return script.wait(timeout=30)

    def kill_push_listener(self) -> int:
        """Kill the listener below the script; the exit code of the script."""
        script = self._running.pop("push")
        below = Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text().split()
        for pid in below:
            if "docker-registry" in Path(f"/proc/{pid}/cmdline").read_text():
                os.kill(int(pid), signal.SIGKILL)
        return script.wait(timeout=30)

    def collector_log(self) -> str:
        return (self._folder / "collector.log").read_text(errors="replace")[-3000:]

    def close(self) -> None:
        self.kill_collector()
        super().close()

    # -- collections ------------------------------------------------------------------

    def begin(self, *, dry_run: bool = False, keep: tuple[Digest, ...] = (), id: str = "") -> None:  # noqa: A002
        """Ask for a collection."""
        body = {"id": id, "dry_run": dry_run, "keep": [str(each) for each in keep]}
        answer = httpx.post(f"{self.collector_url}/collect", json=body, auth=AUTH, trust_env=False)
        assert answer.status_code == 202, answer.text

    def told(self) -> Mapping[str, Any]:
        """What the collector tells of the last one."""
        answer = httpx.get(f"{self.collector_url}/collect", auth=AUTH, trust_env=False)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def collected(self, **asked: Any) -> Mapping[str, Any]:
        """One collection from its beginning until pushes go on."""
        self.begin(**asked)
        told = self.until_collected()
        wait_for(self._takes_pushes, "the push listener", A_WHILE, self.collector_log)
        return told

    def _takes_pushes(self) -> bool:
        try:
            with RegistryClient(self.push_endpoint) as registry:
                registry.ping()
        except TransferError:
            return False
        return True

    def until_collected(self) -> Mapping[str, Any]:
        wait_for(lambda: bool(self.told().get("finished")), "the end", 60, self.collector_log)
        return self.told()

    def age(self, seconds: float = OLD_SECONDS) -> None:
        """Make everything that is stored as old as this."""
        at = time.time() - seconds
        for path in self.data_root.rglob("*"):
            os.utime(path, (at, at))

    def drop_tag(self, repository: str, tag: str) -> None:
        """As registries of version 3 delete a tag: its manifest stays."""
        shutil.rmtree(self.repository(repository) / "_manifests/tags" / tag)

    def used(self, *paths: Path) -> int:
        """Bytes that these paths take on their disk, as `du` says; absent: the data root."""
        named = map(str, paths or (self.data_root,))
        command = ["du", "--summarize", "--total", "--block-size=1", *named]
        said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
        return int(said.stdout.splitlines()[-1].split()[0])

    def repository(self, name: str) -> Path:
        """The folder of a repository."""
        return self.data_root / "docker/registry/v2/repositories" / name

    # -- how it runs ------------------------------------------------------------------

    def _is_collecting(self) -> bool:
        assert self._collector is not None
        assert self._collector.poll() is None, self.collector_log()
        try:
            return httpx.get(f"{self.collector_url}/healthz", trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        if name != "push":
            return super()._spawn(name)
        registry = str(tools.ensure("docker-registry"))
        # The listener ends with the script, as it would with its container.
        # By its path: the shell of busybox would take its own, which lacks this option.
        bound = (str(shutil.which("setpriv")), "--pdeathsig", "KILL")
        script = (*bound, *self._shell, str(SCRIPT), str(self.gate))
        with (self._folder / "push.log").open("ab") as log:
            return subprocess.Popen(
                [*script, *bound, registry, "serve", "push.yml"],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={"PATH": f"{self._path}/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"},
            )


@contextmanager
def running_collected_registry() -> Iterator[CollectedRegistry]:
    """One with its collector, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="cyroid-collected-") as folder:
        registry = CollectedRegistry(Path(folder) / "registry")
        try:
            registry.start()
            registry.start_collector()
            yield registry
        finally:
            registry.close()
