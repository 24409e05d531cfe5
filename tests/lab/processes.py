"""Processes that the lab started, known by id and start time.

An id alone is not enough: it can be given to a foreign process after ours
ended, and the lab kills nothing that is not its own.
"""

import contextlib
import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.errors import LabError

_END = 15.0  # seconds for the kernel to end a killed namespace; 2 were measured


@dataclass(frozen=True, slots=True)
class Process:
    """One process of this machine, even after its id is used again."""

    id: int
    started: int  # clock ticks since the machine's start

    @classmethod
    def read(cls, path: Path) -> "Process | None":
        """The process that was written to this file; None if there is none."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None

    def write(self, path: Path) -> None:
        """Notes the process in this file, whole or not at all."""
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(asdict(self)))
        unfinished.rename(path)

    def is_alive(self) -> bool:
        """Whether exactly this process still runs; a zombie does not."""
        seen = _stat(self.id)
        return seen is not None and seen == (self.started, True)

    def send(self, number: signal.Signals) -> None:
        """Sends the signal, unless the process is gone."""
        if self.is_alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.id, number)

    def wait(self, timeout: float = _END) -> bool:
        """Whether the process ended within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def identified(process_id: int) -> Process:
    """The process that has this id now."""
    seen = _stat(process_id)
    if seen is None:
        raise LabError(f"there is no process {process_id}")
    return Process(process_id, seen[0])


def end_namespace(unshare: subprocess.Popen[bytes]) -> None:
    """Kills the first process inside and waits until the namespace is gone.

    `unshare` ignores SIGTERM. Killing it instead of its child works as well,
    but then nobody waits for the child, and things may still be in use.
    """
    for child in _children(unshare.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    try:
        unshare.wait(_END)
    except subprocess.TimeoutExpired:
        unshare.kill()
        unshare.wait()


def _children(process_id: int) -> list[int]:
    path = Path(f"/proc/{process_id}/task/{process_id}/children")
    try:
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []


def _stat(process_id: int) -> tuple[int, bool] | None:
    try:
        text = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # a program's name may hold spaces
    return int(fields[19]), fields[0] not in {"Z", "X"}
