"""What is measured, phase by phase: the crowd comes, one more comes, nothing happens, a restart."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median, quantiles

from cyroid_images.report.event_recorder import SUMMARY_SECONDS
from tests.bench.machine import processor_seconds
from tests.bench.polling import polled
from tests.bench.table import Row
from tests.bench.traces import (
    engine_calls,
    engine_trace,
    liveness_of,
    memory_of,
    operator_process,
)
from tests.chaos.stack import RegistryCalls
from tests.load.audit import Audit, Request, busiest, told, without_events
from tests.load.crowd import (
    IMAGES_PER_RANGE,
    PODS_PER_RANGE,
    Crowd,
    is_ready,
    status_bytes,
)
from tests.load.stack import REAL_ENGINES, Stack

MIB = 1 << 20
KIB = 1 << 10
LAG_MS = 100.0
PATIENCE_SECONDS = 1800.0
LOOK_SECONDS = 0.5
CROWD_LOOK_SECONDS = 5.0
"""A look at 500 objects costs a third of a second: it must not be what is measured."""
PROBES = 60
PROBE_LOOK_SECONDS = 0.01
HUGE = (128, 200)
"""Images and pods of the largest object that is allowed."""
CROWD_SECONDS = 400.0
"""With an event per object and few seconds instead of one per image."""
WINDOW_SECONDS = 60.0
"""The burst of 40 calls that is allowed after a rest, and the Lease's 12, count in it too."""


def crowd_comes(stack: Stack, crowd: Crowd, ranges: int) -> list[Row]:
    """All objects and pods at once, nothing in the registry, to the last Ready."""
    audit, began = Audit(stack.api), time.monotonic()
    for number in range(REAL_ENGINES // PODS_PER_RANGE):
        at = number * PODS_PER_RANGE
        engines = stack.engines[at : at + PODS_PER_RANGE]
        crowd.put_pods(number, [engine.address for engine in engines])
        crowd.apply(number, port=engines[0].port)
    for number in range(REAL_ENGINES // PODS_PER_RANGE, ranges):
        crowd.pods_of(number)
        crowd.apply(number)
    applied = time.monotonic() - began
    stack.tell(f"applied {ranges} RangeImages and {ranges * PODS_PER_RANGE} pods")
    _await(stack, lambda: _all_ready(stack, crowd, ranges), CROWD_LOOK_SECONDS)
    took = time.monotonic() - began
    moved, requests = ranges * PODS_PER_RANGE * IMAGES_PER_RANGE, audit.requests()
    what = f"{ranges} RangeImages, {ranges * PODS_PER_RANGE} pods: first applied to last Ready [s]"
    how = f"{moved} deliveries; applied within {applied:.0f} s; {moved / took:.1f} deliveries/s"
    sizes = [status_bytes(body) / KIB for body in crowd.bodies()]
    others = without_events(requests)
    return [
        Row(what, took, bar=CROWD_SECONDS, bound=how),
        Row("API calls: events", len(requests) - len(others), bound=f"of {len(requests)} in all"),
        Row("API calls: all others", len(others), bound=told(others)),
        Row(
            "API calls per second, busiest minute",
            busiest(requests, WINDOW_SECONDS),
            bar=20,
            bound=f"{len(requests)} in all: {told(requests)}; a burst of 40 and the Lease included",
        ),
        Row(
            "status writes per object, median",
            median(_status_writes(requests)),
            bound=f"worst {max(_status_writes(requests))}; from nothing to Ready",
        ),
        Row("status, median [KiB]", median(sizes), bar=16, bound=f"largest {max(sizes):.1f}"),
        Row("events per delivered image", crowd.events() / moved, bar=3),
        _memory("memory when all is delivered [MiB]", bar=150),
    ]


def one_more(stack: Stack, crowd: Crowd, first: int) -> list[Row]:
    """One RangeImages at a time, beside all the others; its pods are there already."""
    statuses, pulls = [], []
    for number in range(first, first + PROBES):
        addresses = crowd.pods_of(number)
        began, path = time.time(), crowd.apply(number)
        _await(stack, lambda: _has_conditions(stack, path), PROBE_LOOK_SECONDS)  # noqa: B023
        statuses.append((time.time() - began) * 1000)
        _await(stack, lambda: is_ready(stack.api.call("GET", path)))  # noqa: B023
        tally = stack.stand_ins.tally()
        pulls.append((min(tally[at]["first_pull"] for at in addresses) - began) * 1000)
    return [
        _latency("apply to first status, p99 [ms]", statuses, 1000),
        _latency("apply to first pull, p99 [ms]", pulls, 2000),
    ]


def nothing_happens(stack: Stack, crowd: Crowd, seconds: float) -> list[Row]:
    """Everything is Ready, nobody changes anything, and what was to be told of it is told."""
    time.sleep(2 * SUMMARY_SECONDS)
    audit, layers = Audit(stack.api), RegistryCalls(stack.registry)
    before, process = stack.stand_ins.tally(), operator_process()
    spent = processor_seconds(process)
    versions = [body["metadata"]["resourceVersion"] for body in crowd.bodies()]
    stack.tell(f"watching {seconds:.0f} s of rest")
    time.sleep(seconds)
    spent = processor_seconds(process) - spent
    requests, after = audit.requests(), stack.stand_ins.tally()
    changed = versions != [body["metadata"]["resourceVersion"] for body in crowd.bodies()]
    did = {key: _sum(after, key) - _sum(before, key) for key in ("infos", "lists", "inspects")}
    looks = f"{did['infos']} looks at {len(after)} engines, {did['inspects']} inspects"
    writes = [each for each in requests if each.is_write]
    return [
        Row(
            "idle: API calls per minute",
            len(requests) * 60 / seconds,
            bar=30,
            bound=f"{told(requests)} in {seconds:.0f} s",
        ),
        Row("idle: writes", len(writes) + changed, bar=0, bound=told(writes)),
        Row(
            "idle: image lists per look at an engine",
            did["lists"] / max(did["infos"], 1),
            bar=1,
            bound=looks,
        ),
        Row("idle: requests for layers", len(layers.of_layers()), bar=0),
        Row("idle: one core, percent", 100 * spent / seconds),
        _memory("memory after the rest [MiB]", bar=150),
    ]


def restart(stack: Stack, crowd: Crowd) -> list[Row]:
    """Killed and started again: until every engine has been looked at and nothing is to do."""
    layers, before = RegistryCalls(stack.registry), stack.stand_ins.tally()
    traces = [engine_trace(engine) for engine in stack.engines]
    stack.operator.kill()
    audit, began, since = Audit(stack.api), time.time(), time.monotonic()
    stack.operator.start()
    alive = {"operator": liveness_of(operator_process())}

    def is_through() -> bool:
        seen = stack.stand_ins.tally()
        return all(seen[at]["last_list"] > began for at in before) and all(
            any(call.path.startswith("/images/json") for call in engine_calls(trace))
            for trace in traces
        )

    with polled(alive) as answers:
        _await(stack, is_through)
    took = time.monotonic() - since
    after = stack.stand_ins.tally()
    pulls = _sum(after, "pulls") + _sum(after, "loads")
    pulls -= _sum(before, "pulls") + _sum(before, "loads")
    writes = [each for each in audit.requests() if each.is_write]
    how = f"start of the process to the last of {len(before) + REAL_ENGINES} engines looked at"
    return [
        Row("resync after a kill [s]", took, bar=30, bound=how),
        Row(
            "resync: longest answer of /healthz [ms]",
            answers.worst("operator"),
            bar=LAG_MS,
            bound=f"of {answers.count('operator')}, every 20 ms; usual"
            f" {answers.usual('operator'):.1f}; it is answered on the event loop",
            inclusive=False,
        ),
        Row("resync: layers moved", pulls + len(layers.of_layers()), bar=0),
        Row("resync: objects that are not Ready", len(crowd.made) - crowd.ready(), bar=0),
        Row("resync: writes", len(writes), bound=told(writes)),
        _memory("memory after the resync [MiB]", bar=150),
    ]


def largest_object(stack: Stack, crowd: Crowd, first: int) -> list[Row]:
    """128 images in 200 pods whose engines hold them already: what it costs to see that."""
    images, pods = HUGE
    seed = crowd.new_address()
    crowd.put_pods(first, [seed])
    path = crowd.apply(first, range(images))
    _await(stack, lambda: is_ready(stack.api.call("GET", path)))
    held = stack.stand_ins.at(seed)
    addresses = [crowd.new_address() for _ in range(pods)]
    for address in addresses:
        stack.stand_ins.at(address).copy_of(held)
    crowd.put_pods(first + 1, addresses)
    began, path = time.monotonic(), crowd.apply(first + 1, range(images))
    _await(stack, lambda: _is_ready_in(stack, path, pods))
    took = time.monotonic() - began
    body = stack.api.call("GET", path)
    what = f"{images} images x {pods} pods"
    how = "everything there already, in engines that were never looked at before"
    return [
        Row(f"{what}: applied to Ready [s]", took, bound=how),
        Row(f"{what}: status [KiB]", status_bytes(body) / KIB, bar=64),
        _memory(f"{what}: memory [MiB]"),
    ]


def _all_ready(stack: Stack, crowd: Crowd, ranges: int) -> bool:
    number = crowd.ready()
    stack.tell(f"{number} of {ranges} Ready")
    return number == ranges


def _is_ready_in(stack: Stack, path: str, pods: int) -> bool:
    """Ready with all its targets: the watch may tell of the object before the last pod."""
    body = stack.api.call("GET", path)
    return is_ready(body) and body["status"]["targets"]["ready"] == pods


def _has_conditions(stack: Stack, path: str) -> bool:
    return bool(stack.api.call("GET", path).get("status", {}).get("conditions"))


def _status_writes(requests: Sequence[Request]) -> list[int]:
    found = Counter(each.object for each in requests if each.resource == "rangeimages/status")
    return sorted(found.values()) or [0]


def _latency(what: str, took: Sequence[float], bar: float) -> Row:
    worst = quantiles(took, n=100, method="inclusive")[98]
    how = f"{len(took)} one after another; median {median(took):.0f}, worst {max(took):.0f}"
    return Row(what, worst, bar=bar, bound=how)


def _memory(what: str, bar: float | None = None) -> Row:
    process = operator_process()
    most = memory_of(process, "VmHWM") / MIB
    return Row(what, memory_of(process, "VmRSS") / MIB, bar=bar, bound=f"at most {most:.0f}")


def _sum(tally: dict[str, dict[str, float]], key: str) -> float:
    return sum(each[key] for each in tally.values())


def _await(stack: Stack, is_so: Callable[[], bool], look_seconds: float = LOOK_SECONDS) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE_SECONDS:.0f} s\n{stack.operator.log()}")
        time.sleep(look_seconds)
