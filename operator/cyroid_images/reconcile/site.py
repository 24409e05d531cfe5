"""What all passes share: the world, the board, the queue, the threads, the ports."""

from __future__ import annotations

from dataclasses import dataclass, field

from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.knowledge import HeldByUpstream, UpstreamAsk
from cyroid_images.model.platform import Platform
from cyroid_images.reconcile.board import Board
from cyroid_images.reconcile.gates import Gates
from cyroid_images.reconcile.jobs import Jobs
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.looks import Looks
from cyroid_images.reconcile.measures import Measures, Unmeasured
from cyroid_images.reconcile.pool import Pool
from cyroid_images.reconcile.ports import Clock, Movers, Registries, Secrets
from cyroid_images.reconcile.queue import WorkQueue
from cyroid_images.reconcile.reporter import Reporter
from cyroid_images.reconcile.world import World


@dataclass(frozen=True, slots=True)
class Site:
    """Made once by wiring; each reconciler takes what it needs from here."""

    world: World
    board: Board
    queue: WorkQueue[Key]
    jobs: Jobs
    looks: Looks[EngineEndpoint, EngineView]
    archives: Looks[str, ArchiveView]
    upstreams: Looks[UpstreamAsk, HeldByUpstream | None]
    asking: Pool
    """Threads for short questions to the registry."""
    reporter: Reporter
    gates: Gates
    registries: Registries
    movers: Movers
    secrets: Secrets
    clock: Clock
    client_secret: str
    """Name of the Secret with the client certificate for range engines."""
    platform: Platform
    """The operator's own: meant where an upstream or archive has several and nobody chose."""
    measures: Measures = field(default_factory=Unmeasured)
