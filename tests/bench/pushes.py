"""The big image from a source engine into an empty registry: ours against `docker push`."""

from __future__ import annotations

from tests.bench import hand, operating
from tests.bench.contest import contest
from tests.bench.emptying import Store
from tests.bench.images import BIG, MB
from tests.bench.stage import Stage
from tests.bench.stock import Stock
from tests.bench.table import Allowance, Row, compared
from tests.bench.timing import seconds
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart

ALLOWED = {Store.CONTAINERD: Allowance(1.15, plus=0.5), Store.CLASSIC: Allowance(0.65)}
STORED = Allowance(1.10)


def push(stage: Stage, stock: Stock) -> list[Row]:
    """Seconds and stored bytes, from a source with either store."""
    return [row for store in Store for row in _from(stage, stock.source(store, [BIG]), store)]


def _from(stage: Stage, source: EnginePart, store: Store) -> list[Row]:
    stored: dict[str, int] = {}

    def ours() -> float:
        with stage.registry() as registry:
            took, _ = operating.push(stage, source, registry, [BIG.name])
            stored["ours"] = blob_bytes(registry)
            return took

    def theirs() -> float:
        with stage.registry() as registry:
            took = seconds(lambda: hand.push(source, registry, BIG.name))
            stored["theirs"] = blob_bytes(registry)
            return took

    stage.tell(f"push: {BIG.size / MB:.0f} MB from a {store} source")
    found = contest({"ours": ours, "docker push": theirs}, stage.tell)
    what = "ImageCache applied to Ready, into an empty registry, against docker push"
    sizes = [stored[who] / MB for who in ("ours", "theirs")]
    text = f"{BIG.size / MB:.0f} MB of plain layers; against what docker push stored"
    bar = STORED.times
    return [
        compared(
            f"push, {store} source [s]", found["ours"], found["docker push"], ALLOWED[store], what
        ),
        Row(f"stored, {store} source [MB]", sizes[0], sizes[1], bar=bar, bound=text),
    ]


def blob_bytes(registry: RegistryPart) -> int:
    """What the registry's blobs take, manifests included."""
    files = registry.data_root.glob("docker/registry/v2/blobs/*/*/*/data")
    return sum(path.stat().st_size for path in files)
