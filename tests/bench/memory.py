"""The most memory that the operator has while one image of 2 GB moves."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from cyroid_images.engine import StreamLimits
from cyroid_images.model.cancellation import NEVER
from cyroid_images.model.progress import ignore
from tests.bench.big_image import BigImage
from tests.bench.reaction import RARELY
from tests.bench.stage import SCRATCH, Stage, engine
from tests.bench.table import Row
from tests.bench.traces import memory_of, operator_process, reset_peak
from tests.parts.site import Site

CHUNKS = 1000
"""MiB of noise, and as many of zeros: 2 GiB less a little, 1 GB of it after compression."""
FREE_GB = 16
"""Source, two tars on the way, registry, range engine twice: what is needed at the worst."""
BAR_MIB = 200.0
LIMITS = StreamLimits()
PATIENCE = 900.0
ROUTES = {
    "RegistryOnly": "2 GB source to registry to engine",
    "TarOnly": "2 GB source to engine by tar",
}
"""The registry first: a wanted image is pushed whatever the delivery, so after TarOnly
nothing would be left to push, and the tar would have been measured together with the push."""
MIB = 1 << 20


def memory(stage: Stage) -> list[Row]:
    """VmHWM of the operator: source to registry to engine, and source to engine by tar."""
    if (free := shutil.disk_usage(SCRATCH).free / 1e9) < FREE_GB:
        stage.tell(f"memory: left out, {free:.0f} GB free of {FREE_GB} GB needed")
        return []
    site = stage.site("big")
    image = BigImage(f"{site.name}.example/windows:1", CHUNKS, seed=11)
    stage.tell("memory: loading 2 GB into the source engine")
    stage.source.engine.load(image.tar(), ignore, limits=LIMITS, cancellation=NEVER)
    site.cache(stage.registry, refresh={"interval": RARELY})
    rows = [_one(stage, site, image.name, delivery) for delivery in ROUTES]
    site.remove_all()
    stage.source.docker("rmi", image.name)
    return rows


def _one(stage: Stage, site: Site, image: str, delivery: str) -> Row:
    """Deliver it into an engine of its own, by an operator that has moved nothing yet."""
    stage.operator.stop()
    stage.operator.start()
    process, name = operator_process(), delivery.lower()
    site.until_cache(Ready="True")
    at_rest, stored = memory_of(process, "VmRSS"), _size(stage.registry.data_root)
    with engine() as target:
        reset_peak(process)
        began = time.monotonic()
        site.serve(name, target, [image], delivery=delivery, interval=RARELY)
        site.until(name, Ready="True", seconds=PATIENCE)
        took, peak = time.monotonic() - began, memory_of(process, "VmHWM")
        site.delete(name)
        site.api.delete_pod(f"dind-{name}", site.name)
    grown = (_size(stage.registry.data_root) - stored) / 1e6
    stage.tell(f"memory: {delivery} {peak / MIB:.0f} MiB in {took:.0f} s, {grown:.0f} MB pushed")
    how = f"{ROUTES[delivery]} in {took:.0f} s, registry grew by {grown:.0f} MB"
    bound = f"VmHWM, one run: {how}; VmRSS before: {at_rest / MIB:.0f}"
    return Row(f"memory {delivery} [MiB]", peak / MIB, bar=BAR_MIB, bound=bound)


def _size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
