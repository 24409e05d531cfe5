"""How engines, archives, upstreams and our registry are looked at: the leaves behind the ports.

Secrets are read where a look is prepared, in the event loop; the look itself runs in a thread.
"""

from __future__ import annotations

import asyncio
import platform
from collections import ChainMap
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from cyroid_images.archive.library import Archives
from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.engine import ClientTLS, EngineEndpoint
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.knowledge import ImageLocation, UpstreamAsk
from cyroid_images.model.observed import EngineShown
from cyroid_images.model.registry import Credentials, RegistryEndpoint, UpstreamEndpoint
from cyroid_images.model.telemetry.request_observer import RequestObserver
from cyroid_images.model.upstream import upstream_endpoint
from cyroid_images.observe.host_gate import HostGate
from cyroid_images.observe.places import (
    ArchivePlace,
    EnginePlace,
    ImagePlace,
    ImageThere,
    RegistryPlace,
    UpstreamAnswer,
    UpstreamPlace,
)
from cyroid_images.observe.ports import Secrets
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer import lookup
from cyroid_images.transfer.known_contents import KnownContents
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.lookup_upstream import find_upstream, upstream_registry

MOST_UPSTREAMS = 256
"""Upstream endpoints whose tokens are remembered: other credentials are another endpoint."""
MOST_DENIED = 4096
"""Upstream images that were refused to certain credentials; the oldest are forgotten."""
DENIED_SECONDS = 600.0
"""What was refused is asked for again after so long, with the same credentials."""

OWN_PLATFORM = Platform.of(
    "linux", {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()), ""
)
"""That of the node we run on."""
_SECRETS_MAY_BE_OLD = frozenset({Reason.UNAUTHORIZED, Reason.TLS_REJECTED})


@dataclass(frozen=True, slots=True)
class EngineLooker:
    """Engines of ranges or of sources; what a place showed before need not be inspected anew."""

    secrets: Secrets
    on_request: RequestObserver
    contents: Mapping[Digest, ImageContent] = field(default_factory=dict)
    """What is known of images by ID, whichever engine lists them."""

    def party(self, place: EnginePlace, /) -> str:
        return place.party

    async def prepare(self, place: EnginePlace, /) -> Callable[[EngineShown | None], EngineShown]:
        tls: ClientTLS | None = None
        if place.secret:
            tls = await self.secrets.client_tls(place.secret, place.server_name)
        return partial(self._look, EngineEndpoint(place.url, tls))

    async def renewed(self, place: EnginePlace, fault: Fault, /) -> bool:
        if not place.secret or fault.reason is not Reason.TLS_REJECTED:
            return False
        return await _is_renewed(
            self.secrets,
            [place.secret],
            lambda: self.secrets.client_tls(place.secret, place.server_name),
        )

    def _look(self, endpoint: EngineEndpoint, last: EngineShown | None) -> EngineShown:
        engine = Engine(endpoint, on_request=self.on_request)
        info = engine.info()
        # Another ID is another data root, and what an ID names there may be other content.
        is_same = last is not None and last.view.info.id == info.id
        shown = last.view.contents if last is not None and is_same else {}
        # Only the first of them is ever written to, which their types do not say.
        known: Mapping[Digest, ImageContent] = ChainMap({}, shown, self.contents)  # type: ignore[arg-type]
        return EngineShown(endpoint, engine.view(info, known))


@dataclass(frozen=True, slots=True)
class ArchiveLooker:
    """Archives in the operator's volume; without one every path is missing."""

    archives: Archives | None

    def party(self, place: ArchivePlace, /) -> str:
        return place.party

    async def prepare(self, place: ArchivePlace, /) -> Callable[[ArchiveView | None], ArchiveView]:
        if self.archives is None:
            raise no_archives(place.path)
        archives = self.archives
        return lambda _: archives.look(place.path)

    async def renewed(self, place: ArchivePlace, fault: Fault, /) -> bool:
        del place, fault
        return False


def no_archives(path: str) -> TransferError:
    """Why nothing can be read at this path."""
    return TransferError(
        Reason.ARCHIVE_MISSING,
        f"{path}: the operator has no archive volume; set operator.archives in the chart",
    )


class UpstreamRegistries:
    """One RegistryClient per upstream endpoint, since it remembers its tokens."""

    def __init__(self, on_request: RequestObserver) -> None:
        self._on_request = on_request
        self._registries: dict[UpstreamEndpoint, RegistryClient] = {}

    def registry(self, upstream: UpstreamEndpoint) -> RegistryClient:
        """The registry behind an upstream, the same one each time."""
        new = upstream_registry(upstream, on_request=self._on_request)
        registry = self._registries.setdefault(upstream, new)
        while len(self._registries) > MOST_UPSTREAMS:
            self._registries.pop(next(iter(self._registries)), None)
        return registry


@dataclass(frozen=True, slots=True)
class _Denied:
    """What was refused to which credentials, and until when that is believed."""

    credentials: Credentials | None
    fault: Fault
    until: float


@dataclass(slots=True)
class UpstreamLooker:
    """Registries elsewhere: an image is asked for once per refresh interval, and a host that
    refuses or is away is left alone as a whole until its pause is over."""

    secrets: Secrets
    registries: UpstreamRegistries
    gate: HostGate = field(default_factory=HostGate)
    _denied: dict[UpstreamPlace, _Denied] = field(default_factory=dict)

    def party(self, place: UpstreamPlace, /) -> str:
        return place.party

    async def prepare(
        self, place: UpstreamPlace, /
    ) -> Callable[[UpstreamAnswer | None], UpstreamAnswer]:
        credentials = await self._credentials(place)
        loop = asyncio.get_running_loop()
        denied = self._denied.get(place)
        if denied is not None and denied.credentials == credentials and loop.time() < denied.until:
            raise TransferError(denied.fault.reason, denied.fault.message)
        ca = await self.secrets.authority(place.ca_secret) if place.ca_secret else None
        endpoint = upstream_endpoint(
            place.reference.host,
            place.hosts,
            credentials=credentials,
            ca=ca,
            insecure=place.insecure,
        )
        self.gate.check(endpoint, loop.time())
        return partial(self._look, place, endpoint, loop)

    async def renewed(self, place: UpstreamPlace, fault: Fault, /) -> bool:
        """Another password is found by the next look; until then the refusal stands."""
        if fault.reason is Reason.UNAUTHORIZED and place not in self._denied:
            until = asyncio.get_running_loop().time() + DENIED_SECONDS
            self._denied[place] = _Denied(await self._credentials(place), fault, until)
            while len(self._denied) > MOST_DENIED:
                del self._denied[next(iter(self._denied))]
        return False

    async def _credentials(self, place: UpstreamPlace) -> Credentials | None:
        if not place.secret:
            return None
        found = await self.secrets.upstream_credentials(place.secret, place.hosts)
        return found.get(place.reference.host)

    def _look(
        self,
        place: UpstreamPlace,
        endpoint: UpstreamEndpoint,
        loop: asyncio.AbstractEventLoop,
        last: UpstreamAnswer | None,
    ) -> UpstreamAnswer:
        self._denied.pop(place, None)
        known = last.held if last is not None else None
        ask = UpstreamAsk(place.source, endpoint, place.reference, place.platform, known)
        began = loop.time()
        try:
            held = find_upstream(self.registries.registry(endpoint), ask, OWN_PLATFORM)
        except TransferError as exc:
            self.gate.failed(endpoint, Fault.of(exc), began, loop.time())
            raise
        self.gate.succeeded(endpoint)
        return UpstreamAnswer(held)


@dataclass(frozen=True, slots=True)
class RegistryLooker:
    """Does our registry let us in?"""

    secrets: Secrets
    on_request: RequestObserver

    def party(self, place: RegistryPlace, /) -> str:
        return place.party

    async def prepare(
        self, place: RegistryPlace, /
    ) -> Callable[[RegistryEndpoint | None], RegistryEndpoint]:
        return partial(self._look, await registry_endpoint(self.secrets, place))

    async def renewed(self, place: RegistryPlace, fault: Fault, /) -> bool:
        if fault.reason not in _SECRETS_MAY_BE_OLD:
            return False
        names = [name for name in (place.push_secret, place.ca_secret) if name]
        return await _is_renewed(
            self.secrets, names, lambda: registry_endpoint(self.secrets, place)
        )

    def _look(self, endpoint: RegistryEndpoint, last: RegistryEndpoint | None) -> RegistryEndpoint:
        del last
        with RegistryClient(endpoint, on_request=self.on_request) as registry:
            registry.ping()
        return endpoint


@dataclass(frozen=True, slots=True)
class ImageLooker:
    """What our registry has; what it finds is remembered by layer and by image ID."""

    secrets: Secrets
    known: KnownLayers
    contents: KnownContents
    on_request: RequestObserver

    def party(self, place: ImagePlace, /) -> str:
        return place.registry.party

    async def prepare(self, place: ImagePlace, /) -> Callable[[ImageThere | None], ImageThere]:
        return partial(self._look, place, await registry_endpoint(self.secrets, place.registry))

    async def renewed(self, place: ImagePlace, fault: Fault, /) -> bool:
        del place, fault
        return False  # the registry itself is asked more often, and finds out

    def _look(
        self, place: ImagePlace, endpoint: RegistryEndpoint, last: ImageThere | None
    ) -> ImageThere:
        there = self._there(place, endpoint, last)
        if there.stored is not None:
            self.contents.learn(there.stored.content)
        return there

    def _there(
        self, place: ImagePlace, endpoint: RegistryEndpoint, last: ImageThere | None
    ) -> ImageThere:
        with RegistryClient(endpoint, on_request=self.on_request) as registry:
            if last is not None and last.stored is not None:
                held = lookup.holds(registry, last.stored, place.tag)
                if held.is_there:
                    return ImageThere(last.stored, held.tagged)
            asked = ImageLocation(place.repository, place.reference)
            found = lookup.locate(registry, asked, place.wanted)
        if found is None:
            return ImageThere(None)
        stored, under = found
        self.known.learn(endpoint, stored)
        return ImageThere(stored, stored.manifest.digest if under == place.tag else None)


async def registry_endpoint(secrets: Secrets, place: RegistryPlace) -> RegistryEndpoint:
    """How this registry is dialled, with what its Secrets say now."""
    return RegistryEndpoint(
        place.url,
        await secrets.credentials(place.push_secret) if place.push_secret else None,
        await secrets.authority(place.ca_secret) if place.ca_secret else None,
    )


async def _is_renewed(
    secrets: Secrets, names: list[str], read: Callable[[], Awaitable[object]]
) -> bool:
    """Was what these Secrets say replaced since it was read? It is read anew for that."""
    try:
        before = await read()
        for name in names:
            secrets.forget(name)
        return await read() != before
    except TransferError:
        return False
