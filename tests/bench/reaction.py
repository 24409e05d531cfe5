"""How soon the operator answers: the first status, the start of a pull."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

from tests.bench.emptying import Store
from tests.bench.operating import RARELY, await_so
from tests.bench.stage import Stage, engine
from tests.bench.stock import Stock
from tests.bench.table import Row
from tests.bench.traces import Call, Trace, engine_calls, engine_trace
from tests.parts.site import Site

RUNS = 10
FIRST_STATUS_MS = 1000.0
PULL_START_MS = 2000.0


def first_status(stage: Stage, stock: Stock) -> list[Row]:
    """From the POST of a RangeImages to a status with conditions, polled every 10 ms."""
    with stage.registry() as registry:
        site = stage.site("first", stock.source(Store.CLASSIC, ()))
        site.cache(registry, refresh={"interval": RARELY})
        site.until_cache(Ready="True")
        took = [_first_status(site, f"r{number}") for number in range(RUNS)]
        site.remove_all()
    stage.tell(f"first-status: {_list(took)} ms")
    bound = f"POST to conditions, events only; median of {RUNS}, worst {max(took):.0f}"
    return [Row("first-status [ms]", median(took), bar=FIRST_STATUS_MS, bound=bound)]


def _first_status(site: Site, name: str) -> float:
    began = time.monotonic()
    site.ranges(name, 1, [f"{site.name}.example/none:1"], interval=RARELY)
    await_so(
        lambda: bool(site.api.call("GET", site.path(name)).get("status", {}).get("conditions"))
    )
    return (time.monotonic() - began) * 1000


def pull_start(stage: Stage, stock: Stock) -> list[Row]:
    """From before the pod is written to the engine's first POST /images/create."""
    with stage.registry() as registry, engine(logs_calls=True) as target:
        source = stock.source(Store.CLASSIC, ())
        site = stage.site("pull", source)
        images = [site.image(f"tool-{number}:1", number) for number in range(RUNS)]
        wanted = [{"image": image} for image in images]
        site.cache(registry, images=wanted, refresh={"interval": RARELY})
        site.until_cache(Ready="True")
        took = []
        for number, image in enumerate(images):
            name = f"r{number}"
            site.ranges(name, target.port, [image], interval=RARELY)
            site.until(name, Ready="False/NoTargets")
            trace, began = engine_trace(target), time.time()
            site.pod(name, target.address)
            took.append((_first_pull(trace) - began) * 1000)
            site.until(name, Ready="True")
        site.remove_all()
        source.docker("rmi", *images)
    stage.tell(f"pull-start: {_list(took)} ms")
    how = "pod written to POST /images/create (dockerd's debug log), image cached, events only"
    bound = f"{how}; median of {RUNS}, worst {max(took):.0f}"
    return [Row("pull-start [ms]", median(took), bar=PULL_START_MS, bound=bound)]


def pulls(trace: Trace) -> list[Call]:
    """The pulls that began, in order."""
    return [each for each in engine_calls(trace) if each.path.startswith("/images/create")]


def _first_pull(trace: Trace) -> float:
    await_so(lambda: bool(pulls(trace)))
    return pulls(trace)[0].time


def _list(took: Sequence[float]) -> str:
    return " ".join(f"{each:.0f}" for each in took)
