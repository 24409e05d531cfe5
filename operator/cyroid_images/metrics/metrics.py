"""Everything that is counted up, by name, type and labels; the face towards the program.

The methods fit the ports of those who tell: `Measures` of the controller,
`RequestObserver` of the leaves. Each costs some microseconds and none raises.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from cyroid_images.errors import Mark, Reason
from cyroid_images.metrics import naming
from cyroid_images.metrics.shown import Shown
from cyroid_images.model.telemetry.measured import LOOK, GaugeValues, PassResult, Transferred, Way
from cyroid_images.model.telemetry.request_observer import RequestDone

TRANSFER_SECONDS = (0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1200, 1800)
"""From a layer that is there already to a Windows image over a slow line."""
REQUEST_SECONDS = (0.005, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 120)
"""Of requests and passes: from a look on the same node to a stall."""
UPSTREAM = ""
"""The `cache` of a registry that no cache calls its own: an upstream."""


class Metrics:
    """All metrics of one process, in a registry of their own."""

    def __init__(self, version: str, clock: Callable[[], float] = time.monotonic) -> None:
        """`version` is that of the program; the clock counts seconds."""
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._clock = clock
        self._registry = CollectorRegistry()
        self._shown = Shown()
        self._registry.register(self._shown)
        self._caches: dict[str, str] = {}
        """By host of a registry: the cache whose it is."""
        self._told: dict[str, int] = {}
        """By transfer: the bytes of it that are counted already."""
        self._loop()
        self._transfers()
        self._requests()
        self._process(version)

    # -- what is asked of it ----------------------------------------------------------

    def exposition(self) -> tuple[bytes, str]:
        """Body and content type for /metrics; to be called in the event loop."""
        for each in self._shown.look().moving:
            self._count_bytes(each.id, each.way, each.done)
        return prometheus_client.generate_latest(
            self._registry
        ), prometheus_client.CONTENT_TYPE_LATEST

    def show(self, look: Callable[[], GaugeValues]) -> None:
        """Where the state of everything is read at each scrape."""
        self._shown.look = look

    def leads(self, may_act: Callable[[], bool]) -> None:
        """Who is asked at each scrape whether this process is the active one."""
        self._leader.set_function(lambda: float(may_act()))

    # -- Measures: what the controller tells ------------------------------------------

    def passed(self, kind: str, result: PassResult, seconds: float) -> None:
        self._passes.labels(kind, result).inc()
        self._pass_seconds.labels(kind).observe(seconds)

    def transferred(self, ended: Transferred) -> None:
        result = "cut" if ended.is_cut else "failed" if ended.reason else "done"
        self._ended.labels(ended.way, result, ended.reason or "").inc()
        self._count_bytes(ended.id, ended.way, ended.done)
        self._told.pop(ended.id, None)
        if result == "done":
            self._seconds.labels(ended.way).observe(ended.seconds)
        if ended.reason is not None and ended.reason.mark is Mark.INTEGRITY:
            self.damaged(ended.way)

    def fell_back(self, reason: Reason) -> None:
        self._fallbacks.labels(reason).inc()

    def damaged(self, where: str) -> None:
        self._damages.labels(where).inc()

    def drifted(self) -> None:
        self._drifts.inc()

    def relisted(self) -> None:
        self._relists.inc()

    def collected(self, cache: str, freed_bytes: int) -> None:
        self._freed.labels(cache).inc(freed_bytes)

    def heard(self) -> None:
        self._heard_at = self._clock()

    def serves(self, cache: str, host: str | None) -> None:
        if host is not None:
            self._caches[naming.host_of(host)] = cache
            self._freed.labels(cache)
        elif cache in self._caches.values():
            self._caches = {at: name for at, name in self._caches.items() if name != cache}
            self._freed.remove_by_labels({"cache": cache})
            self._registry_seconds.remove_by_labels({"cache": cache})

    # -- Watch: what the leaves tell, from their threads ------------------------------

    def registry_asked(self, asked: RequestDone) -> None:
        """A request to a registry, ours or an upstream."""
        operation = naming.registry_operation(asked.method, asked.path)
        cache = self._caches.get(naming.host_of(asked.host), UPSTREAM)
        labels = (cache, operation, naming.code_of(asked.code))
        self._registry_seconds.labels(*labels).observe(asked.seconds)

    def engine_asked(self, asked: RequestDone) -> None:
        """A request to an engine of a range or a source."""
        operation = naming.engine_operation(asked.method, asked.path)
        self._engine_seconds.labels(operation, naming.code_of(asked.code)).observe(asked.seconds)

    def kube_asked(self, asked: RequestDone) -> None:
        """A call to the Kubernetes API; the watches of kopf are not among them."""
        verb, resource = naming.kube_request(asked.method, asked.path)
        self._kube.labels(verb, resource, naming.code_of(asked.code)).inc()

    # -- the metrics ------------------------------------------------------------------

    def _count_bytes(self, transfer: str, way: Way, done: int) -> None:
        """A counter never goes back: of each transfer what is new since the last time."""
        before = self._told.get(transfer, 0)
        self._told[transfer] = max(before, done)
        self._bytes.labels(way).inc(max(0, done - before))

    def _loop(self) -> None:
        self._passes = self._counter("reconcile", "Passes that ended.", "kind", "result")
        self._pass_seconds = self._histogram(
            "reconcile_duration_seconds", "Duration of a pass.", REQUEST_SECONDS, "kind"
        )
        self._drifts = self._counter(
            "drift_corrections", "Images found removed or retagged in an engine."
        )
        self._fallbacks = self._counter(
            "fallback", "Images sent by tar because the registry route failed.", "reason"
        )
        self._damages = self._counter(
            "integrity_failures",
            "Content that does not match its digest, by who found it.",
            "where",
        )
        for where in (LOOK, *Way):  # an alert on `increase` never sees the first one otherwise
            self._damages.labels(where)

    def _transfers(self) -> None:
        self._ended = self._counter(
            "transfer", "Transfers that ended.", "route", "result", "reason"
        )
        self._seconds = self._histogram(
            "transfer_duration_seconds", "Duration of a transfer.", TRANSFER_SECONDS, "route"
        )
        self._bytes = self._counter(
            "transfer_bytes", "Bytes that transfers moved, or found moved already.", "route"
        )
        for way in Way:
            self._bytes.labels(way)
        self._freed = self._counter(
            "collected_bytes", "Bytes that collections freed on the disk of a registry.", "cache"
        )

    def _requests(self) -> None:
        self._registry_seconds = self._histogram(
            "registry_request_duration_seconds",
            "Time until a registry begins its answer; the cache is empty for an upstream.",
            REQUEST_SECONDS,
            "cache",
            "op",
            "code",
        )
        self._engine_seconds = self._histogram(
            "docker_request_duration_seconds",
            "Time until an engine begins its answer.",
            REQUEST_SECONDS,
            "op",
            "code",
        )
        self._kube = self._counter(
            "kube_requests", "Calls to the Kubernetes API.", "verb", "resource", "code"
        )

    def _process(self, version: str) -> None:
        self._relists = self._counter("watch_restarts", "Watches that had to list again.")
        self._heard_at = self._clock()
        self._gauge(
            "last_event_age_seconds", "Time since the last event of any watch, or the start."
        ).set_function(lambda: self._clock() - self._heard_at)
        self._leader = self._gauge("leader", "1 while this process holds the Lease, else 0.")
        self._gauge("build_info", "Always 1.", "version").labels(version).set(1)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"cyroid_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"cyroid_{name}", text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"cyroid_{name}", text, labels, registry=self._registry, buckets=buckets)
