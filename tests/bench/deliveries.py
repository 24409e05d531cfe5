"""The big image into one empty range engine: cold, as the second range, and by tar.

The ways share a run, so that each is compared with what the manual way took beside it:
one source and one range engine at a time, every way from the same cold state. The warm
registry, from which a second range and a tar are served, is filled by us once per source.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from tests.bench import hand, operating
from tests.bench.contest import Samples, contest
from tests.bench.emptying import Store, empty
from tests.bench.images import BIG, MB
from tests.bench.operating import RANGE, Held
from tests.bench.stage import Stage
from tests.bench.stock import Stock
from tests.bench.table import Allowance, Row, compared
from tests.bench.timing import seconds
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart

COLD, SECOND, TAR = "cold", "second", "tar"
NAMES = (COLD, SECOND, TAR)
OURS, OUR_SECOND, OUR_TAR = "ours", "ours, second range", "ours, tar from the registry"
SAVE_LOAD, PUSH_PULL, PULL = "docker save | load", "docker push + pull", "docker pull by digest"
COLD_ALLOWED = {Store.CONTAINERD: Allowance(0.65), Store.CLASSIC: Allowance(1.10)}
PUSH_PULL_ALLOWED = Allowance(0.65)
SECOND_ALLOWED = Allowance(1.15, plus=1.0)
TAR_ALLOWED = Allowance(1.0)
_OTHER = {Store.CLASSIC: Store.CONTAINERD, Store.CONTAINERD: Store.CLASSIC}

Way = Callable[[], float]


def deliveries(stage: Stage, stock: Stock, names: Collection[str]) -> list[Row]:
    """The rows of these measures, for each pair of stores that they speak of."""
    rows = []
    for source_store in Store:
        source = stock.source(source_store, [BIG])
        with stage.registry() as warm:
            _, held = operating.push(stage, source, warm, [BIG.name])
            for store in Store:
                place = _Place(stage, source, stock.target(store), warm, held[BIG.name])
                rows += _Pair(place, source_store, store, names).rows()
    return rows


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one image goes from and to; each way leaves the range engine empty."""

    stage: Stage
    source: EnginePart
    target: EnginePart
    warm: RegistryPart
    held: Held

    def ways(self) -> dict[str, Way]:
        return {
            OURS: self._ours,
            SAVE_LOAD: lambda: self._hand(self._save_load),
            PUSH_PULL: self._push_pull,
            OUR_SECOND: self._from_warm,
            PULL: lambda: self._hand(self.pull),
            OUR_TAR: self._tar,
        }

    def pull(self) -> None:
        name = f"{self.warm.pull_host}/{self.held.repository}@{self.held.digest}"
        hand.pull_and_tag(self.target, name, BIG.name)

    def _ours(self) -> float:
        with (
            self.stage.registry() as registry,
            operating.site(self.stage, self.source, registry) as site,
        ):
            return self._emptied(operating.deliver(site, {RANGE: self.target}, [BIG.name]))

    def _from_warm(self, **where: str) -> float:
        """By a cache that holds the image already."""
        cached = {"images": [{"image": BIG.name}], "registry": where}
        with operating.site(self.stage, self.source, self.warm, **cached) as site:
            took = operating.deliver(site, {RANGE: self.target}, [BIG.name])
            assert operating.came_by_tar(site, RANGE) == bool(where), "it came the other way"
            return self._emptied(took)

    def _tar(self) -> float:
        """The engine does not trust this address of the registry; the operator reaches it."""
        return self._from_warm(pullHost=self.warm.outer_pull_host)

    def _save_load(self) -> None:
        hand.save_to_load(self.source, self.target, BIG.name)

    def _push_pull(self) -> float:
        with self.stage.registry() as registry:

            def both() -> None:
                hand.push(self.source, registry, BIG.name)
                hand.pull(self.target, registry, BIG.name)

            return self._hand(both)

    def _hand(self, way: Callable[[], None]) -> float:
        return self._emptied(seconds(way))

    def _emptied(self, took: float) -> float:
        empty(self.target)
        return took


@dataclass(slots=True)
class _Pair:
    """One source store and one range store: which ways are run, and the rows of them."""

    place: _Place
    source: Store
    target: Store
    names: Collection[str]
    _found: dict[str, Samples] = field(default_factory=dict)

    def rows(self) -> list[Row]:
        wanted = self._wanted()
        if not wanted:
            return []
        tell = self.place.stage.tell
        tell(f"deliveries: {BIG.size / MB:.0f} MB, {self.source} source, {self.target} range")
        ways = self.place.ways()
        self._found = contest({name: ways[name] for name in wanted}, tell)
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
        what = "RangeImages applied to Ready, registry and range empty"
        rows = [self._row("cold", OURS, SAVE_LOAD, COLD_ALLOWED[self.source], what)]
        if self._has_push_pull:
            rows += [self._row("cold", OURS, PUSH_PULL, PUSH_PULL_ALLOWED, what)]
        return rows

    def _second(self) -> list[Row]:
        what = "RangeImages applied to Ready, registry filled, range empty"
        return (
            [self._row("second range", OUR_SECOND, PULL, SECOND_ALLOWED, what)]
            if self._has_second
            else []
        )

    def _tar(self) -> list[Row]:
        what = "the same, but the range does not trust the registry"
        return (
            [self._row("tar from the registry", OUR_TAR, SAVE_LOAD, TAR_ALLOWED, what)]
            if self._has_tar
            else []
        )

    def _row(self, name: str, ours: str, theirs: str, allowed: Allowance, what: str) -> Row:
        measure = f"{name}, {self._stores}, against {theirs} [s]"
        return compared(measure, self._found[ours], self._found[theirs], allowed, what)
