"""What carries out transfers, behind the port Movers: each is given its leaves and its bounds."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.archive.library import Archives
from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.model.actions import Collect, Copy, Fill, Load, Pull, Push, Remove, Untag
from cyroid_images.model.collected import Collected
from cyroid_images.model.engine import EngineEndpoint, FoundImages
from cyroid_images.model.knowledge import HeldByUpstream, Stored
from cyroid_images.model.pushed import Pushed
from cyroid_images.model.removal import Removed
from cyroid_images.model.telemetry.progress import ProgressObserver
from cyroid_images.model.telemetry.request_observer import RequestObservers
from cyroid_images.registry.client import RegistryClient
from cyroid_images.registry.collector import CollectorClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.transfer import load, lookup, pull, push
from cyroid_images.transfer.collect import collect
from cyroid_images.transfer.copy_archive import copy_archive
from cyroid_images.transfer.copy_upstream import copy_upstream
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.remove_tag import remove_tag
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.wiring.lookers import UpstreamRegistries


class Transfers:
    """The port Movers."""

    def __init__(
        self,
        known: KnownLayers,
        upstreams: UpstreamRegistries,
        archives: Archives,
        on_requests: RequestObservers,
    ) -> None:
        self._known = known
        self._upstreams = upstreams
        self._archives = archives
        self._on_requests = on_requests

    def push(self, action: Push, cancellation: CancelScope, observer: ProgressObserver) -> Pushed:
        under = Supervision(StreamLimits(), observer, cancellation, self._on_requests)
        with self._registry(action) as registry:
            engine = self._engine(action.source.endpoint)
            pushed = push.push(action, engine, registry, self._known, under)
            return replace(pushed, stored=_read_back(action, registry, pushed.stored, under))

    def copy(self, action: Copy, cancellation: CancelScope, observer: ProgressObserver) -> Stored:
        under = Supervision(StreamLimits(), observer, cancellation, self._on_requests)
        source = action.source
        with self._registry(action) as registry:
            if isinstance(source, HeldByUpstream):
                upstream = self._upstreams.registry(source.upstream)
                stored = copy_upstream(action, upstream, registry, self._known, under)
            else:
                stored = copy_archive(action, self._archives, registry, self._known, under)
            return _read_back(action, registry, stored, under)

    def pull(
        self,
        action: Pull,
        stall_seconds: float,
        cancellation: CancelScope,
        observer: ProgressObserver,
    ) -> FoundImages:
        limits = StreamLimits(stall_seconds=stall_seconds)
        under = Supervision(limits, observer, cancellation, self._on_requests)
        return pull.pull(action, self._engine(action.target.endpoint), under)

    def load(
        self,
        action: Load,
        stall_seconds: float,
        cancellation: CancelScope,
        observer: ProgressObserver,
    ) -> FoundImages:
        limits = StreamLimits(stall_seconds=stall_seconds)
        under = Supervision(limits, observer, cancellation, self._on_requests)
        return load.load(action, self._engine(action.target.endpoint), under, self._archives)

    def remove(self, action: Remove, cancellation: CancelScope) -> Removed:
        on_request = self._on_requests.registries
        with RegistryClient(action.registry, on_request=on_request) as registry:
            return remove_tag(action, registry, cancellation)

    def untag(self, action: Untag, cancellation: CancelScope) -> None:
        engine = self._engine(action.endpoint)
        for name in action.names:
            cancellation.raise_if_cancelled()
            engine.untag(name)

    def collect(self, action: Collect, cancellation: CancelScope) -> Collected:
        observed = self._on_requests.registries
        return collect(action, CollectorClient(action.collector, on_request=observed), cancellation)

    def _engine(self, endpoint: EngineEndpoint) -> Engine:
        return Engine(endpoint, on_request=self._on_requests.engines)

    def _registry(self, fill: Fill) -> RegistryClient:
        return RegistryClient(fill.to.registry, on_request=self._on_requests.registries)


def _read_back(fill: Fill, registry: RegistryClient, stored: Stored, under: Supervision) -> Stored:
    """The same, every byte of it proven where an engine was given others."""
    if fill.to.is_doubted:
        lookup.verify_content(registry, stored, under.cancellation)
    return stored
