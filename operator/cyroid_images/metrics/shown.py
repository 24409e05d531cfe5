"""What is read at the moment of a scrape: the state of objects, targets and transfers.

Nothing of it is kept between scrapes, so the series of a deleted object are gone at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cyroid_images.model.telemetry.measured import GaugeValues, Way


class Shown(Collector):
    """The gauges of one moment; `look` is called in the thread of the scrape."""

    def __init__(self) -> None:
        self.look: Callable[[], GaugeValues] = GaugeValues

    def describe(self) -> Iterator[Metric]:
        """The same families without a look: asked once, when the registry takes us in."""
        return _families(GaugeValues())

    def collect(self) -> Iterator[Metric]:
        return _families(self.look())


def _families(state: GaugeValues) -> Iterator[Metric]:
    yield _gauge("queue_depth", "Objects that wait for a pass.", state.due)
    yield _gauge("work_in_progress", "Passes under way.", state.working)
    yield _gauge(
        "insecure_endpoints",
        "Endpoints that are dialled without TLS, as written in specs.",
        state.insecure,
    )
    yield _ready(state)
    targets = _labelled("targets", "Engines of ranges, by whether they hold every image.", "state")
    for name, count in state.targets.items():
        targets.add_metric([name], count)
    yield targets
    up = _labelled("registry_up", "1 while the registry of a cache answers, else 0.", "cache")
    for cache, is_up in state.registries.items():
        up.add_metric([cache], is_up)
    yield up
    moving = _labelled("transfers_in_progress", "Transfers under way.", "route")
    for way in Way:
        moving.add_metric([way], sum(each.way is way for each in state.moving))
    yield moving


def _ready(state: GaugeValues) -> GaugeMetricFamily:
    ready = _labelled(
        "resource_ready",
        "1 for an object with Ready=True, else 0; none for a suspended one.",
        "kind",
        "namespace",
        "name",
    )
    for place, is_ready in state.ready.items():
        ready.add_metric(list(place), is_ready)
    return ready


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"cyroid_{name}", text, value=value)


def _labelled(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"cyroid_{name}", text, labels=labels)
