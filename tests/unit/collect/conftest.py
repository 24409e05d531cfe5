"""A tree made by hand, and a collection of it with a listener that stops when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cyroid_images.collect.collection import Collection, Collector, Order
from cyroid_images.collect.gate import STOPPED, Gate
from cyroid_images.collect.tree import Tree
from cyroid_images.model.images.digest import Digest
from tests.parts.apiserver import free_ports
from tests.parts.registry_tree import OLD, HandMadeTree

GRACE = 3600.0
Collect = Callable[..., Collection]


@pytest.fixture
def tree(tmp_path: Path) -> HandMadeTree:
    return HandMadeTree(tmp_path / "data")


@pytest.fixture
def collect(tree: HandMadeTree, tmp_path: Path) -> Collect:
    """Carries out one collection and returns it; nobody listens, so the gate closes at once."""
    folder = tmp_path / "gate"
    folder.mkdir()
    (folder / STOPPED).touch()
    (port,) = free_ports(1)

    def run(
        *keep: Digest, dry_run: bool = False, now: float = OLD + GRACE + 1, at: Path | None = None
    ) -> Collection:
        gate = Gate(folder, port)
        collector = Collector(Tree(at or tree.root), gate, GRACE, now=lambda: now)
        collection = Collection(Order("1", dry_run, frozenset(keep)), datetime.now(UTC))
        collector.carry_out(collection)
        assert not gate.is_closed
        return collection

    return run
