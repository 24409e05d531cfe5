"""Who else uses the operator: a tenant whose engines hang and lie, and one who breaks nothing.

The bad tenant takes the first cache, as everybody does whose parts break. The quiet one has
the second cache and its registry, archives and an engine of its own: whatever stands still
elsewhere, what it asks for must come.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.chaos.engine_images import holding
from tests.chaos.stack import Stack
from tests.parts.save_tars import noise, saved_image
from tests.parts.site import Site
from tests.parts.stand_in import Lie

TENANT_ADDRESSES = ("127.2.0.1", "127.2.0.2", "127.2.0.3")
"""Three engines that want four images each: more transfers than the operator does at a time."""
QUIET_ADDRESS = "127.2.1.1"
TENANT, QUIET = "tenant", "quiet"
PATIENT = {"stall": "10m", "total": "2h"}
"""What a tenant may write who has a right to his own namespace only."""
OWN, HANGING = "own", "hanging"
"""Folders of the archive volume, behind the name of the site."""


class Others:
    """Their objects and engines."""

    def __init__(self, stack: Stack, first: Site, second: Site) -> None:
        """`first` has the cache of those whose parts break, `second` the other one."""
        self._stack = stack
        self._first = first
        self.quiet = second
        self.tenant = Site(f"{first.name}-tenant", first.api, first.operator, first.source)
        self._probes = 0
        self._images: Sequence[str] = ()
        self.engines = [stack.stand_ins.at(address) for address in TENANT_ADDRESSES]

    def make(self, images: Sequence[str], quiet_image: str) -> None:
        """Namespace, pods and range of both."""
        self._images = images
        port, cache = self._stack.stand_ins.port, {"name": self._first.name}
        self.tenant.api.put_namespace(self.tenant.name, {"cyroid.io/ranges": "true"})
        for number, engine in enumerate(self.engines):
            self.tenant.pod(TENANT, engine.address, f"-{number}")
        wanted = {"imageCacheRef": cache, "timeouts": PATIENT, "interval": "2s"}
        self.tenant.ranges(TENANT, port, images, **wanted)
        self.quiet.pod(QUIET, QUIET_ADDRESS)
        self.quiet.ranges(QUIET, port, [quiet_image], interval="2s")

    @property
    def paths(self) -> dict[str, str]:
        """Where the API serves their ranges, by name."""
        return {TENANT: self.tenant.path(TENANT), QUIET: self.quiet.path(QUIET)}

    def folder(self, purpose: str) -> Path:
        """A folder of the archive volume."""
        return self._first.operator.archives / f"{self._first.name}-{purpose}"

    # -- the tenant's engines ---------------------------------------------------------

    def tell(self, lie: Lie) -> None:
        """Each of them does so from now on, and holds nothing."""
        for engine in self.engines:
            engine.empty()
            engine.tell(lie, **self._about(lie))

    def take_identity(self, other: int) -> None:
        """Each of them is this range engine, and the images of that one are others."""
        part = self._stack.engines[other]
        ids = ",".join(image.id for image in holding(part).images)
        for engine in self.engines:
            engine.empty()
            engine.tell(Lie.IDENTITY, id=part.engine.info().id, images=ids, names=self._names())

    def be_honest(self) -> None:
        """The end of both."""
        for engine in self.engines:
            engine.tell(Lie.NONE)

    def _about(self, lie: Lie) -> dict[str, str]:
        return {"names": self._names()} if lie is Lie.CLAIMS else {}

    def _names(self) -> str:
        return ",".join(self._images)

    # -- what the quiet one asks for --------------------------------------------------

    def put_probe(self) -> str:
        """An image that nobody has asked for yet, in an archive; its name."""
        self._probes += 1
        name = f"{self.quiet.name}.example/probe-{self._probes}:1"
        saved = saved_image(name, ({"own": noise(100_000, self._probes)},))
        (self.folder(OWN) / f"probe-{self._probes}.tar").write_bytes(saved.tar)
        return name

    def ask_for(self, image: str) -> str:
        """A range that wants it; its name."""
        name, port = f"probe-{self._probes}", self._stack.stand_ins.port
        selector = {"matchLabels": {"cyroid.io/range-id": QUIET}}
        targets = {"selector": selector, "docker": {"port": port, "insecure": True}}
        self.quiet.ranges(name, port, [image], targets=targets, interval="2s")
        return name

    def end_probe(self, name: str) -> None:
        """Nobody asks for it any more."""
        self.quiet.delete(name)
