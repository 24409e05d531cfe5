"""What the real parts say about the calls that reached them.

A dockerd with `debug` logs each request as it arrives, to the microsecond; the registry
logs each answer with its size; the kernel keeps the most memory that a process ever had.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.parts.engines import EnginePart

_CALL = re.compile(
    r'^time="(?P<time>[^"]{19,26})\d*Z" .*msg="Calling '
    r'(?P<method>[A-Z]+) (/v[\d.]+)?(?P<path>/[^ "]*)'
)
_ANSWER = re.compile(
    r'"(?P<method>[A-Z]+) (?P<path>/[^ "]*) HTTP/[\d.]+" (?P<code>\d+) (?P<size>\d+)'
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that a part saw."""

    method: str
    path: str
    """Without the version of the engine's API."""
    time: float = 0.0
    """Seconds since 1970; 0 where the part tells no fractions."""
    size: int = 0
    """Bytes of the answer's body, as far as the part tells them."""


class Trace:
    """A growing file, read from where it ended when this was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = path.stat().st_size if path.exists() else 0

    def lines(self) -> Iterator[str]:
        """The lines since then; may be asked again."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._start)
            for line in file:
                yield line.decode(errors="replace")


def engine_trace(engine: EnginePart) -> Trace:
    """What dockerd logs from now on."""
    return Trace(Path(engine.local.url.removeprefix("unix://")).parent / "dockerd.log")


def engine_calls(trace: Trace) -> list[Call]:
    """The requests that a dockerd with `debug` has logged."""
    found = (_CALL.match(line) for line in trace.lines())
    return [Call(each["method"], each["path"], _seconds(each["time"])) for each in found if each]


def registry_calls(trace: Trace) -> list[Call]:
    """The answers that a registry has logged, HEADs with 0 bytes."""
    found = (_ANSWER.search(line) for line in trace.lines())
    return [
        Call(
            each["method"], each["path"], size=0 if each["method"] == "HEAD" else int(each["size"])
        )
        for each in found
        if each
    ]


def operator_process() -> int:
    """The process id of the operator, a child of ours."""
    for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"cyroid_images" in command:
            return int(pid)
    raise LookupError("no operator runs below this process")


def liveness_of(process: int) -> str:
    """Where that operator answers its probe."""
    for argument in Path(f"/proc/{process}/cmdline").read_text().split("\0"):
        if argument.startswith("--probes="):
            return f"http://{argument.partition('=')[2]}/healthz"
    raise LookupError(f"process {process} serves no probe")


def memory_of(process: int, field: str) -> int:
    """Bytes in a line of /proc/.../status: VmRSS is now, VmHWM the most since the reset."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise LookupError(f"process {process} tells no {field}")


def reset_peak(process: int) -> None:
    """Let VmHWM begin again at VmRSS."""
    Path(f"/proc/{process}/clear_refs").write_text("5")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(f"{text}+00:00").timestamp()
