"""When, on what, and how busy the machine was: the first line of every table of figures."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tests.lab import tools
from tests.parts.engines import EnginePart


def head() -> str:
    """Date, cores, load and versions."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    client = [str(tools.ensure("docker")), "--version"]
    docker = subprocess.run(client, capture_output=True, text=True, timeout=30, check=True)
    python = sys.version.partition(" ")[0]
    return (
        f"{when}; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start; "
        f"Python {python}, dockerd 26.1, client {docker.stdout.split()[2].rstrip(',')}"
    )


def engine_processes(engine: EnginePart) -> tuple[int, ...]:
    """The dockerd of this engine and what it started: its containerd, and shims."""
    at = engine.local.url
    (dockerd,) = (
        pid
        for pid, words in _commands().items()
        if words[0].endswith("dockerd") and at in words  # `unshare` names both in one script
    )
    found, parents = {dockerd}, _parents()
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return tuple(sorted(found))


def _commands() -> dict[int, list[str]]:
    """The words of each process that has any."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if words := (folder / "cmdline").read_text(errors="replace").split("\0"):
                found[int(folder.name)] = words
    return found


def _parents() -> dict[int, int]:
    """By process id (proc(5), field 4)."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            found[int(folder.name)] = int(fields[1])
    return found


def processor_seconds(process: int) -> float:
    """What the process has spent so far, in user and kernel mode (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
