"""Actions of the moves between real parts, and what is asked of an engine afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from cyroid_images.engine import StreamLimits
from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Pull, Push, Slot, Target
from cyroid_images.model.archive import ArchiveImage, LayerFile
from cyroid_images.model.engine import EngineView, FoundImages
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import TRANSPORT_HOST, repository_of
from cyroid_images.model.kinds.image_cache import Compression
from cyroid_images.model.knowledge import (
    HeldByCache,
    HeldByEngine,
    SourceImage,
    Stored,
    Wish,
)
from cyroid_images.model.telemetry.progress import ProgressObserver, ignore
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope
from cyroid_images.transfer import load, pull, push
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.transfer.tar_sources import ArchiveReader
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise

LIMITS = StreamLimits(stall_seconds=30, first_byte_seconds=60, reply_seconds=60)
BECAUSE = Fault(Reason.FORCED_BY_SPEC, "a test wants it so")


def under(cancellation: CancelScope = NEVER) -> Supervision:
    return Supervision(LIMITS, ignore, cancellation)


class NoArchives:
    """An archive volume with nothing in it."""

    def blobs(
        self,
        image: ArchiveImage,
        wanted: Collection[Digest] | None = None,
        cancellation: CancelScope = NEVER,
    ) -> Iterator[tuple[LayerFile, Iterator[bytes]]]:
        raise AssertionError(f"{image.archive} is not here: {wanted}, {cancellation}")


@dataclass(frozen=True, slots=True)
class Moving:
    """One image on its way from a source over a registry to a target."""

    name: str
    source: EnginePart
    registry: RegistryPart
    target: EnginePart

    @property
    def wish(self) -> Wish:
        return Wish(Reference.parse(self.name))

    def fill(self, seed: int = 1, size: int = 100_000, command: str = "/x") -> None:
        """Put content into the source under the name.

        Layers of its own: a containerd store that has pulled a layer takes the blob that it
        has for the plain one of a tar that is loaded.
        """
        layers = (
            {"noise": noise(size, seed), "name": self.name.encode()},
            {"about": self.name.encode()},
        )
        self.source.load_image(self.name, layers, {"Cmd": [command]})

    def seen(self) -> HeldByEngine:
        """What a look at the source shows."""
        image = image_in(self.source, self.name)
        assert image is not None
        info = self.source.engine.info()
        return HeldByEngine("builder", self.source.endpoint, info, image.id, image.content)

    def push(
        self,
        seen: HeldByEngine | None = None,
        cancellation: CancelScope = NEVER,
        known: KnownLayers | None = None,
    ) -> Stored:
        """Source to registry, as an operator does that remembers nothing, or just this."""
        reference = self.wish.reference
        repository, tag = repository_of(reference, ()), reference.tag or "latest"
        endpoint = self.registry.push_endpoint
        is_old = not self.target.engine.info().reads_zstd
        compression = Compression.GZIP if is_old else Compression.ZSTD
        slot = Slot(endpoint, repository, tag, compression)
        action = Push(self.wish, seen or self.seen(), slot)
        with RegistryClient(endpoint) as registry:
            return push.push(
                action, self.source.engine, registry, known or KnownLayers(), under(cancellation)
            ).stored

    def pull(self, stored: Stored, cancellation: CancelScope = NEVER, host: str = "") -> None:
        """Registry to target; what it returns makes of an earlier view what a look shows now."""
        action, was = self.pulling(stored, host), view_of(self.target)
        found = pull.pull(action, self.target.engine, under(cancellation))
        self.assert_amends(was, found)

    def pulling(self, stored: Stored, host: str = "") -> Pull:
        info = self.target.engine.info()
        return Pull(self.wish, self.where(), info, stored, host or self.registry.pull_host)

    def load(
        self,
        held: HeldByCache | SourceImage | None = None,
        cancellation: CancelScope = NEVER,
        *,
        archives: ArchiveReader | None = None,
        observer: ProgressObserver = ignore,
    ) -> None:
        """Source to target, or from whatever else holds the image; it returns as `pull` does."""
        watching = replace(under(cancellation), observer=observer)
        action, was = self.loading(held), view_of(self.target)
        found = load.load(action, self.target.engine, watching, archives or NoArchives())
        self.assert_amends(was, found)

    def loading(self, held: HeldByCache | SourceImage | None = None) -> Load:
        info = self.target.engine.info()
        return Load(self.wish, self.where(), info, held or self.seen(), BECAUSE)

    def cached(self, stored: Stored) -> HeldByCache:
        """The image as a tar can be built from it: the operator reads, the target does not."""
        return HeldByCache(self.registry.pull_endpoint, stored)

    def assert_amends(self, was: EngineView, found: FoundImages) -> None:
        """What a transfer returned makes of an earlier view what a look shows now."""
        if self.wish.reference.tagged in {*was.images, *was.half}:
            return  # what stood there may have lost its last name: see RangeSnapshots.amend
        now, then = view_of(self.target), was.amended(found)
        assert then.half == now.half
        kept = {name for name in then.images if name in now.images or name in found}
        ids = {name: image.id for name, image in now.images.items()}
        assert {name: then.images[name].id for name in kept} == ids
        assert not [name for name in found if name in then.by_digest and name not in now.by_digest]

    def where(self) -> Target:
        return Target("uid", "dind-1", self.target.endpoint)

    def arrived(self) -> EngineImage | None:
        """The image in the target, by its name."""
        return image_in(self.target, self.name)

    def assert_tidy(self) -> None:
        """No engine keeps a name that only the transfer used; the source keeps its own."""
        hosts = (TRANSPORT_HOST, self.registry.push_host, self.registry.pull_host)
        for engine in (self.source, self.target):
            view = view_of(engine)
            carried = [name for name in (*view.images, *view.by_digest) if name.host in hosts]
            path = self.wish.reference.path
            ours = [name for name in carried if name.host == TRANSPORT_HOST or path in name.path]
            assert ours == []
        assert image_in(self.source, self.name) is not None


def view_of(engine: EnginePart) -> EngineView:
    """What a look at the engine shows."""
    return engine.engine.view(engine.engine.info(), {})


def image_in(engine: EnginePart, name: str) -> EngineImage | None:
    """The image that the engine lists under this name."""
    return view_of(engine).images.get(Reference.parse(name))


def happened(engine: EnginePart, event: str, word: str) -> int:
    """How often the engine says that this happened to an image with that word in its name."""
    return sum(word in line for line in engine.happened(event))
