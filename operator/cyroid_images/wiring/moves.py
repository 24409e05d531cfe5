"""The moves behind the port Movers: each given its leaves and what watches over it."""

from __future__ import annotations

from cyroid_images.archive.library import Archives
from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.model.actions import Copy, Load, Pull, Push, Untag
from cyroid_images.model.cancellation import Cancellation
from cyroid_images.model.knowledge import HeldByUpstream, Stored
from cyroid_images.model.progress import Observer
from cyroid_images.model.pushed import Pushed
from cyroid_images.registry.client import Registry
from cyroid_images.transfer import load, pull, push
from cyroid_images.transfer.copy_archive import copy_archive
from cyroid_images.transfer.copy_upstream import copy_upstream
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.wiring.looks import Upstreams


class Transfers:
    """The port Movers."""

    def __init__(self, known: KnownLayers, upstreams: Upstreams, archives: Archives) -> None:
        self._known = known
        self._upstreams = upstreams
        self._archives = archives

    def push(self, action: Push, cancellation: Cancellation, observer: Observer) -> Pushed:
        under = Supervision(StreamLimits(), observer, cancellation)
        with Registry(action.to.registry) as registry:
            engine = Engine(action.source.endpoint)
            return push.push(action, engine, registry, self._known, under)

    def copy(self, action: Copy, cancellation: Cancellation, observer: Observer) -> Stored:
        under = Supervision(StreamLimits(), observer, cancellation)
        source = action.source
        with Registry(action.to.registry) as registry:
            if isinstance(source, HeldByUpstream):
                upstream = self._upstreams.registry(source.upstream)
                return copy_upstream(action, upstream, registry, self._known, under)
            return copy_archive(action, self._archives, registry, self._known, under)

    def pull(
        self, action: Pull, stall_seconds: float, cancellation: Cancellation, observer: Observer
    ) -> None:
        under = Supervision(StreamLimits(stall_seconds=stall_seconds), observer, cancellation)
        pull.pull(action, Engine(action.target.endpoint), under)

    def load(
        self, action: Load, stall_seconds: float, cancellation: Cancellation, observer: Observer
    ) -> None:
        under = Supervision(StreamLimits(stall_seconds=stall_seconds), observer, cancellation)
        load.load(action, Engine(action.target.endpoint), under, self._archives)

    def untag(self, action: Untag) -> None:
        engine = Engine(action.endpoint)
        for name in action.names:
            engine.untag(name)
