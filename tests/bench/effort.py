"""How much is asked to bring one image into one range: looks at the engine, passes of the object.

The engine counts its looks (each asks `GET /info` once; dockerd's debug log), the operator its
passes (`/metrics`). A transfer has looks of its own, its proof, and a pass of its own, the one
that tells its end: what is judged is what comes beside these.
"""

from __future__ import annotations

import re

import httpx

from tests.bench.emptying import Store
from tests.bench.operating import RARELY, await_so
from tests.bench.stage import Stage, engine
from tests.bench.stock import Stock
from tests.bench.table import Row
from tests.bench.traces import Call, engine_calls, engine_trace
from tests.parts.site import Site

RUNS = 3
"""Each with an image and a range of its own, so that the counts can be told to be the same."""
LOOKS, PASSES = 2.0, 2.0
OWN_PASSES = 1
"""Of the one transfer: the pass that tells its end."""
QUIET = 150
"""Looks in a row, 10 ms apart and more, in which nothing may happen."""
_PASSES = re.compile(r'^cyroid_reconcile_total\{kind="RangeImages",[^}]*\} (\S+)$', re.MULTILINE)
_LIST = "/images/json"


def effort(stage: Stage, stock: Stock) -> list[Row]:
    """From the creation of the RangeImages, with pod and cached image there, until it is quiet."""
    looks, lists, passes = list[int](), list[int](), list[float]()
    with stage.registry() as registry, engine(logs_calls=True) as target:
        source = stock.source(Store.CLASSIC, ())
        site = stage.site("effort", source)
        images = [site.image(f"tool-{number}:1", number) for number in range(RUNS)]
        wanted = [{"image": image} for image in images]
        site.cache(registry, images=wanted, refresh={"interval": RARELY})
        site.until_cache(Ready="True")
        for number, image in enumerate(images):
            name, trace, before = f"r{number}", engine_trace(target), _passed(site)
            site.pod(name, target.address)
            site.ranges(name, target.port, [image], interval=RARELY)
            site.until(name, Ready="True")
            _await_quiet(site)
            calls = engine_calls(trace)
            looks.append(_count(calls, "/info"))
            lists.append(_count(calls, _LIST))
            passes.append(_passed(site) - before - OWN_PASSES)
        site.remove_all()
        source.docker("rmi", *images)
    stage.tell(f"effort: looks {looks}, lists {lists}, passes {passes}")
    what = f"one image, one range, cached, events only; worst of {RUNS}"
    listed = f"{what}; image lists {max(lists)}, the proof's own among them"
    return [
        Row("one delivery: looks at the target", max(looks), bar=LOOKS, bound=listed),
        Row("one delivery: passes beside the transfer's own", max(passes), bar=PASSES, bound=what),
    ]


def _await_quiet(site: Site) -> None:
    """Two questions a while apart find the same number of passes."""
    seen = [-1.0]

    def is_quiet() -> bool:
        seen.append(_passed(site))
        return len(seen) > QUIET and len(set(seen[-QUIET:])) == 1

    await_so(is_quiet)


def _passed(site: Site) -> float:
    """Passes of RangeImages so far, however they ended."""
    text = httpx.get(f"{site.operator.url}/metrics", trust_env=False, timeout=10).text
    return sum(float(found) for found in _PASSES.findall(text))


def _count(calls: list[Call], path: str) -> int:
    return sum(call.path.partition("?")[0] == path for call in calls)
