"""Source and range engines, started when a measure first asks for them, and filled once.

Measures share them: starting an engine and loading 0.9 GB takes longer than what some of
them measure. A range engine is empty whenever no run is under way.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from tests.bench import hand
from tests.bench.emptying import Store
from tests.bench.images import Image, make
from tests.bench.stage import engine
from tests.lab.progress import Progress, long_step
from tests.parts.engines import EnginePart


class Stock:
    """Engines by store; a context that ends them all."""

    def __init__(self, tell: Progress) -> None:
        self._tell = tell
        self._stack = ExitStack()
        self._sources: dict[Store, EnginePart] = {}
        self._targets: dict[tuple[Store, int], EnginePart] = {}
        self._loaded: set[tuple[Store, str]] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def source(self, store: Store, images: Iterable[Image]) -> EnginePart:
        """The source engine with this store, holding at least these images."""
        if store not in self._sources:
            self._sources[store] = self._stack.enter_context(engine(store))
        for image in images:
            if (store, image.name) not in self._loaded:
                self._load(store, image)
        return self._sources[store]

    def target(self, store: Store, number: int = 0) -> EnginePart:
        """A range engine with this store, empty."""
        if (store, number) not in self._targets:
            self._targets[store, number] = self._stack.enter_context(engine(store))
        return self._targets[store, number]

    def abandon_targets(self) -> None:
        """Other range engines from now on: what failed may have left something in these."""
        self._targets.clear()

    def _load(self, store: Store, image: Image) -> None:
        with long_step(self._tell, f"making {image.name}"):
            make([image])
        tar = image.plain_tar() if store is Store.CLASSIC else image.packed_tar()
        with long_step(self._tell, f"loading into the {store} source"):
            hand.load(self._sources[store], tar)
        self._loaded.add((store, image.name))
