"""What it costs to find that nothing is to be done."""

from __future__ import annotations

import time
from collections.abc import Iterable

from tests.bench.stage import Stage
from tests.bench.table import Row
from tests.bench.traces import Call, engine_calls, engine_trace, registry_calls
from tests.parts.engines import EnginePart
from tests.parts.site import Site

SECONDS = 60.0
"""A minute: the bar for the registry speaks of one."""
IMAGES = 10
NAME = "still"
INTERVAL = "1s"


def no_op_pass(stage: Stage) -> list[Row]:
    """Ten images in two engines, looked at each second for a minute: who was asked what."""
    site, first = stage.site("rest"), stage.engine()
    engines = [first, stage.engine(port=first.port, address="127.0.0.2")]
    _fill(stage, site, engines)
    before = _versions(site)
    traces = [engine_trace(engine) for engine in (*engines, stage.source)]
    listeners = stage.registry_traces()
    stage.tell(f"no-op-pass: watching {SECONDS:.0f} s")
    time.sleep(SECONDS)
    seen = [whole_passes(engine_calls(trace)) for trace in traces]
    asked = [call for trace in listeners for call in registry_calls(trace)]
    writes = sum(old != new for old, new in zip(before, _versions(site), strict=True))
    site.remove_all()
    return [*_of_engines(seen[:2], seen[2]), *_of_registry(asked), _of_writes(writes)]


def _fill(stage: Stage, site: Site, engines: Iterable[EnginePart]) -> None:
    images = [site.image(f"tool-{number}:1", number) for number in range(IMAGES)]
    site.cache(stage.registry, refresh={"interval": INTERVAL})
    port = 0
    for number, engine in enumerate(engines):
        site.pod(NAME, engine.address, suffix=f"-{number}")
        port = engine.port
    site.ranges(NAME, port, images, interval=INTERVAL)
    site.until(NAME, Ready="True", seconds=120)
    site.until_cache(Ready="True")


def _of_engines(ranges: list[list[Call]], source: list[Call]) -> list[Row]:
    looks = [_count(calls, "/info") for calls in ranges]
    lists = [_count(calls, "/images/json") for calls in ranges]
    inspects = sum(_is_inspect(call) for calls in ranges for call in calls)
    told = f"{lists} lists in {looks} passes (GET /info) of {SECONDS:.0f} s at {INTERVAL}"
    # A pass looks at an engine by one info and one list; no other trace of a pass is outside.
    told += f"; source engine {_count(source, '/images/json')}/{_count(source, '/info')}"
    worst = max(a / max(b, 1) for a, b in zip(lists, looks, strict=True))
    text = f"inspects in both engines, {IMAGES} images each"
    return [
        Row("no-op: image lists per engine and pass", worst, bar=1, bound=told, inclusive=True),
        Row("no-op: inspects per engine and pass", inspects / max(sum(looks), 1), bound=text),
    ]


def _of_registry(asked: list[Call]) -> list[Row]:
    manifests = [call for call in asked if "/manifests/" in call.path]
    by_path: dict[str, int] = {}
    for call in manifests:
        by_path[call.path] = by_path.get(call.path, 0) + 1
    blobs = [call for call in asked if "/blobs/" in call.path]
    gets = sum(call.method == "GET" for call in manifests)
    told = f"{len(manifests)} in all, {gets} of them GET; bar of {IMAGES} images"
    return [
        Row(
            "no-op: manifest requests per image and minute",
            max(by_path.values(), default=0),
            bar=1,
            bound=told,
            inclusive=True,
        ),
        Row(
            "no-op: blob bytes",
            sum(call.size for call in blobs),
            bar=0,
            bound=f"{len(blobs)} requests for blobs, {len(asked)} of any kind",
            inclusive=True,
        ),
    ]


def _of_writes(writes: int) -> Row:
    text = "objects and events of the site whose resourceVersion changed"
    return Row("no-op: writes to the API server", writes, bar=0, bound=text, inclusive=True)


def _versions(site: Site) -> list[object]:
    """Range, cache, and the list of events, in this order."""
    bodies = [site.read(path) for path in (site.path(NAME), site.cache_path)]
    versions: list[object] = [body["metadata"]["resourceVersion"] for body in bodies]
    found: list[str] = []
    for place in (site.name, "default"):
        items = site.api.call("GET", f"/apis/events.k8s.io/v1/namespaces/{place}/events")["items"]
        found += [
            event["metadata"]["name"] + event["metadata"]["resourceVersion"] for event in items
        ]
    return [*versions, sorted(found)]


def whole_passes(calls: list[Call]) -> list[Call]:
    """From the first GET /info up to the last: the window cuts the passes at its two ends."""
    begins = [at for at, call in enumerate(calls) if call.path == "/info"]
    return calls[begins[0] : begins[-1]] if begins else []


def _is_inspect(call: Call) -> bool:
    path = call.path.partition("?")[0]
    return path.startswith("/images/") and path.endswith("/json") and path != "/images/json"


def _count(calls: list[Call], path: str) -> int:
    return sum(call.path.partition("?")[0] == path for call in calls)
