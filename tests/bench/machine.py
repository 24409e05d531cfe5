"""When, on what, and how busy the machine was: the first line of every table of figures."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.lab import tools


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


def processor_seconds(process: int) -> float:
    """What the process has spent so far, in user and kernel mode (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
