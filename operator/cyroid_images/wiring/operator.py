"""A running operator: its start in order, what must run for ever, its probes, and its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from enum import IntEnum
from importlib import metadata
from typing import Any
from uuid import uuid4

from cyroid_images.errors import Reason
from cyroid_images.kube import Cluster
from cyroid_images.metrics import Metrics
from cyroid_images.model.event import EventNote
from cyroid_images.probes import Age, Probes
from cyroid_images.reconcile.controller import Controller
from cyroid_images.reconcile.gauges import gauges
from cyroid_images.reconcile.leadership import Leadership
from cyroid_images.report.event_recorder import EventRecorder
from cyroid_images.scheduling.heartbeat import Heartbeat
from cyroid_images.scheduling.supervisor import Supervisor
from cyroid_images.settings import Settings
from cyroid_images.wiring.assembly import assemble
from cyroid_images.wiring.startup import await_kinds, check_rights

_log = logging.getLogger(__name__)

LOOP_SECONDS = 30.0
"""A loop that turns less often does not do its work; it should every few milliseconds."""
LEASE_DURATIONS = 3.0
"""Of the Lease without a renewal; a new process may reach an API server that this one does not."""
STOP_SECONDS = 2.0
"""For the end of tasks that are cancelled: they wait for answers, and nothing else."""
ORDER_SECONDS = 20.0
"""For the end in order of a process that failed; the kubelet would wait ten more."""


class End(IntEnum):
    """Why the process ends at once; its exit code."""

    FAILED = 1
    REPLACED = 3


class Operator:
    """A running operator, as the handlers of kopf see it."""

    def __init__(
        self,
        settings: Settings,
        hide: Callable[[str], None] = lambda _: None,
        probes_at: tuple[str, int] | None = None,
        end: Callable[[str, End], None] = lambda *_: None,
    ) -> None:
        """`hide` is told every secret value that is read (see `logs.Redaction`), `probes_at` is
        host and port to serve probes on, `end` ends the process at once: when another operator
        took over, and when its end in order takes too long."""
        self._settings = settings
        self._me = settings.identity or f"cyroid-operator-{uuid4().hex[:12]}"
        self._hide = hide
        self._probes_at = probes_at
        self._end = end
        self._probes = Probes(self._alive, self._ready, self._exposition)
        self._has_rights = self._has_kinds = False
        self._leadership: Leadership | None = None
        self._heartbeat = Heartbeat()
        self.supervisor = Supervisor(self._failed)
        """Of every task that must run for ever."""
        self.ending = asyncio.Event()
        """Set when this process must end, in order; `failure` says why."""
        self.failure: str | None = None
        self.checks: dict[str, Callable[[], bool | Age]] = {
            "loop": lambda: Age(self._heartbeat.age(), LOOP_SECONDS),
            "lease": self._lease_age,
            "sweep": lambda: self._loop is None or self._loop.has_swept(),
            "threads": lambda: self._loop is None or self._loop.has_threads(),
        }
        """What /healthz shows, by name; every one of them must hold."""
        self._cluster: Cluster | None = None
        self._loop: Controller | None = None
        self.metrics = Metrics(_version())

    async def start(self) -> None:
        """Connect, wait for the turn of this operator, and begin.

        Raises ApiUnavailable without a way to the Kubernetes API, AccessDenied that names every
        missing right.
        """
        settings = self._settings
        self.supervisor.start("heartbeat", self._heartbeat.run())
        try:
            if self._probes_at is not None:
                await self._probes.serve(*self._probes_at)
            self._cluster = await Cluster.connect(
                namespace=settings.namespace,
                instance=self._me,
                kubeconfig=settings.kubeconfig,
                on_request=self.metrics.kube_asked,
            )
            await check_rights(self._cluster)
            self._has_rights = True
            leader, recorder = await self._lead(self._cluster)
            await self._work(self._cluster, recorder, leader)
        except BaseException as exc:
            if isinstance(exc, Exception):
                self.failure = str(exc) or type(exc).__name__
            await self.stop()  # which kopf calls only after a start that succeeded
            raise

    async def _work(self, cluster: Cluster, recorder: EventRecorder, leader: Leadership) -> None:
        """Be the active operator."""
        settings = self._settings
        await await_kinds(cluster)
        self._has_kinds = True
        parts = assemble(settings, cluster, recorder, self._hide, self.metrics)
        self.metrics.show(lambda: gauges(parts))
        self._loop = Controller(
            parts,
            cluster,
            Supervisor(self._failed),
            workers=settings.max_passes,
            sweep_seconds=settings.sweep_seconds,
            may_act=leader.may_act,
        )
        await self._loop.start()

    async def stop(self) -> None:
        """Cut what runs, give the Lease back, and close the connection to the API."""
        self.ending.set()  # also for kopf, which would wait 5 s for who waits for it
        try:
            if self._loop is not None:
                await self._loop.stop()
        finally:
            await self._step_down()
            if self._cluster is not None:
                await self._cluster.close()
            await self._probes.close()

    async def _lead(self, cluster: Cluster) -> tuple[Leadership, EventRecorder]:
        """Wait until this is the active operator, which may record events."""
        me = self._me
        leadership = self._leadership = Leadership(cluster, me, self._settings.lease_seconds)
        self.metrics.leads(leadership.may_act)
        await leadership.take()
        cluster.let_write(leadership.may_act)
        self.supervisor.start("lease keeper", leadership.keep(self._lost))
        recorder = EventRecorder(cluster.emit)
        self.supervisor.start("event recorder", recorder.run())
        if leadership.lease is not None:
            recorder.tell(
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
        _log.info("became the active operator: %s", me)
        return leadership, recorder

    def _lost(self, holder: str) -> None:
        self._end(f"lost the Lease to another operator: {holder}", End.REPLACED)

    def _failed(self, why: str) -> None:
        """A task that must run for ever has ended: so does the process, in order if it can."""
        self.failure = why
        self.ending.set()
        asyncio.get_running_loop().call_later(ORDER_SECONDS, self._end, why, End.FAILED)

    async def _step_down(self) -> None:
        await self.supervisor.stop(STOP_SECONDS)
        if self._leadership is not None:
            await self._leadership.release()

    def _alive(self) -> Mapping[str, bool | Age]:
        return {name: check() for name, check in self.checks.items()}

    def _lease_age(self) -> Age:
        """Nothing is written without it, so a leader that cannot renew it does nothing at all."""
        age = self._leadership.age() if self._leadership is not None else 0.0
        return Age(age, LEASE_DURATIONS * self._settings.lease_seconds)

    def _ready(self) -> Mapping[str, bool | Age]:
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


def _version() -> str:
    try:
        return metadata.version("cyroid-images")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "unknown"
