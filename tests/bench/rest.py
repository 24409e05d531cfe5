"""What it costs to find that nothing is to be done: ten ranges, thirteen images.

Real engines and a real registry say who was asked what: dockerd's debug log, the
registry's access log. Passes are counted, not assumed: each asks an engine for /info once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from tests.bench.emptying import Store
from tests.bench.machine import engine_processes, processor_seconds
from tests.bench.operating import await_so
from tests.bench.stage import Stage, engine, registry_traces
from tests.bench.stock import Stock
from tests.bench.table import Row
from tests.bench.traces import Call, Trace, engine_calls, engine_trace, registry_calls
from tests.parts.apiserver import free_ports
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site

RANGES, IMAGES = 10, 13
INTERVAL_SECONDS = 5.0
WINDOW_SECONDS = 31.0
"""Six passes per range, and those that the window cuts at its ends."""
TOKEN = "bench"
"""Asks for a pass in which the registry is looked at too: otherwise it is once a minute."""
SECONDS = 180.0
"""130 small images through two cores."""


def no_op_pass(stage: Stage, stock: Stock) -> list[Row]:
    """Everything is there already: calls per pass over all ranges, blob bytes, writes."""
    with ExitStack() as stack:
        registry = stack.enter_context(stage.registry(logs_calls=True))
        stage.tell(f"no-op-pass: starting {RANGES} engines")
        engines = _engines(stack)
        source = stock.source(Store.CLASSIC, ())
        site = stage.site("rest", source)
        images = [site.image(f"tool-{number}:1", number) for number in range(IMAGES)]
        _fill(site, registry, engines, images)
        before = _versions(site)
        traces, listeners = [engine_trace(each) for each in engines], registry_traces(registry)
        stage.tell(f"no-op-pass: watching {WINDOW_SECONDS:.0f} s")
        spent = _spent(engines)
        time.sleep(WINDOW_SECONDS)
        spent = [after - ago for after, ago in zip(_spent(engines), spent, strict=True)]
        looks = [_count(engine_calls(trace), "/info") for trace in traces]
        seen = [whole_passes(engine_calls(trace)) for trace in traces]
        writes = sum(old != new for old, new in zip(before, _versions(site), strict=True))
        quiet = _asked(listeners)
        _ask(site)
        asked = _asked(listeners)
        site.remove_all()
        source.docker("rmi", *images)
    return [_lists(seen), _cost(spent, looks), *_of_registry(quiet, asked), _of_writes(writes)]


def _engines(stack: ExitStack) -> list[EnginePart]:
    """All at one port, as pods have it; half of them with either store."""
    (port,) = free_ports(1)
    return [
        stack.enter_context(
            engine(store, port=port, address=f"127.0.0.{10 + number}", logs_calls=True)
        )
        for number, store in enumerate((*Store,) * (RANGES // 2))
    ]


def _fill(
    site: Site, registry: RegistryPart, engines: Sequence[EnginePart], images: Sequence[str]
) -> None:
    interval = f"{INTERVAL_SECONDS:.0f}s"
    wanted = [{"image": image} for image in images]
    site.cache(registry, images=wanted, refresh={"interval": interval})
    site.until_cache(Ready="True", seconds=SECONDS)
    for number, target in enumerate(engines):
        site.serve(f"r{number}", target, images, interval=interval)
    for number in range(len(engines)):
        site.until(f"r{number}", Ready="True", seconds=SECONDS)
    site.until_cache(Ready="True", seconds=SECONDS)


def _passes(seen: Sequence[list[Call]]) -> float:
    """Over all ranges: how often each was looked at, on average."""
    return sum(_count(calls, "/info") for calls in seen) / RANGES


def _lists(seen: Sequence[list[Call]]) -> Row:
    lists = sum(_count(calls, "/images/json") for calls in seen)
    inspects = sum(_is_inspect(call) for calls in seen for call in calls)
    passes = max(_passes(seen), 1)
    told = f"{lists} lists, {inspects} inspects, {passes:.1f} passes over {RANGES} ranges"
    told += f" with {IMAGES} images, every {INTERVAL_SECONDS:.0f} s for {WINDOW_SECONDS:.0f} s"
    return Row("no-op: image lists per pass", lists / passes, bar=RANGES, bound=told)


def _spent(engines: Sequence[EnginePart]) -> list[float]:
    return [sum(map(processor_seconds, engine_processes(each))) for each in engines]


def _cost(spent: Sequence[float], looks: Sequence[int]) -> Row:
    """What a look costs the engine that is looked at: a containerd store works for each image."""
    stores = [*Store] * (RANGES // 2)

    def each(store: Store) -> float:
        mine = [at for at, found in enumerate(stores) if found is store]
        return 1000 * sum(spent[at] for at in mine) / max(sum(looks[at] for at in mine), 1)

    told = f"dockerd and containerd over {WINDOW_SECONDS:.0f} s with {sum(looks)} looks"
    told += f", {IMAGES} images; classic store {each(Store.CLASSIC):.0f}"
    measure = "no-op: the engine's CPU per look, containerd store [ms]"
    return Row(measure, each(Store.CONTAINERD), bound=told)


def _ask(site: Site) -> None:
    """One pass of everything, to its end."""
    paths = _paths(site)
    site.reconcile_now(TOKEN, *paths)
    for path in paths:
        await_so(lambda: _has_answered(site, path))  # noqa: B023 - called before the next


def _has_answered(site: Site, path: str) -> bool:
    status: dict[str, object] = site.api.call("GET", path)["status"]
    return status.get("lastHandledReconcileAt") == TOKEN


def _asked(listeners: Iterable[Trace]) -> list[Call]:
    return [call for trace in listeners for call in registry_calls(trace)]


def _of_registry(quiet: Sequence[Call], asked: Sequence[Call]) -> list[Row]:
    """`asked` begins with `quiet` and has one more pass, of everything."""
    manifests = [call for call in asked if "/manifests/" in call.path]
    blobs = [call for call in asked if "/blobs/" in call.path]
    before = sum("/manifests/" in call.path for call in quiet)
    gets = sum(call.method == "GET" for call in manifests)
    told = f"a pass of all ranges and the cache, asked for; {before} in the window before"
    told += f", {gets} of all of them GET"
    text = f"{len(blobs)} requests for blobs, {len(asked)} of any kind"
    return [
        Row("no-op: manifest requests per pass", len(manifests) - before, bar=IMAGES, bound=told),
        Row("no-op: blob bytes", sum(call.size for call in blobs), bar=0, bound=text),
    ]


def _of_writes(writes: int) -> Row:
    text = "objects and events of the site whose resourceVersion changed"
    return Row("no-op: writes to the API server", writes, bar=0, bound=text)


def _versions(site: Site) -> list[object]:
    """Ranges, cache, and the list of events, in this order."""
    versions: list[object] = [
        site.read(path)["metadata"]["resourceVersion"] for path in _paths(site)
    ]
    found: list[str] = []
    for place in (site.name, "default"):
        items = site.api.call("GET", f"/apis/events.k8s.io/v1/namespaces/{place}/events")["items"]
        found += [
            event["metadata"]["name"] + event["metadata"]["resourceVersion"] for event in items
        ]
    return [*versions, sorted(found)]


def _paths(site: Site) -> list[str]:
    return [*(site.path(f"r{number}") for number in range(RANGES)), site.cache_path]


def whole_passes(calls: list[Call]) -> list[Call]:
    """From the first GET /info up to the last: the window cuts the passes at its two ends."""
    begins = [at for at, call in enumerate(calls) if call.path == "/info"]
    return calls[begins[0] : begins[-1]] if begins else []


def _is_inspect(call: Call) -> bool:
    path = call.path.partition("?")[0]
    return path.startswith("/images/") and path.endswith("/json") and path != "/images/json"


def _count(calls: list[Call], path: str) -> int:
    return sum(call.path.partition("?")[0] == path for call in calls)
