"""Starts the parts, runs the measures that are asked for, prints the table."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import memory, reaction, rest, transfers
from tests.bench.stage import Stage
from tests.bench.table import Row, as_text, write_json
from tests.parts import fetch, namespace

MEASURES: dict[str, Callable[[Stage], list[Row]]] = {
    "first-status": reaction.first_status,
    "pull-start": reaction.pull_start,
    "no-op-pass": rest.no_op_pass,
    "parallel": transfers.parallel,
    "memory": memory.memory,
}


def main() -> int:
    """0 when everything was measured, whatever the figures; 2 where it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=MEASURES, help="this measure alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    chosen = parser.parse_args()
    if reason := namespace.why_not():
        print(f"bench: {reason}", file=sys.stderr)
        return 2
    fetch.everything(_tell)
    namespace.enter()
    rows: list[Row] = []
    with Stage(_tell) as stage:
        head = _head(stage)
        _tell(head)
        for name, measure in MEASURES.items():
            if chosen.only in (None, name):
                rows += measure(stage)
        print(f"\n{head}; {os.getloadavg()[0]:.1f} at the end\n{as_text(rows)}", flush=True)
        if chosen.json:
            write_json(rows, chosen.json)
    return 0


def _head(stage: Stage) -> str:
    """When, on what, and how busy the machine was with other things."""
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    docker = stage.source.docker("version", "--format", "{{.Server.Version}}")
    kubernetes = stage.api.call("GET", "/version")["gitVersion"]
    python = sys.version.partition(" ")[0]
    load = os.getloadavg()[0]
    return (
        f"{when}; {os.cpu_count()} cores, load {load:.1f} at the start; "
        f"Python {python}, Docker {docker} (classic store), Kubernetes {kubernetes}"
    )


def _tell(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
