"""Joins the leaves to the loop: the only module that knows everything."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from cyroid_images.archive.library import Archives
from cyroid_images.errors import Reason
from cyroid_images.kube import Cluster
from cyroid_images.metrics import Metrics
from cyroid_images.model.fault import Fault
from cyroid_images.model.watching import Watches
from cyroid_images.reconcile.board import Board
from cyroid_images.reconcile.gates import Gates
from cyroid_images.reconcile.jobs import Jobs
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.looks import Looks
from cyroid_images.reconcile.loop import Loop, pools
from cyroid_images.reconcile.queue import WorkQueue
from cyroid_images.reconcile.reporter import Reporter
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.snapshot import snapshot
from cyroid_images.reconcile.world import World
from cyroid_images.settings import Settings
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.wiring.clock import SystemClock
from cyroid_images.wiring.looks import (
    OWN_PLATFORM,
    ArchiveLooks,
    EngineLooks,
    RegistryLooks,
    Upstreams,
)
from cyroid_images.wiring.moves import Transfers
from cyroid_images.wiring.secrets import ClusterSecrets

NOWHERE = Path("/archives")
"""Where a chart mounts archives; without a volume nothing there is ever asked for."""
_READING = Fault(Reason.PROGRESSING, "its archives are being read")
_ASKING = Fault(Reason.PROGRESSING, "it has not answered yet")


class Operator:
    """A running operator, as the handlers of kopf see it."""

    def __init__(self, settings: Settings, hide: Callable[[str], None] = lambda _: None) -> None:
        """`hide` is told every secret value that is read; see `logs.Redaction`."""
        self._settings = settings
        self._hide = hide
        self._cluster: Cluster | None = None
        self._loop: Loop | None = None
        self.metrics = Metrics(_version())

    async def start(self) -> None:
        """Connect and begin; raises ApiUnavailable without a way to the Kubernetes API."""
        settings = self._settings
        self._cluster = await Cluster.connect(
            namespace=settings.namespace,
            kubeconfig=settings.kubeconfig,
            watch=self.metrics.kube_asked,
        )
        site = _site(settings, self._cluster, self._hide, self.metrics)
        self.metrics.show(lambda: snapshot(site))
        self._loop = Loop(
            site,
            self._cluster,
            workers=settings.max_passes,
            sweep_seconds=settings.sweep_seconds,
        )
        await self._loop.start()

    async def stop(self) -> None:
        """Cut what runs and let go of the cluster."""
        if self._loop is not None:
            await self._loop.stop()
        if self._cluster is not None:
            await self._cluster.close()

    def changed(self, kind: str, event_type: str | None, body: Mapping[str, Any]) -> None:
        if self._loop is not None:
            self._loop.changed(kind, event_type, body)

    def is_alive(self) -> bool:
        return self._loop is None or self._loop.is_alive()


def _version() -> str:
    try:
        return metadata.version("cyroid-images")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"


def _site(
    settings: Settings, cluster: Cluster, hide: Callable[[str], None], metrics: Metrics
) -> Site:
    moving, looking, asking = pools(settings.max_transfers)
    world, queue, known, clock = World(), WorkQueue[Key](), KnownLayers(), SystemClock()
    watches = Watches(metrics.engine_asked, metrics.registry_asked)
    upstreams = Upstreams(watches.registries)
    archives = Archives(settings.archives) if settings.archives else None
    limits = {
        "all": settings.max_transfers,
        "engine": settings.max_transfers_per_engine,
        "source": settings.max_pushes_per_source,
        "upstream": settings.max_pushes_per_source,
        "archive": settings.max_pushes_per_source,
        "registry": settings.max_fills_per_registry,
    }

    def wake(owner: Hashable) -> None:
        if isinstance(owner, Key):
            queue.wake(owner)

    return Site(
        world=world,
        board=Board(),
        queue=queue,
        jobs=Jobs(moving, limits, wake, metrics),
        looks=Looks(EngineLooks(watches.engines).look, looking, wake),
        archives=Looks(ArchiveLooks(archives).look, looking, wake, _READING),
        upstreams=Looks(upstreams.find, asking, wake, _ASKING),
        asking=asking,
        reporter=Reporter(cluster, world),
        gates=Gates(cluster, world, clock),
        registries=RegistryLooks(known, watches.registries),
        movers=Transfers(known, upstreams, archives or Archives(NOWHERE), watches),
        secrets=ClusterSecrets(cluster, hide),
        clock=clock,
        client_secret=settings.docker_client_secret,
        platform=OWN_PLATFORM,
        measures=metrics,
    )
