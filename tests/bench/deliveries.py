"""The big image into one empty range engine: cold, as the second range, and by tar.

The ways share a run, so that each is compared with what the manual way took beside it:
one source and one range engine at a time, every way from the same cold state. The warm
registry, from which a second range and a tar are served, is filled by us once per source.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from tests.bench import operating
from tests.bench.contest import Samples, contest
from tests.bench.emptying import Store
from tests.bench.images import BIG, MB
from tests.bench.stage import Stage
from tests.bench.stock import Stock
from tests.bench.table import Allowance, Row, compared
from tests.bench.ways import (
    LOAD,
    OUR_SECOND,
    OUR_TAR,
    OURS,
    PULL,
    PUSH_PULL,
    SAVE,
    SAVE_LOAD,
    Place,
)

COLD, SECOND, TAR = "cold", "second", "tar"
NAMES = (COLD, SECOND, TAR)
COLD_ALLOWED = {Store.CONTAINERD: Allowance(0.65), Store.CLASSIC: Allowance(1.10)}
PUSH_PULL_ALLOWED = Allowance(0.65)
SECOND_ALLOWED = Allowance(1.15, plus=1.0)
TAR_ALLOWED = Allowance(1.0)
_OTHER = {Store.CLASSIC: Store.CONTAINERD, Store.CONTAINERD: Store.CLASSIC}


def deliveries(stage: Stage, stock: Stock, names: Collection[str]) -> list[Row]:
    """The rows of these measures, for each pair of stores that they speak of."""
    rows = []
    for source_store in Store:
        source = stock.source(source_store, [BIG])
        with stage.registry() as warm:
            _, held = operating.push(stage, source, warm, [BIG.name])
            for store in Store:
                place = Place(stage, source, stock.target(store), warm, held[BIG.name])
                rows += _Pair(place, source_store, store, names).rows()
    return rows


@dataclass(slots=True)
class _Pair:
    """One source store and one range store: which ways are run, and the rows of them."""

    place: Place
    source: Store
    target: Store
    names: Collection[str]
    _found: dict[str, Samples] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        """Nothing where no measure speaks of this pair."""
        wanted = self._wanted()
        if not wanted:
            return []
        tell = self.place.stage.tell
        tell(f"deliveries: {BIG.size / MB:.0f} MB, {self.source} source, {self.target} range")
        ways = self.place.ways()
        self._found = contest({name: ways[name] for name in wanted}, tell)
        floors = {name: ways[name] for name in self._floors() if name not in wanted}
        self._found |= contest(floors, tell, runs=1)
        return [*self._cold(), *self._second(), *self._tar()]

    def _wanted(self) -> list[str]:
        wanted = []
        if COLD in self.names:
            wanted += [OURS, SAVE_LOAD]
            wanted += [PUSH_PULL] if self._has_push_pull else []
        if self._has_second:
            wanted += [OUR_SECOND, PULL]
        if self._has_tar:
            wanted += [OUR_TAR, SAVE_LOAD]
        return list(dict.fromkeys(wanted))

    def _floors(self) -> list[str]:
        """Parts of ours, measured once, that tell what bounds it."""
        cold = [SAVE, PULL] if COLD in self.names else []
        return [*cold, *([LOAD] if self._has_tar else [])]

    @property
    def _has_push_pull(self) -> bool:
        """Of classic sources only: a containerd store pushes what it has."""
        return self.source is Store.CLASSIC

    @property
    def _has_second(self) -> bool:
        """Once per range store: the source has no part in it."""
        return SECOND in self.names and self.source is _OTHER[self.target]

    @property
    def _has_tar(self) -> bool:
        """Once per range store too; the source is the one of the tar by hand."""
        return TAR in self.names and self.source is _OTHER[self.target]

    @property
    def _stores(self) -> str:
        return f"{self.source} to {self.target}"

    def _cold(self) -> list[Row]:
        if COLD not in self.names:
            return []
        what = f"RangeImages applied to Ready, registry and range empty; {self._floor(SAVE, PULL)}"
        rows = [self._row("cold", OURS, SAVE_LOAD, COLD_ALLOWED[self.source], what)]
        if self._has_push_pull:
            rows += [self._row("cold", OURS, PUSH_PULL, PUSH_PULL_ALLOWED, what)]
        return rows

    def _second(self) -> list[Row]:
        if not self._has_second:
            return []
        what = "RangeImages applied to Ready, registry filled, range empty"
        return [self._row("second range", OUR_SECOND, PULL, SECOND_ALLOWED, what)]

    def _tar(self) -> list[Row]:
        if not self._has_tar:
            return []
        what = f"registry filled, but the range does not trust it; {self._floor(LOAD)}"
        return [self._row("tar from the registry", OUR_TAR, SAVE_LOAD, TAR_ALLOWED, what)]

    def _floor(self, *parts: str) -> str:
        told = ", ".join(f"{part} {self._found[part].median:.1f}" for part in parts)
        return f"beside it: {told}"

    def _row(self, name: str, ours: str, theirs: str, allowed: Allowance, what: str) -> Row:
        measure = f"{name}, {self._stores}, against {theirs} [s]"
        return compared(measure, self._found[ours], self._found[theirs], allowed, what)
