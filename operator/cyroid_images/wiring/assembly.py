"""Joins the leaves to the controller: the only module that knows everything."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from cyroid_images.archive.library import Archives
from cyroid_images.kube import Cluster
from cyroid_images.metrics import Metrics
from cyroid_images.model.telemetry.request_observer import RequestObservers
from cyroid_images.plan.limits import RangeLimits
from cyroid_images.reconcile.parts import Parts, join
from cyroid_images.reconcile.ports import Lookers, Ports, Sizes
from cyroid_images.report.ports import Recorder
from cyroid_images.report.transfers import tell_transfer
from cyroid_images.scheduling.computing import Computing
from cyroid_images.scheduling.fair_turns import Limit
from cyroid_images.settings import Settings
from cyroid_images.transfer.known_contents import KnownContents
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.wiring.clock import SystemClock
from cyroid_images.wiring.lookers import (
    OWN_PLATFORM,
    ArchiveLooker,
    EngineLooker,
    ImageLooker,
    RegistryLooker,
    UpstreamLooker,
    UpstreamRegistries,
)
from cyroid_images.wiring.movers import Transfers
from cyroid_images.wiring.secrets import ClusterSecrets
from cyroid_images.wiring.watchers import EngineWatcher

NOWHERE = Path("/archives")
"""Where a chart mounts archives; without a volume nothing there is ever asked for."""


def sizes(settings: Settings) -> Sizes:
    """Threads and limits: of each, one namespace or cache has half at most.

    What a setting gives is what one party may have; there is twice as much in all, so that
    a single namespace loses nothing to others that are not there.
    """
    return Sizes(
        range_engines=64,
        source_engines=8,
        archives=8,
        upstreams=16,
        registries=32,
        limits={
            "pulls": _doubled(settings.max_transfers),
            "bytes": _doubled(settings.max_transfers),
            "tidy": Limit(16, 8),
            "removal": Limit.whole(1),
            "engine": Limit.whole(settings.max_transfers_per_engine),
            "source": _doubled(settings.max_pushes_per_source),
            "upstream": _doubled(settings.max_pushes_per_source),
            "archive": _doubled(settings.max_pushes_per_source),
            "registry": _doubled(settings.max_fills_per_registry),
        },
    )


def assemble(
    settings: Settings,
    cluster: Cluster,
    recorder: Recorder,
    hide: Callable[[str], None],
    metrics: Metrics,
) -> Parts:
    """Everything that the controller drives; `hide` is told every secret that is read."""
    known, contents = KnownLayers(), KnownContents()
    on_requests = RequestObservers(metrics.engine_asked, metrics.registry_asked)
    secrets = ClusterSecrets(cluster, hide)
    upstreams = UpstreamRegistries(on_requests.registries)
    archives = Archives(settings.archives) if settings.archives else None
    lookers = Lookers(
        range_engines=EngineLooker(secrets, on_requests.engines, contents),
        source_engines=EngineLooker(secrets, on_requests.engines),
        archives=ArchiveLooker(archives),
        upstreams=UpstreamLooker(secrets, upstreams),
        registries=RegistryLooker(secrets, on_requests.registries),
        images=ImageLooker(secrets, known, contents, on_requests.registries),
        source_events=EngineWatcher(secrets, on_requests.engines),
    )
    ports = Ports(
        lookers=lookers,
        movers=Transfers(known, upstreams, archives or Archives(NOWHERE), on_requests),
        api=cluster,
        recorder=recorder,
        clock=SystemClock(),
        measures=metrics,
        told=partial(tell_transfer, metrics),
        client_secret=settings.docker_client_secret,
        platform=OWN_PLATFORM,
        range_limits=RangeLimits(
            stall=settings.max_stall_seconds,
            total=settings.max_total_seconds,
            interval=settings.min_interval_seconds,
        ),
        computing=Computing(),
    )
    return join(ports, sizes(settings))


def _doubled(share: int) -> Limit:
    return Limit(2 * share, share)
