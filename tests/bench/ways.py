"""The ways of one image into one empty range engine: ours, by hand, and parts of them.

Each way starts from the same cold state, leaves the range engine empty and gives its
seconds. What they are compared for is said by `deliveries.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import hand, operating
from tests.bench.emptying import empty
from tests.bench.images import BIG
from tests.bench.operating import RANGE, Held
from tests.bench.stage import Stage
from tests.bench.timing import seconds
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart

OURS, OUR_SECOND, OUR_TAR = "ours", "ours, second range", "ours, tar from the registry"
SAVE_LOAD, PUSH_PULL, PULL = "docker save | load", "docker push + pull", "docker pull by digest"
SAVE, LOAD = "docker save alone", "docker load of a ready tar alone"
"""Parts of the ways by hand, to be read beside: ours may load other bytes than a saved tar."""

Way = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one image goes from and to; each way leaves the range engine empty."""

    stage: Stage
    source: EnginePart
    target: EnginePart
    warm: RegistryPart
    held: Held

    def ways(self) -> dict[str, Way]:
        """Each gives its seconds."""
        return {
            OURS: self._ours,
            SAVE_LOAD: lambda: self._hand(self._save_load),
            PUSH_PULL: self._push_pull,
            OUR_SECOND: self._from_warm,
            PULL: lambda: self._hand(self._pull),
            OUR_TAR: self._tar,
            SAVE: lambda: seconds(lambda: hand.save_to_nowhere(self.source, BIG.name)),
            LOAD: lambda: self._hand(lambda: hand.load(self.target, BIG.packed_tar())),
        }

    def _pull(self) -> None:
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
