"""`make load JSON=file`: starts the parts, lets the crowd come, prints the table."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tests.bench.machine import head
from tests.bench.table import Row, as_text, write_json
from tests.load import measures
from tests.load.crowd import Crowd
from tests.load.stack import Stack, stack
from tests.parts import fetch, namespace


def main() -> int:
    """0 when everything was measured, whatever the figures; 2 where it cannot be."""
    chosen = _arguments()
    if reason := namespace.why_not():
        print(f"load: {reason}", file=sys.stderr)
        return 2
    fetch.everything()
    namespace.enter()
    about = head()
    _tell(about)
    with stack(_tell) as parts:
        rows = _measured(parts, chosen)
    print(f"\n{about}; {os.getloadavg()[0]:.1f} at the end\n{as_text(rows)}", flush=True)
    if chosen.json:
        write_json(rows, chosen.json)
    return 0


def _measured(parts: Stack, chosen: argparse.Namespace) -> list[Row]:
    crowd = Crowd(parts, chosen.images)
    crowd.fill_source()
    _tell(f"{chosen.images} images in the source")
    crowd.make_cache()
    rows = measures.crowd_comes(parts, crowd, chosen.ranges)
    _tell("one more at a time")
    rows += measures.one_more(parts, crowd, chosen.ranges)
    rows += measures.nothing_happens(parts, crowd, chosen.rest)
    _tell("killing the operator")
    rows += measures.restart(parts, crowd)
    _tell("the largest object")
    return rows + measures.largest_object(parts, crowd, chosen.ranges + measures.PROBES)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--ranges", type=int, default=500, help="RangeImages, two pods each")
    parser.add_argument("--images", type=int, default=300, help="at least 128")
    parser.add_argument("--rest", type=float, default=300.0, help="seconds of doing nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    return parser.parse_args()


def _tell(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
