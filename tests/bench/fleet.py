"""Three images of a blueprint into four empty ranges, against scripts that people write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from tests.bench import hand, operating
from tests.bench.contest import contest
from tests.bench.emptying import Store, empty
from tests.bench.images import BLUEPRINT, MB
from tests.bench.stage import Stage
from tests.bench.stock import Stock
from tests.bench.table import Allowance, Row, compared
from tests.bench.timing import seconds
from tests.parts.engines import EnginePart

IMAGES = BLUEPRINT[:3]
JOBS = (2, 4, 12)
"""Values of `xargs -P` that are tried: the cores, the ranges, everything at once."""
SCRIPT_ALLOWED, TAR_ALLOWED = Allowance(1.15), Allowance(0.33)


def ranges(stage: Stage, stock: Stock) -> list[Row]:
    """Two ranges with either store, everything cold, from a source with either store."""
    targets = [stock.target(store, number) for store in Store for number in range(2)]
    rows = []
    for store in Store:
        size = sum(image.size for image in IMAGES) / MB
        stage.tell(f"ranges: {len(IMAGES)} images, {size:.0f} MB, {store} source")
        rows += _from(stage, stock.source(store, IMAGES), targets, store)
    return rows


def _from(
    stage: Stage, source: EnginePart, targets: Sequence[EnginePart], store: Store
) -> list[Row]:
    fleet = _Fleet(stage, source, targets)
    tried = contest(
        {_named(jobs): partial(fleet.script, jobs) for jobs in JOBS}, stage.tell, runs=1
    )
    best = min(tried, key=lambda name: tried[name].median)
    jobs = next(jobs for jobs in JOBS if _named(jobs) == best)
    ways: dict[str, Callable[[], float]] = {
        "ours": fleet.ours,
        best: partial(fleet.script, jobs),
        "tar one by one": fleet.tar,
    }
    found = contest(ways, stage.tell)
    floor = contest({"pulls": partial(fleet.pulls, jobs)}, stage.tell)["pulls"]
    name = f"4 ranges x 3 images, {store} source"
    what = (
        "RangeImages applied to the last Ready, everything cold; beside it: the twelve pulls "
        f"alone by {best}, registry filled, {floor.median:.1f}"
    )
    others = ", ".join(f"{way} {times}" for way, times in tried.items())
    return [
        compared(
            f"{name}, against a script [s]",
            found["ours"],
            found[best],
            SCRIPT_ALLOWED,
            f"{what}; best is {best} of {others}",
        ),
        compared(
            f"{name}, against tar one by one [s]",
            found["ours"],
            found["tar one by one"],
            TAR_ALLOWED,
            what,
        ),
    ]


class _Fleet:
    """The ways; each leaves all ranges empty."""

    def __init__(self, stage: Stage, source: EnginePart, targets: Sequence[EnginePart]) -> None:
        self._stage, self._source, self._targets = stage, source, targets
        self._names = [image.name for image in IMAGES]

    def ours(self) -> float:
        with (
            self._stage.registry() as registry,
            operating.site(self._stage, self._source, registry) as site,
        ):
            places = {f"r{number}": target for number, target in enumerate(self._targets)}
            return self._emptied(operating.deliver(site, places, self._names))

    def script(self, jobs: int) -> float:
        with self._stage.registry() as registry:
            work = partial(hand.script, self._source, registry, self._targets, self._names, jobs)
            return self._emptied(seconds(work))

    def pulls(self, jobs: int) -> float:
        """What nothing can be faster than that lets these engines pull: by digest, so many at
        a time, of what lies in the registry.
        """
        with self._stage.registry() as registry:
            _, held = operating.push(self._stage, self._source, registry, self._names)
            at = {name: f"{held[name].repository}@{held[name].digest}" for name in self._names}
            work = partial(hand.pull_all, registry, self._targets, at, jobs)
            return self._emptied(seconds(work))

    def tar(self) -> float:
        def one_by_one() -> None:
            for target in self._targets:
                for name in self._names:
                    hand.save_to_load(self._source, target, name)

        return self._emptied(seconds(one_by_one))

    def _emptied(self, took: float) -> float:
        for target in self._targets:
            empty(target)
        return took


def _named(jobs: int) -> str:
    return f"xargs -P {jobs}"
