"""How much the operator grows while one image of 5 GB moves, on each route."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tests.bench import hand, operating
from tests.bench.big_image import BigImage
from tests.bench.emptying import Store
from tests.bench.images import MB
from tests.bench.operating import RANGE
from tests.bench.pushes import blob_bytes
from tests.bench.stage import SCRATCH, Stage, engine
from tests.bench.table import Row
from tests.bench.traces import memory_of, operator_process, reset_peak
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart

IMAGE = BigImage("bench.example/huge:1", (2700, 900, 900, 300))
"""4800 MiB, 5.03 GB: one layer that alone is large, and others that move beside it."""
FREE_GB = 28
"""Source, its staged tar, registry, the range's staged tar and layers, at the worst."""
BAR_MIB = 64.0
MIB = 1 << 20


def memory(stage: Stage) -> list[Row]:
    """VmHWM less VmRSS at rest: into the registry, and each route into a range."""
    if (free := shutil.disk_usage(SCRATCH).free / 1e9) < FREE_GB:
        stage.tell(f"memory: left out, {free:.0f} GB free of {FREE_GB} GB needed")
        return []
    with engine(Store.CLASSIC) as source, stage.registry() as registry:
        stage.tell(f"memory: loading {IMAGE.size / MB:.0f} MB into a classic source")
        hand.load(source, IMAGE.tar())
        untrusted = {"pullHost": registry.outer_pull_host}
        routes: dict[str, dict[str, Any]] = {
            "pull": {"store": Store.CONTAINERD},
            "tar of registry blobs": {"store": Store.CLASSIC, "registry": untrusted},
            "tar of a save": {"store": Store.CONTAINERD, "delivery": "TarOnly"},
        }
        rows = [_push(stage, source, registry)]
        return rows + [
            _deliver(stage, source, registry, route, **spec) for route, spec in routes.items()
        ]


def _push(stage: Stage, source: EnginePart, registry: RegistryPart) -> Row:
    watched = _Watched.anew(stage)
    took, _ = operating.push(stage, source, registry, [IMAGE.name])
    return watched.row("source to registry", took, f"{blob_bytes(registry) / MB:.0f} MB stored")


def _deliver(
    stage: Stage, source: EnginePart, filled: RegistryPart, route: str, **spec: Any
) -> Row:
    """Into an engine of its own, by an operator that has moved nothing yet."""
    watched = _Watched.anew(stage)
    where: Mapping[str, Any] = spec.pop("registry", {})
    cached = {"images": [{"image": IMAGE.name}], "registry": where}
    with (
        engine(spec.pop("store")) as target,
        operating.site(stage, source, filled, **cached) as site,
    ):
        took = operating.deliver(site, {RANGE: target}, [IMAGE.name], **spec)
        assert operating.came_by_tar(site, RANGE) == (route != "pull"), "it came the other way"
        return watched.row(route, took, f"{IMAGE.size / MB:.0f} MB delivered")


@dataclass(frozen=True, slots=True)
class _Watched:
    """The process of a new operator, and its memory at rest in bytes."""

    stage: Stage
    process: int
    at_rest: int

    @classmethod
    def anew(cls, stage: Stage) -> Self:
        """Start the operator again, so that nothing of the route before counts."""
        stage.operator.stop()
        stage.operator.start()
        process = operator_process()
        reset_peak(process)
        return cls(stage, process, memory_of(process, "VmRSS"))

    def row(self, route: str, took: float, moved: str) -> Row:
        """How far the peak is above the rest."""
        peak = memory_of(self.process, "VmHWM")
        grown = (peak - self.at_rest) / MIB
        self.stage.tell(f"memory: {route}: {grown:.0f} MiB more, in {took:.0f} s")
        how = f"VmHWM {peak / MIB:.0f} less VmRSS at rest {self.at_rest / MIB:.0f}, one run"
        bound = f"{how}; {moved} in {took:.0f} s"
        return Row(f"memory growth, 5 GB, {route} [MiB]", grown, bar=BAR_MIB, bound=bound)
