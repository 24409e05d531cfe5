"""Joins the leaves to the loop: the only module that knows everything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

from cyroid_images.archive.library import Archives
from cyroid_images.errors import Reason
from cyroid_images.kube import Cluster
from cyroid_images.metrics import Metrics
from cyroid_images.model.event import EventNote
from cyroid_images.model.fault import Fault
from cyroid_images.model.request_observer import RequestObservers as Watches
from cyroid_images.probes import Probes
from cyroid_images.reconcile.board import Board
from cyroid_images.reconcile.gates import Gates
from cyroid_images.reconcile.jobs import Jobs
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.leadership import Leadership
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
from cyroid_images.wiring.startup import await_kinds, check_rights

_log = logging.getLogger(__name__)

NOWHERE = Path("/archives")
"""Where a chart mounts archives; without a volume nothing there is ever asked for."""
_READING = Fault(Reason.PROGRESSING, "its archives are being read")
_ASKING = Fault(Reason.PROGRESSING, "it has not answered yet")


class Operator:
    """A running operator, as the handlers of kopf see it."""

    def __init__(
        self,
        settings: Settings,
        hide: Callable[[str], None] = lambda _: None,
        probes_at: tuple[str, int] | None = None,
        end: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`hide` is told every secret value that is read (see `logs.Redaction`), `probes_at` is
        host and port to serve probes on, `end` is called when another operator took over."""
        self._settings = settings
        self._hide = hide
        self._probes_at = probes_at
        self._end = end
        self._probes = Probes(self._alive, self._ready, self._exposition)
        self._has_rights = self._has_kinds = False
        self._leadership: Leadership | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._cluster: Cluster | None = None
        self._loop: Loop | None = None
        self.metrics = Metrics(_version())

    async def start(self) -> None:
        """Connect, wait for the turn of this operator, and begin.

        Raises ApiUnavailable without a way to the Kubernetes API, AccessDenied that names every
        missing right.
        """
        settings = self._settings
        if self._probes_at is not None:
            await self._probes.serve(*self._probes_at)
        self._cluster = await Cluster.connect(
            namespace=settings.namespace,
            kubeconfig=settings.kubeconfig,
            watch=self.metrics.kube_asked,
        )
        await check_rights(self._cluster, settings.namespace)
        self._has_rights = True
        await self._lead(self._cluster)
        try:
            await self._work(self._cluster)
        except BaseException:
            await self._step_down()
            raise

    async def _work(self, cluster: Cluster) -> None:
        """Be the active operator."""
        settings, leadership = self._settings, self._leadership
        await await_kinds(cluster)
        self._has_kinds = True
        site = _site(settings, cluster, self._hide, self.metrics)
        self.metrics.show(lambda: snapshot(site))
        self._loop = Loop(
            site,
            cluster,
            workers=settings.max_passes,
            sweep_seconds=settings.sweep_seconds,
            may_act=leadership.may_act if leadership else lambda: True,
        )
        await self._loop.start()

    async def stop(self) -> None:
        """Cut what runs, give the Lease back, and let go of the cluster."""
        if self._loop is not None:
            await self._loop.stop()
        await self._step_down()
        if self._cluster is not None:
            await self._cluster.close()
        await self._probes.close()

    async def _lead(self, cluster: Cluster) -> None:
        """Wait until this is the active operator."""
        me = self._settings.identity or f"cyroid-operator-{uuid4().hex[:12]}"
        leadership = self._leadership = Leadership(cluster, me, self._settings.lease_seconds)
        await leadership.take()
        cluster.let_write(leadership.may_act)
        self.metrics.leading(True)  # noqa: FBT003 - its only parameter
        self._keeping = asyncio.create_task(leadership.keep(self._lost))
        if leadership.lease is not None:
            await cluster.emit(
                EventNote(
                    kind="Lease",
                    namespace=self._settings.namespace,
                    name="cyroid-operator",
                    uid=leadership.lease.uid,
                    reason=Reason.LEADER_ELECTED,
                    message=f"{me} is the active operator",
                    key=me,
                )
            )
        _log.info("this is the active operator: %s", me)

    def _lost(self, holder: str) -> None:
        self.metrics.leading(False)  # noqa: FBT003 - its only parameter
        self._end(f"another operator took the Lease: {holder}")

    async def _step_down(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
        if self._leadership is not None:
            self.metrics.leading(False)  # noqa: FBT003 - its only parameter
            await self._leadership.release()

    def _alive(self) -> Mapping[str, bool]:
        return {"loop": self.is_alive()}

    def _ready(self) -> Mapping[str, bool]:
        """A second operator that waits for the Lease is as ready as it can be."""
        leadership = self._leadership
        waits = leadership is not None and leadership.has_tried and leadership.lease is None
        return {
            "rights": self._has_rights,
            "lease": leadership is not None and leadership.has_tried,
            "kinds": self._has_kinds or waits,
        }

    def _exposition(self) -> tuple[bytes, str]:
        return self.metrics.exposition()

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
