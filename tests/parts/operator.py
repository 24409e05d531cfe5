"""The operator as a real process, which can be stopped, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx

from tests.parts.apiserver import free_ports, wait_for

PROGRAM = Path(__file__).parents[2] / "operator"
READY_SECONDS = 60.0
"""A start takes two seconds on an idle machine."""
IDENTITY = "part"
"""As in a pod, whose container is restarted: the Lease of the killed one is its own."""
END_SECONDS = 25.0
"""Of a grace period of 30 s."""


class OperatorPart:
    """`python -m cyroid_images run` with this kubeconfig; one at a time."""

    def __init__(self, folder: Path, kubeconfig: Path, namespace: str) -> None:
        self.kubeconfig = kubeconfig
        self._folder = folder
        self._log = folder / "operator.log"
        self._process: subprocess.Popen[bytes] | None = None
        (port,) = free_ports(1)
        self.archives = folder / "archives"
        """The archive volume."""
        self.archives.mkdir(exist_ok=True)
        self._address = f"127.0.0.1:{port}"
        self._health = f"http://{self._address}/healthz"
        self.url = f"http://{self._address}"
        """Where it serves /healthz, /readyz and /metrics."""
        self.settings: dict[str, str] = {}
        """CYROID_* variables of the next start, beside or instead of the usual ones."""
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(PROGRAM),
            "CYROID_KUBECONFIG": str(kubeconfig),
            "CYROID_NAMESPACE": namespace,
            "CYROID_LOG_FORMAT": "text",
            "CYROID_SWEEP_SECONDS": "600",
            "CYROID_IDENTITY": IDENTITY,
            "CYROID_ARCHIVES": str(self.archives),
        }

    def start(self) -> None:
        """Start it and wait until it works; nothing to do where it runs."""
        if not self.is_running():
            self.begin()
            wait_for(self._is_alive, "the operator to be alive", READY_SECONDS, self.log)

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        command = [sys.executable, "-m", "cyroid_images", "run", f"--probes={self._address}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env=self._environment | self.settings,
            )

    def send(self, number: signal.Signals) -> None:
        """STOP, CONT or another signal."""
        assert self._process is not None, "the operator does not run"
        self._process.send_signal(number)

    def wait(self, seconds: float = END_SECONDS) -> int:
        """The exit code of one that ends by itself."""
        assert self._process is not None, "the operator does not run"
        return self._process.wait(seconds)

    def stop(self) -> int:
        """SIGTERM; the exit code. Fails if it does not end within its grace period."""
        assert self._process is not None, "the operator does not run"
        self._process.terminate()
        code = self._process.wait(END_SECONDS)
        self._process = None
        return code

    def kill(self) -> None:
        """SIGKILL, as when memory runs out."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(END_SECONDS)
            self._process = None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log_file(self) -> Path:
        """Everything that it and those before it wrote."""
        return self._log

    def log(self, start: int = 0) -> str:
        """The last of what it wrote, from this byte on."""
        with self._log.open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")[-20_000:]

    def log_size(self) -> int:
        """Where the log ends now, in bytes."""
        return self._log.stat().st_size if self._log.exists() else 0

    def _is_alive(self) -> bool:
        assert self.is_running(), f"the operator ended:\n{self.log()}"
        with suppress(httpx.HTTPError):
            return httpx.get(self._health, timeout=2, trust_env=False).status_code == 200
        return False
