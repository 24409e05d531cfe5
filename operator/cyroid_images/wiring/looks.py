"""Looks at engines, archives, upstreams and our registry: the leaves behind the ports."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from cyroid_images.archive.library import Archives
from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.digest import Digest
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.image import ImageContent
from cyroid_images.model.knowledge import Held, HeldByUpstream, Place, Stored, UpstreamAsk, Wanted
from cyroid_images.model.platform import Platform
from cyroid_images.model.registry import RegistryEndpoint, UpstreamEndpoint
from cyroid_images.model.request_observer import RequestObserver as Watch
from cyroid_images.registry.client import RegistryClient as Registry
from cyroid_images.transfer import lookup
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.upstream import find_upstream, upstream_registry

MOST_UPSTREAMS = 256
"""Upstream endpoints whose tokens are remembered: other credentials are another endpoint."""
MOST_ENGINES = 4096
"""Engines whose image contents are remembered between looks; the oldest are forgotten."""

OWN_PLATFORM = Platform.of(
    "linux", {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()), ""
)
"""That of the node we run on."""


class EngineLooks:
    """The port Engines; remembers contents by image ID, which names them for good."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._known: dict[str, Mapping[Digest, ImageContent]] = {}

    def look(self, endpoint: EngineEndpoint) -> EngineView:
        engine = Engine(endpoint, watch=self._watch)
        info = engine.info()
        view = engine.view(info, self._known.pop(info.id, {}))
        self._known[info.id] = view.contents
        while len(self._known) > MOST_ENGINES:
            self._known.pop(next(iter(self._known)), None)
        return view


class ArchiveLooks:
    """The port Archives; without an archive volume every path is missing."""

    def __init__(self, archives: Archives | None) -> None:
        self._archives = archives

    def look(self, path: str) -> ArchiveView:
        if self._archives is None:
            raise no_archives(path)
        return self._archives.look(path)


def no_archives(path: str) -> TransferError:
    """Why nothing can be read at this path."""
    return TransferError(
        Reason.ARCHIVE_MISSING,
        f"{path}: the operator has no archive volume (operator.archives of the chart)",
    )


class Upstreams:
    """The port Upstreams; one Registry per endpoint, since it remembers its tokens."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._registries: dict[UpstreamEndpoint, Registry] = {}

    def find(self, ask: UpstreamAsk) -> HeldByUpstream | None:
        return find_upstream(self.registry(ask.upstream), ask, OWN_PLATFORM)

    def registry(self, upstream: UpstreamEndpoint) -> Registry:
        """The registry behind an upstream, the same one each time."""
        new = upstream_registry(upstream, watch=self._watch)
        registry = self._registries.setdefault(upstream, new)
        while len(self._registries) > MOST_UPSTREAMS:
            self._registries.pop(next(iter(self._registries)), None)
        return registry


class RegistryLooks:
    """The port Registries; what it finds is remembered by layer."""

    def __init__(self, known: KnownLayers, watch: Watch) -> None:
        self._known = known
        self._watch = watch

    def ping(self, endpoint: RegistryEndpoint) -> None:
        with Registry(endpoint, watch=self._watch) as registry:
            registry.ping()

    def find(self, endpoint: RegistryEndpoint, place: Place, wanted: Wanted) -> Stored | None:
        with Registry(endpoint, watch=self._watch) as registry:
            stored = lookup.find(registry, place, wanted)
        if stored is not None:
            self._known.learn(endpoint, stored)
        return stored

    def holds(self, endpoint: RegistryEndpoint, stored: Stored, tag: str) -> Held:
        with Registry(endpoint, watch=self._watch) as registry:
            return lookup.holds(registry, stored, tag)
