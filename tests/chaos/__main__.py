"""`make chaos SEED=n MINUTES=m JSON=file`: starts the parts, runs the rounds, prints the table."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

from tests.chaos.driver import Driver
from tests.chaos.evidence import evidence
from tests.chaos.faults import Kind
from tests.chaos.stack import stack
from tests.chaos.world import World
from tests.parts import fetch, namespace
from tests.parts.site import Site

KINDS = {kind.name.lower().replace("_", "-"): kind for kind in Kind}


def main() -> int:
    """0 when every invariant held, 1 when one did not, 2 where the parts cannot run."""
    chosen = _arguments()
    if reason := namespace.why_not():
        print(f"chaos: {reason}", file=sys.stderr)
        return 2
    fetch.everything()
    namespace.enter()
    _tell(f"SEED={chosen.seed} MINUTES={chosen.minutes:g}")
    with stack() as parts:
        site = Site("chaos", parts.api, parts.operator, parts.source)
        parts.api.put_namespace(site.name, {"cyroid.io/ranges": "true"})
        world = World(parts, site)
        kinds = tuple(KINDS[name] for name in chosen.only) or parts.kinds
        driver = Driver(world, chosen.seed, _tell, kinds)
        try:
            driver.run(60 * chosen.minutes)
            is_good = True
        except Exception as exc:  # whatever it is: a finding, or a defect of this driver
            print(f"\n{type(exc).__name__}: {exc}\n\n{evidence(world)}", flush=True)
            is_good = False
    print(f"\nSEED={chosen.seed}\n{driver.tally.as_text()}", flush=True)
    if chosen.json:
        driver.tally.write_json(chosen.json)
    return 0 if is_good else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--minutes", type=float, default=2.0, help="of faults and checks")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there too")
    parser.add_argument(
        "--only", nargs="*", choices=list(KINDS), default=[], help="these kinds of faults alone"
    )
    return parser.parse_args()


def _tell(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
