"""How long the operator's event loop stands still while the big image moves.

Its liveness probe is answered on that loop, so the longest answer less the usual one at
rest is a lag. What this machine alone makes of it is asked in the same moments: a server
that does nothing else (`echo.py`) is polled beside it, and its lag is the floor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.bench import echo, operating
from tests.bench.emptying import Store, empty
from tests.bench.images import BIG, MB
from tests.bench.operating import RANGE
from tests.bench.polling import Answers, idle, polled
from tests.bench.stage import Stage
from tests.bench.stock import Stock
from tests.bench.table import Row
from tests.bench.traces import liveness_of, operator_process

BAR_MS = 100.0
ROUTES: Mapping[str, Mapping[str, Any]] = {
    "pushed and pulled": {"delivery": "RegistryOnly"},
    "by tar": {"delivery": "TarOnly"},
}


def lag(stage: Stage, stock: Stock) -> list[Row]:
    """From a classic source, whose bytes go through the operator, into one range."""
    with echo.running() as floor:
        urls = {"operator": liveness_of(operator_process()), "floor": floor}
        at_rest = idle(urls)
        return [_one(stage, stock, urls, at_rest, route) for route in ROUTES]


def _one(stage: Stage, stock: Stock, urls: Mapping[str, str], at_rest: Answers, route: str) -> Row:
    source, target = stock.source(Store.CLASSIC, [BIG]), stock.target(Store.CONTAINERD)
    with (
        stage.registry() as registry,
        operating.site(stage, source, registry) as site,
        polled(urls) as busy,
    ):
        took = operating.deliver(site, {RANGE: target}, [BIG.name], **ROUTES[route])
    empty(target)
    ours = busy.worst("operator") - at_rest.usual("operator")
    floor = busy.worst("floor") - at_rest.usual("floor")
    stage.tell(f"lag: {route}: {ours:.0f} ms, a server beside it {floor:.0f} ms")
    text = (
        f"longest of {busy.count('operator')} answers of /healthz, every 20 ms, less the usual "
        f"{at_rest.usual('operator'):.1f} ms at rest; {BIG.size / MB:.0f} MB {route} in "
        f"{took:.0f} s; floor: {floor:.0f} ms of a server that only answers"
    )
    return Row(f"event-loop lag, {route} [ms]", ours, bar=BAR_MS, bound=text, inclusive=False)
