"""What Prometheus sees of a whole operator: a delivery, a failure, a fallback, a deletion."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import kopf
import pytest

from cyroid_images import handlers
from cyroid_images.settings import Settings
from cyroid_images.wiring.operator import Operator
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE
from tests.parts.operator import IDENTITY
from tests.parts.registry import NewRegistry
from tests.parts.site import Site

pytestmark = pytest.mark.slow


class Scraped:
    """The operator in a thread of the test, so that its metrics can be read."""

    def __init__(self, kubeconfig: Path) -> None:
        settings = Settings(namespace=OWN_NAMESPACE, kubeconfig=kubeconfig, identity=IDENTITY)
        self._operator = Operator(settings)
        self._event_loop = asyncio.new_event_loop()
        self._stop, self._ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="operator")

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)

    def samples(self) -> dict[str, float]:
        """Every sample by its line without the prefix."""
        body, _ = asyncio.run_coroutine_threadsafe(self._scrape(), self._event_loop).result(10)
        lines = [line for line in body.decode().splitlines() if not line.startswith("#")]
        pairs = [line.removeprefix("cyroid_").rsplit(" ", 1) for line in lines]
        return {name: float(value) for name, value in pairs}

    async def _scrape(self) -> tuple[bytes, str]:
        return self._operator.metrics.exposition()

    def _run(self) -> None:
        registry = kopf.OperatorRegistry()
        handlers.register(registry, self._operator)
        asyncio.set_event_loop(self._event_loop)
        running = kopf.operator(
            registry=registry,
            settings=kopf.OperatorSettings(),
            clusterwide=True,
            identity="cyroid-operator",  # type: ignore[arg-type] # a NewType kopf does not export
            stop_flag=self._stop,
            ready_flag=self._ready,
        )
        with contextlib.closing(self._event_loop):
            self._event_loop.run_until_complete(running)


@pytest.fixture
def scraped(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scraped]:
    """Instead of the operator of the session, with the same rights."""
    site.operator.stop()
    kubeconfig = site.operator.kubeconfig
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    part = Scraped(kubeconfig)
    part.start()
    yield part
    part.stop()


def test_a_scrape_tells_of_a_delivery_a_failure_a_fallback_and_a_deletion(
    site: Site, scraped: Scraped, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry = new_registry()
    site.cache(registry)
    site.serve("one", containerd_engine, [site.image("one:1")])
    site.until("one", Ready="True")
    site.until_cache(Ready="True")

    found = scraped.samples()
    ranges = f'kind="RangeImages",name="one",namespace="{site.name}"'
    assert found[f"resource_ready{{{ranges}}}"] == 1
    assert found[f'registry_up{{cache="{site.name}"}}'] == 1
    assert found['transfer_total{reason="",result="done",route="stream"}'] == 1
    assert found['transfer_total{reason="",result="done",route="pull"}'] == 1
    assert found['transfer_bytes_total{route="stream"}'] > 100_000
    assert found['targets{state="ready"}'] == 1
    assert found["insecure_endpoints"] == 3
    asked = "registry_request_duration_seconds_count"
    assert found[f'{asked}{{cache="{site.name}",code="201",op="put-manifest"}}'] >= 1
    assert found['docker_request_duration_seconds_count{code="200",op="pull"}'] == 1
    assert found['kube_requests_total{code="200",resource="rangeimages/status",verb="patch"}'] >= 1

    site.edit_cache(registry={"pullHost": registry.outer_pull_host})  # which the engine mistrusts
    site.serve("two", containerd_engine, [site.image("two:1", 2)])
    site.until("two", Ready="True", TarFallback="True/RegistryNotTrusted")

    found = scraped.samples()
    failed = 'transfer_total{reason="RegistryNotTrusted",result="failed",route="pull"}'
    assert found[failed] == 1
    assert found['fallback_total{reason="RegistryNotTrusted"}'] == 1
    assert found['transfer_total{reason="",result="done",route="tar"}'] == 1
    assert found['transfers_in_progress{route="tar"}'] == 0

    site.delete("one")
    wait_for(lambda: f"resource_ready{{{ranges}}}" not in scraped.samples(), "its series to go", 10)
    site.remove_all()
    wait_for(lambda: site.name not in str(scraped.samples()), "every series to go", 10)
