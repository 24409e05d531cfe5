"""Images of an upstream on their way into our registry, and what either was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cyroid_images.engine import StreamLimits
from cyroid_images.model.actions import Copy, Slot
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import repository_of
from cyroid_images.model.knowledge import HeldByUpstream, Stored, UpstreamAsk, Wish
from cyroid_images.model.registry import RegistryEndpoint, UpstreamEndpoint
from cyroid_images.model.telemetry.progress import Progress
from cyroid_images.registry.retry import RetryPolicy
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope
from cyroid_images.transfer.copy_upstream import copy_upstream
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.lookup_upstream import find_upstream, upstream_registry
from cyroid_images.transfer.supervision import Supervision
from tests.parts.registry import RegistryPart
from tests.parts.scripted import ScriptedServer

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


@dataclass(slots=True)
class Copying:
    """One upstream, and the registry of ours that copies from it."""

    upstream: UpstreamEndpoint
    ours: RegistryPart
    known: KnownLayers = field(default_factory=KnownLayers)
    waits: list[float] = field(default_factory=list)
    """Pauses that were asked for; none is slept."""
    progress: list[Progress] = field(default_factory=list)

    def find(
        self,
        image: str,
        platform: Platform | None = None,
        known: HeldByUpstream | None = None,
        *,
        default: Platform = AMD64,
    ) -> HeldByUpstream | None:
        """`image` without its host."""
        reference = Reference.parse(f"{self.upstream.host}/{image}")
        ask = UpstreamAsk("hub", self.upstream, reference, platform, known)
        with upstream_registry(self.upstream, self._patience()) as registry:
            return find_upstream(registry, ask, default)

    def found(self, image: str) -> HeldByUpstream:
        found = self.find(image)
        assert found is not None, f"{image} is not there"
        return found

    def copy(
        self, image: str, held: HeldByUpstream | None = None, cancellation: CancelScope = NEVER
    ) -> Stored:
        """Into the repository that the name maps to."""
        wish = Wish(Reference.parse(f"{self.upstream.host}/{image}"))
        endpoint = self.ours.push_endpoint
        to = Slot(endpoint, repository_of(wish.reference, ()), wish.reference.tag or "latest")
        action = Copy(wish, held or self.found(image), to)
        under = Supervision(StreamLimits(), self.progress.append, cancellation)
        with (
            upstream_registry(self.upstream, self._patience()) as upstream,
            type(upstream)(endpoint) as registry,
        ):
            return copy_upstream(action, upstream, registry, self.known, under)

    def _patience(self) -> RetryPolicy:
        return RetryPolicy(wait=lambda seconds, _: self.waits.append(seconds))


def upstream_at(
    endpoint: RegistryEndpoint, token_hosts: Sequence[str] = (), *, host: str = ""
) -> UpstreamEndpoint:
    """An upstream that listens there, by the name `host`."""
    return UpstreamEndpoint(host or endpoint.host, endpoint, frozenset(token_hosts))


def blobs_read(front: ScriptedServer) -> int:
    """How often a blob was asked for."""
    return len(front.seen("GET", "/v2/.*/blobs/.*"))
