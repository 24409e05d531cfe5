"""Joins the leaves to the loop: the only module that knows everything."""

from __future__ import annotations

import random
import time
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from typing import Any

from cyroid_images.engine import Engine, StreamLimits
from cyroid_images.errors import AccessDenied, ApiUnavailable, Reason, TransferError
from cyroid_images.kube import Cluster
from cyroid_images.model.actions import Load, Pull, Push, Untag
from cyroid_images.model.cancellation import Cancellation
from cyroid_images.model.digest import Digest
from cyroid_images.model.engine import ClientTLS, EngineEndpoint, EngineView
from cyroid_images.model.image import ImageContent
from cyroid_images.model.knowledge import Place, Stored, Wanted
from cyroid_images.model.progress import Observer
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.reconcile.board import Board
from cyroid_images.reconcile.jobs import Jobs
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.looks import Looks
from cyroid_images.reconcile.loop import Loop, pools
from cyroid_images.reconcile.queue import WorkQueue
from cyroid_images.reconcile.reporter import Reporter
from cyroid_images.reconcile.site import Site
from cyroid_images.reconcile.world import World
from cyroid_images.registry.client import Registry
from cyroid_images.settings import Settings
from cyroid_images.transfer import load, lookup, pull, push
from cyroid_images.transfer.supervision import Supervision

SECRET_SECONDS = 30.0
"""Secrets are read by name, without a watch: a changed one is seen within this time."""
MOST_ENGINES = 4096
"""Engines whose image contents are remembered between looks; the oldest are forgotten."""


class Operator:
    """A running operator, as the handlers of kopf see it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._cluster: Cluster | None = None
        self._loop: Loop | None = None

    async def start(self) -> None:
        """Connect and begin; raises ApiUnavailable without a way to the Kubernetes API."""
        settings = self._settings
        self._cluster = await Cluster.connect(
            namespace=settings.namespace, kubeconfig=settings.kubeconfig
        )
        self._loop = Loop(
            _site(settings, self._cluster),
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


def _site(settings: Settings, cluster: Cluster) -> Site:
    moving, looking, asking = pools(settings.max_transfers)
    world, queue = World(), WorkQueue[Key]()
    limits = {
        "all": settings.max_transfers,
        "engine": settings.max_transfers_per_engine,
        "source": settings.max_pushes_per_source,
    }

    def wake(owner: Hashable) -> None:
        if isinstance(owner, Key):
            queue.wake(owner)

    return Site(
        world=world,
        board=Board(),
        queue=queue,
        jobs=Jobs(moving, limits, wake),
        looks=Looks(EngineLooks(), looking, wake),
        asking=asking,
        reporter=Reporter(cluster, world),
        registries=RegistryLooks(),
        movers=Transfers(),
        secrets=ClusterSecrets(cluster),
        clock=SystemClock(),
        client_secret=settings.docker_client_secret,
    )


class SystemClock:
    """The port Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def spread(self) -> float:
        return random.uniform(-1, 1)  # noqa: S311 - keeps retries apart, guards nothing


class EngineLooks:
    """The port Engines; remembers contents by image ID, which names them for good."""

    def __init__(self) -> None:
        self._known: dict[str, Mapping[Digest, ImageContent]] = {}

    def look(self, endpoint: EngineEndpoint) -> EngineView:
        engine = Engine(endpoint)
        info = engine.info()
        view = engine.view(info, self._known.pop(info.id, {}))
        images = (*view.images.values(), *view.by_digest.values())
        self._known[info.id] = {image.id: image.content for image in images}
        while len(self._known) > MOST_ENGINES:
            self._known.pop(next(iter(self._known)), None)
        return view


class RegistryLooks:
    """The port Registries."""

    def ping(self, endpoint: RegistryEndpoint) -> None:
        with Registry(endpoint) as registry:
            registry.ping()

    def find(self, endpoint: RegistryEndpoint, place: Place, wanted: Wanted) -> Stored | None:
        with Registry(endpoint) as registry:
            return lookup.find(registry, place, wanted)

    def holds(self, endpoint: RegistryEndpoint, stored: Stored) -> bool:
        with Registry(endpoint) as registry:
            return registry.has_manifest(stored.repository, stored.manifest.digest)


class Transfers:
    """The port Movers."""

    def push(self, action: Push, cancellation: Cancellation, observer: Observer) -> Stored:
        with Registry(action.to.registry) as registry:
            under = Supervision(StreamLimits(), observer, cancellation)
            return push.push(action, Engine(action.source.endpoint), registry, under)

    def pull(
        self, action: Pull, stall_seconds: float, cancellation: Cancellation, observer: Observer
    ) -> None:
        under = Supervision(StreamLimits(stall_seconds=stall_seconds), observer, cancellation)
        pull.pull(action, Engine(action.target.endpoint), under)

    def load(
        self, action: Load, stall_seconds: float, cancellation: Cancellation, observer: Observer
    ) -> None:
        under = Supervision(StreamLimits(stall_seconds=stall_seconds), observer, cancellation)
        load.load(action, Engine(action.target.endpoint), under)

    def untag(self, action: Untag) -> None:
        engine = Engine(action.target.endpoint)
        for name in action.names:
            engine.untag(name)


class ClusterSecrets:
    """The port Secrets: by name, from the operator's own namespace, read at use."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._read: dict[str, tuple[float, Mapping[str, bytes] | None]] = {}

    async def credentials(self, name: str) -> Credentials:
        username, password = await self._keys(name, "username", "password")
        return Credentials(username, password)

    async def authority(self, name: str) -> str:
        (ca,) = await self._keys(name, "ca.crt")
        return ca

    async def client_tls(self, name: str, server_name: str) -> ClientTLS:
        ca, certificate, key = await self._keys(name, "ca.crt", "tls.crt", "tls.key")
        return ClientTLS(ca, certificate, key, server_name)

    async def _keys(self, name: str, *keys: str) -> list[str]:
        data = await self._secret(name)
        if data is None:
            raise TransferError(
                Reason.SECRET_MISSING, f"there is no Secret {name} in the operator's namespace"
            )
        missing = [key for key in keys if key not in data]
        if missing:
            raise TransferError(
                Reason.SECRET_MISSING, f"Secret {name} lacks the key {', '.join(missing)}"
            )
        return [data[key].decode("utf-8", "replace") for key in keys]

    async def _secret(self, name: str) -> Mapping[str, bytes] | None:
        read, data = self._read.get(name, (0.0, None))
        if read and time.monotonic() - read < SECRET_SECONDS:
            return data
        try:
            data = await self._cluster.secret(name)
        except AccessDenied as exc:
            raise TransferError(Reason.RBAC_DENIED, f"Secret {name}: {exc}") from exc
        except ApiUnavailable as exc:
            raise TransferError(Reason.TIMEOUT, f"Secret {name} cannot be read: {exc}") from exc
        self._read[name] = (time.monotonic(), data)
        return data
