"""Starts the parts, runs the measures that are asked for, prints the table."""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from tests.bench import deliveries, effort, fleet, lag, memory, people, pushes, reaction, rest
from tests.bench.hand import HandFailed
from tests.bench.images import BIG, BLUEPRINT, make
from tests.bench.machine import head
from tests.bench.stage import Stage
from tests.bench.stock import Stock
from tests.bench.table import Row, as_text, write_json
from tests.lab.progress import long_step
from tests.parts import fetch, namespace

Measure = Callable[[Stage, Stock, Collection[str]], list[Row]]

MEASURES: tuple[tuple[tuple[str, ...], Measure], ...] = (
    (("first-status",), lambda stage, stock, _: reaction.first_status(stage, stock)),
    (("pull-start",), lambda stage, stock, _: reaction.pull_start(stage, stock)),
    (("effort",), lambda stage, stock, _: effort.effort(stage, stock)),
    (("no-op-pass",), lambda stage, stock, _: rest.no_op_pass(stage, stock)),
    (("push",), lambda stage, stock, _: pushes.push(stage, stock)),
    (deliveries.NAMES, deliveries.deliveries),
    (("ranges",), lambda stage, stock, _: fleet.ranges(stage, stock)),
    (("lag",), lambda stage, stock, _: lag.lag(stage, stock)),
    (("memory",), lambda stage, _, __: memory.memory(stage)),
    (("people",), lambda stage, _, __: people.people(stage)),
)
"""What `--only` may say, and who measures it; those of one line share their runs."""

SMALL = frozenset({"first-status", "pull-start", "effort", "no-op-pass", "people"})
"""What moves small images of its own: alone, it need not wait until the large ones are made."""


def main() -> int:
    """0 when everything was measured, whatever the figures; 1 with the rows of the others where
    a measure failed; 2 where none can be made.
    """
    chosen = _arguments()
    if reason := namespace.why_not():
        print(f"bench: {reason}", file=sys.stderr)
        return 2
    fetch.everything()
    if chosen.only not in SMALL:
        with long_step(_tell, "making images"):
            make([BIG, *BLUEPRINT])
    namespace.enter()
    about = head()
    _tell(about)
    with Stage(_tell) as stage, Stock(_tell) as stock:
        rows, failed = measured(MEASURES, chosen.only, stage, stock)
    print(f"\n{about}; {os.getloadavg()[0]:.1f} at the end\n{as_text(rows)}", flush=True)
    if chosen.json:
        write_json(rows, chosen.json)
    if failed:
        print(f"bench: no figures of {', '.join(failed)}; why is said above", file=sys.stderr)
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    names = [name for names, _ in MEASURES for name in names]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=names, help="this measure alone")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    return parser.parse_args()


def measured(
    measures: Sequence[tuple[tuple[str, ...], Measure]],
    only: str | None,
    stage: Stage,
    stock: Stock,
) -> tuple[list[Row], list[str]]:
    """The rows, and the names of what failed: it costs no other measure its figures."""
    rows, failed = list[Row](), list[str]()
    for names, measure in measures:
        wanted = [name for name in names if only in (None, name)]
        if not wanted:
            continue
        began, title = time.monotonic(), ", ".join(wanted)
        try:
            rows += measure(stage, stock, wanted)
        except (HandFailed, TimeoutError, AssertionError):
            stage.tell(f"{title}: failed\n{traceback.format_exc()}")
            failed += wanted
            stock.abandon_targets()
        else:
            stage.tell(f"{title}: measured in {time.monotonic() - began:.0f} s")
    return rows, failed


def _tell(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
